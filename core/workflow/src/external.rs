//! Signals and cancellations from outside and between executions, and what becomes of children.

use serde_json::json;

use crate::effect::{ChildEnd, External, Origin};
use crate::execution::{Execution, ExecutionId};
use crate::fault::Fault;
use crate::step::Step;

impl Execution {
    pub(crate) fn unknown(&self) -> Fault {
        let ExecutionId { workflow_id, run_id } = &self.id;
        let named = format!("WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]");
        Fault::unknown(format!("execution: {named}"))
    }
}

impl Step<'_> {
    pub fn signal(&mut self, name: &str, input: Option<String>, origin: Option<Origin>) {
        let initiated = origin.as_ref().map_or(0, |origin| origin.initiated);
        let attributes = json!({
            "signalName": name,
            "input": input,
            "externalWorkflowExecution": origin.map(|origin| origin.execution),
            "externalInitiatedEventId": initiated,
        });
        self.record("WorkflowExecutionSignaled", attributes);
        self.schedule_decision();
    }

    pub fn request_cancel(&mut self, origin: Option<Origin>, by_policy: bool) {
        let initiated = origin.as_ref().map_or(0, |origin| origin.initiated);
        let attributes = json!({
            "externalWorkflowExecution": origin.map(|origin| origin.execution),
            "externalInitiatedEventId": initiated,
            "cause": by_policy.then_some("CHILD_POLICY_APPLIED"),
        });
        self.record("WorkflowExecutionCancelRequested", attributes);
        self.execution.cancel_requested = true;
        self.schedule_decision();
    }

    pub fn child_started(&mut self, initiated: u64, child: &ExecutionId) {
        let Some(kept) = self.execution.children.get(&initiated) else { return };
        let attributes = json!({
            "workflowExecution": child,
            "workflowType": kept.workflow_type,
            "initiatedEventId": initiated,
        });
        let event = self.record("ChildWorkflowExecutionStarted", attributes);
        if let Some(kept) = self.execution.children.get_mut(&initiated) {
            kept.started = event;
        }
        self.schedule_decision();
    }

    pub fn child_not_started(
        &mut self,
        initiated: u64,
        cause: &'static str,
        control: Option<String>,
    ) {
        let Some(child) = self.execution.children.remove(&initiated) else { return };
        let attributes = json!({
            "workflowType": child.workflow_type,
            "cause": cause,
            "workflowId": child.workflow_id,
            "initiatedEventId": initiated,
            "decisionTaskCompletedEventId": 0,
            "control": control,
        });
        self.record("StartChildWorkflowExecutionFailed", attributes);
        self.schedule_decision();
    }

    pub fn child_closed(&mut self, initiated: u64, child: &ExecutionId, end: ChildEnd) {
        let Some(kept) = self.execution.children.remove(&initiated) else { return };
        let (kind, told) = match end {
            ChildEnd::Completed(result) => {
                ("ChildWorkflowExecutionCompleted", json!({"result": result}))
            }
            ChildEnd::Failed(reason, details) => {
                ("ChildWorkflowExecutionFailed", json!({"reason": reason, "details": details}))
            }
            ChildEnd::Canceled(details) => {
                ("ChildWorkflowExecutionCanceled", json!({"details": details}))
            }
            ChildEnd::TimedOut => {
                ("ChildWorkflowExecutionTimedOut", json!({"timeoutType": "START_TO_CLOSE"}))
            }
            ChildEnd::Terminated => ("ChildWorkflowExecutionTerminated", json!({})),
        };
        let mut attributes = json!({
            "workflowExecution": child,
            "workflowType": kept.workflow_type,
            "initiatedEventId": initiated,
            "startedEventId": kept.started,
        });
        if let (Some(all), Some(told)) = (attributes.as_object_mut(), told.as_object()) {
            all.extend(told.clone());
        }
        self.record(kind, attributes);
        self.schedule_decision();
    }

    pub fn signaled(&mut self, external: &External, target: Option<ExecutionId>) {
        match target {
            Some(target) => {
                let attributes =
                    json!({"workflowExecution": target, "initiatedEventId": external.initiated});
                self.record("ExternalWorkflowExecutionSignaled", attributes);
            }
            None => self.not_reached("SignalExternalWorkflowExecutionFailed", external),
        }
        self.schedule_decision();
    }

    pub fn cancel_requested(&mut self, external: &External, target: Option<ExecutionId>) {
        match target {
            Some(target) => {
                let attributes =
                    json!({"workflowExecution": target, "initiatedEventId": external.initiated});
                self.record("ExternalWorkflowExecutionCancelRequested", attributes);
            }
            None => self.not_reached("RequestCancelExternalWorkflowExecutionFailed", external),
        }
        self.schedule_decision();
    }

    fn not_reached(&mut self, kind: &'static str, external: &External) {
        let attributes = json!({
            "workflowId": external.workflow_id,
            "runId": external.run_id,
            "cause": "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
            "initiatedEventId": external.initiated,
            "decisionTaskCompletedEventId": external.decision,
            "control": external.control,
        });
        self.record(kind, attributes);
    }
}
