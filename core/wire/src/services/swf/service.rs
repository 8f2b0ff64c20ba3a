//! SWF as the dispatcher sees it.

use trunkline_engine::{Engine, ResourceName};

use super::{errors, history, poll};
use crate::error::{Result, WireError};
use crate::model::Protocol;
use crate::service::{Call, Exposition, Family, Input, OperationId, Outcome, Service};
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

    fn show_metrics(&self, engine: &Engine, out: &mut Exposition) {
        let help = "Workflow executions that are open, and closed ones that are kept";
        let mut executions = Family::gauge("trunkline_domain_executions", help);
        // A closed engine has no domains to show.
        for domain in engine.domains().list(None, None).unwrap_or_default() {
            let [open, closed] = domain.execution_counts();
            let states = [("open", open), ("closed", closed)];
            executions.states("domain", domain.name(), &states);
        }
        out.push(executions);
    }
}
