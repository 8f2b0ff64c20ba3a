//! The first events of an execution.

use serde_json::json;

use crate::effect::Outcome;
use crate::execution::Execution;
use crate::start::Started;
use crate::step::{Context, Step};

impl Execution {
    /// A new execution, with its first events and effects.
    pub fn start(started: &Started, run_id: String, context: &Context<'_>) -> (Self, Outcome) {
        let request = &started.request;
        let mut execution = Self::new(
            request.workflow_id.clone(),
            run_id,
            request.workflow_type.clone(),
            started.configuration.clone(),
        );
        execution.started = context.now;
        execution.tags = request.tag_list.clone();
        execution.parent = started.parent.clone();
        let configuration = &started.configuration;
        let tags = (!request.tag_list.is_empty()).then_some(&request.tag_list);
        let parent = started.parent.as_ref();
        let attributes = json!({
            "input": request.input,
            "executionStartToCloseTimeout": configuration.execution_start_to_close_timeout,
            "taskStartToCloseTimeout": configuration.task_start_to_close_timeout,
            "childPolicy": configuration.child_policy,
            "taskList": configuration.task_list,
            "taskPriority": configuration.task_priority,
            "workflowType": request.workflow_type,
            "tagList": tags,
            "continuedExecutionRunId": started.continued,
            "parentWorkflowExecution": parent.map(|parent| &parent.execution),
            "parentInitiatedEventId": parent.map_or(0, |parent| parent.initiated),
            "lambdaRole": configuration.lambda_role,
        });
        let mut step = Step::new(&mut execution, context);
        step.record("WorkflowExecutionStarted", attributes);
        step.schedule_decision();
        let outcome = step.finish();
        (execution, outcome)
    }
}
