//! Step Functions as the dispatcher sees it.

use trunkline_engine::{Engine, ResourceName};

use super::machines::KnownMachines;
use super::{express, start};
use crate::error::Result;
use crate::service::{Call, Input, OperationId, Outcome, Service};
use crate::value::Value;

const OPERATIONS: [&str; 2] = ["StartExecution", "StartSyncExecution"];

/// The order in which Step Functions lists the values of enumerations, where its model has another.
const OVERLAY: &[u8] = include_bytes!("overlay.json");

/// The data plane of Step Functions.
#[derive(Default)]
pub struct States {
    machines: KnownMachines,
}

impl Service for States {
    fn name(&self) -> &'static str {
        "stepfunctions"
    }

    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome> {
        let started = match OPERATIONS[operation] {
            "StartExecution" => start::start(call, input, &self.machines)?,
            _ => express::run(call, input, &self.machines),
        };
        Ok(started.unwrap_or(Outcome::Declined))
    }

    fn overlay(&self) -> Option<&'static [u8]> {
        Some(OVERLAY)
    }

    /// State machines have no policies of their own.
    fn authorize(&self, _: &Call<'_>, _: &str, _: &Value) -> Result<Option<ResourceName>> {
        Ok(None)
    }

    fn reset(&self, _: &Engine) -> Result<()> {
        self.machines.clear();
        Ok(())
    }
}
