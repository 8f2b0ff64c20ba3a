//! Children that are started.

use serde_json::json;

use super::Done;
use crate::decision::StartChild;
use crate::effect::Effect;
use crate::execution::{Child, Parent};
use crate::start::Started;
use crate::step::Step;

impl Step<'_> {
    pub(super) fn start_child(&mut self, one: &StartChild, task: u64) -> Done {
        let resolved = if self.execution.children.len() >= self.limits.open_children {
            Err("OPEN_CHILDREN_LIMIT_EXCEEDED")
        } else {
            one.request().resolve(self.types).map_err(|undefined| undefined.cause())
        };
        match resolved {
            Ok(child) => {
                self.initiate_child(one, child, task);
                Done::Silently
            }
            Err(cause) => {
                let attributes = json!({
                    "workflowType": one.workflow_type,
                    "cause": cause,
                    "workflowId": one.workflow_id,
                    "initiatedEventId": 0,
                    "decisionTaskCompletedEventId": task,
                    "control": one.control,
                });
                self.record("StartChildWorkflowExecutionFailed", attributes);
                Done::DeciderHasToKnow
            }
        }
    }

    fn initiate_child(&mut self, one: &StartChild, mut child: Started, task: u64) {
        let configuration = &child.configuration;
        let attributes = json!({
            "workflowId": one.workflow_id,
            "workflowType": one.workflow_type,
            "control": one.control,
            "input": one.input,
            "executionStartToCloseTimeout": configuration.execution_start_to_close_timeout,
            "taskList": configuration.task_list,
            "taskPriority": configuration.task_priority,
            "decisionTaskCompletedEventId": task,
            "childPolicy": configuration.child_policy,
            "taskStartToCloseTimeout": configuration.task_start_to_close_timeout,
            "tagList": one.tag_list.as_ref().filter(|tags| !tags.is_empty()),
            "lambdaRole": configuration.lambda_role,
        });
        let initiated = self.record("StartChildWorkflowExecutionInitiated", attributes);
        let kept = Child {
            workflow_id: one.workflow_id.clone(),
            workflow_type: one.workflow_type.clone(),
            started: 0,
        };
        self.execution.children.insert(initiated, kept);
        child.parent = Some(Parent { execution: self.id(), initiated });
        let control = one.control.clone();
        self.effect(Effect::StartChild { initiated, child: Box::new(child), control });
    }
}
