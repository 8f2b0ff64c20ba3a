//! Lambda functions that are scheduled.

use serde_json::json;

use super::Done;
use crate::decision::ScheduleLambda;
use crate::execution::Lambda;
use crate::step::Step;
use crate::text::span;

/// How long a function may take if the decision does not say: as long as AWS lets it, in seconds.
const START_TO_CLOSE: &str = "300";

/// What the history says of a function that the execution may not call.
const NO_ROLE: &str = "The workflow execution has no lambdaRole with which to call the function.";

impl Step<'_> {
    pub(super) fn schedule_lambda(&mut self, one: ScheduleLambda, task: u64) -> Done {
        let open = &self.execution.lambdas;
        let cause = if open.values().any(|other| other.id == one.id) {
            Some("ID_ALREADY_IN_USE")
        } else if open.len() >= self.limits.open_lambda_functions {
            Some("OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED")
        } else {
            None
        };
        if let Some(cause) = cause {
            let attributes = json!({
                "id": one.id,
                "name": one.name,
                "cause": cause,
                "decisionTaskCompletedEventId": task,
            });
            self.record("ScheduleLambdaFunctionFailed", attributes);
            return Done::DeciderHasToKnow;
        }
        let attributes = json!({
            "id": one.id,
            "name": one.name,
            "control": one.control,
            "input": one.input,
            "startToCloseTimeout": one.start_to_close_timeout,
            "decisionTaskCompletedEventId": task,
        });
        let event = self.record("LambdaFunctionScheduled", attributes);
        if self.execution.configuration.lambda_role.is_none() {
            let attributes = json!({
                "scheduledEventId": event,
                "cause": "ASSUME_ROLE_FAILED",
                "message": NO_ROLE,
            });
            self.record("StartLambdaFunctionFailed", attributes);
            return Done::DeciderHasToKnow;
        }
        let timeout = one.start_to_close_timeout.as_deref().unwrap_or(START_TO_CLOSE);
        let lambda = Lambda {
            id: one.id,
            name: one.name,
            input: one.input,
            at: self.now,
            started: 0,
            start_to_close: span(timeout),
        };
        self.execution.lambdas.insert(event, lambda);
        Done::Silently
    }
}
