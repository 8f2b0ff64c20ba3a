//! SWF as the dispatcher sees it.

use std::fmt::Write;

use trunkline_engine::{Engine, ResourceName};

use super::{errors, history, poll};
use crate::error::{Result, WireError};
use crate::model::Protocol;
use crate::service::{Call, Input, OperationId, Outcome, Service, write_states};
use crate::value::Value;

const OPERATIONS: [&str; 3] =
    ["PollForDecisionTask", "PollForActivityTask", "GetWorkflowExecutionHistory"];

/// The data plane of SWF.
pub struct Swf;

impl Service for Swf {
    fn name(&self) -> &'static str {
        "swf"
    }

    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome> {
        match OPERATIONS[operation] {
            "PollForDecisionTask" => poll::decision(call, input),
            "PollForActivityTask" => poll::activity(call, input),
            _ => history::start(call, input),
        }
    }

    /// Domains have no policies of their own.
    fn authorize(&self, _: &Call<'_>, _: &str, _: &Value) -> Result<Option<ResourceName>> {
        Ok(None)
    }

    fn word(&self, error: WireError, _protocol: Protocol) -> WireError {
        errors::word(error)
    }

    fn write_metrics(&self, engine: &Engine, out: &mut dyn Write) -> std::fmt::Result {
        writeln!(out, "# TYPE trunkline_domain_executions gauge")?;
        // A closed engine has no domains to show.
        for domain in engine.domains().list(None, None).unwrap_or_default() {
            let [open, closed] = domain.execution_counts();
            let states = [("open", open), ("closed", closed)];
            let name = domain.name();
            write_states(out, "trunkline_domain_executions", "domain", name, &states)?;
        }
        Ok(())
    }
}
