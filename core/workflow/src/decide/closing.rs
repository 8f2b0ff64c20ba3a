//! Decisions that end the execution.

use serde_json::{Value, json};

use super::Done;
use crate::decision::{ContinueAsNewWorkflowExecution, Decision};
use crate::effect::{ChildEnd, Effect};
use crate::execution::CloseStatus;
use crate::step::Step;
use crate::tasks::Completed;

impl Step<'_> {
    /// Ends the execution, unless something happened that the decider did not know of.
    pub(super) fn decide_end(
        &mut self,
        decision: Decision,
        completed: Completed,
        next_run: &str,
    ) -> Done {
        if completed.unhandled {
            let kind = match decision {
                Decision::CompleteWorkflowExecution(_) => "CompleteWorkflowExecutionFailed",
                Decision::FailWorkflowExecution(_) => "FailWorkflowExecutionFailed",
                Decision::CancelWorkflowExecution(_) => "CancelWorkflowExecutionFailed",
                _ => "ContinueAsNewWorkflowExecutionFailed",
            };
            return self.refuse_end(kind, "UNHANDLED_DECISION", completed.event);
        }
        let task = completed.event;
        match decision {
            Decision::CompleteWorkflowExecution(one) => {
                let attributes =
                    json!({"result": one.result, "decisionTaskCompletedEventId": task});
                let end = ChildEnd::Completed(one.result);
                self.end("WorkflowExecutionCompleted", attributes, CloseStatus::Completed, end)
            }
            Decision::FailWorkflowExecution(one) => {
                let attributes = json!({
                    "reason": one.reason,
                    "details": one.details,
                    "decisionTaskCompletedEventId": task,
                });
                let end = ChildEnd::Failed(one.reason, one.details);
                self.end("WorkflowExecutionFailed", attributes, CloseStatus::Failed, end)
            }
            Decision::CancelWorkflowExecution(one) => {
                let attributes =
                    json!({"details": one.details, "decisionTaskCompletedEventId": task});
                let end = ChildEnd::Canceled(one.details);
                self.end("WorkflowExecutionCanceled", attributes, CloseStatus::Canceled, end)
            }
            Decision::ContinueAsNewWorkflowExecution(one) => {
                self.continue_as_new(&one, task, next_run)
            }
            _ => Done::Silently,
        }
    }

    fn refuse_end(&mut self, kind: &'static str, cause: &'static str, task: u64) -> Done {
        self.record(kind, json!({"cause": cause, "decisionTaskCompletedEventId": task}));
        Done::DeciderHasToKnow
    }

    fn end(
        &mut self,
        kind: &'static str,
        attributes: Value,
        status: CloseStatus,
        end: ChildEnd,
    ) -> Done {
        self.record(kind, attributes);
        self.close(status, Some(end));
        Done::Silently
    }

    fn continue_as_new(
        &mut self,
        one: &ContinueAsNewWorkflowExecution,
        task: u64,
        next_run: &str,
    ) -> Done {
        let execution = &*self.execution;
        let request = one.request(&execution.id.workflow_id, &execution.workflow_type);
        let mut next = match request.resolve(self.types) {
            Ok(next) => next,
            Err(undefined) => {
                let kind = "ContinueAsNewWorkflowExecutionFailed";
                return self.refuse_end(kind, undefined.cause(), task);
            }
        };
        // The parent has the new run as its child from now on.
        next.parent = execution.parent.clone();
        next.continued = Some(execution.id.run_id.clone());
        let configuration = &next.configuration;
        let attributes = json!({
            "input": one.input,
            "decisionTaskCompletedEventId": task,
            "newExecutionRunId": next_run,
            "executionStartToCloseTimeout": configuration.execution_start_to_close_timeout,
            "taskList": configuration.task_list,
            "taskPriority": configuration.task_priority,
            "taskStartToCloseTimeout": configuration.task_start_to_close_timeout,
            "childPolicy": configuration.child_policy,
            "tagList": one.tag_list.as_ref().filter(|tags| !tags.is_empty()),
            "workflowType": next.request.workflow_type,
            "lambdaRole": configuration.lambda_role,
        });
        self.record("WorkflowExecutionContinuedAsNew", attributes);
        self.close(CloseStatus::ContinuedAsNew, None);
        let run_id = next_run.to_owned();
        self.effect(Effect::ContinueAsNew { run_id, next: Box::new(next) });
        Done::Silently
    }
}
