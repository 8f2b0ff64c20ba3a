//! An event in the shape of `GetExecutionHistory`.

use std::sync::Arc;

use super::{Details, Event, Failure, ServiceCall, StateType};
use crate::payload::Payload;
use crate::value::{Members, Number, Value};

impl Event {
    /// The type: `PassStateEntered`.
    pub fn kind(&self) -> &'static str {
        kind(&self.details)
    }

    /// The event as `GetExecutionHistory` answers it; without `data`, inputs, outputs and the like
    /// are left out (`includeExecutionData` is false).
    pub fn to_value(&self, data: bool) -> Value {
        let seconds = self.at_ms as f64 / 1_000.0;
        let mut event = Members::with_capacity(5);
        event.insert("timestamp".into(), Value::Number(Number::Float(seconds)));
        event.insert("type".into(), Value::string(self.kind()));
        event.insert("id".into(), Value::from(self.id as i64));
        event.insert("previousEventId".into(), Value::from(self.previous_id as i64));
        if let Some((name, details)) = details(&self.details, data) {
            event.insert(name.into(), details.build());
        }
        Value::Object(Arc::new(event))
    }
}

fn of_state(kind: StateType, names: [&'static str; 8]) -> &'static str {
    names[match kind {
        StateType::Choice => 0,
        StateType::Fail => 1,
        StateType::Map => 2,
        StateType::Parallel => 3,
        StateType::Pass => 4,
        StateType::Succeed => 5,
        StateType::Task => 6,
        StateType::Wait => 7,
    }]
}

const ENTERED: [&str; 8] = [
    "ChoiceStateEntered",
    "FailStateEntered",
    "MapStateEntered",
    "ParallelStateEntered",
    "PassStateEntered",
    "SucceedStateEntered",
    "TaskStateEntered",
    "WaitStateEntered",
];
const EXITED: [&str; 8] = [
    "ChoiceStateExited",
    "FailStateExited",
    "MapStateExited",
    "ParallelStateExited",
    "PassStateExited",
    "SucceedStateExited",
    "TaskStateExited",
    "WaitStateExited",
];
const ABORTED: [&str; 8] = [
    "ChoiceStateAborted",
    "FailStateAborted",
    "MapStateAborted",
    "ParallelStateAborted",
    "PassStateAborted",
    "SucceedStateAborted",
    "TaskStateAborted",
    "WaitStateAborted",
];

fn kind(details: &Details) -> &'static str {
    match details {
        Details::ExecutionStarted { .. } => "ExecutionStarted",
        Details::ExecutionSucceeded { .. } => "ExecutionSucceeded",
        Details::ExecutionFailed(_) => "ExecutionFailed",
        Details::ExecutionAborted(_) => "ExecutionAborted",
        Details::ExecutionTimedOut(_) => "ExecutionTimedOut",
        Details::ExecutionRedriven { .. } => "ExecutionRedriven",
        Details::StateEntered { kind, .. } => of_state(*kind, ENTERED),
        Details::StateExited { kind, .. } => of_state(*kind, EXITED),
        Details::StateAborted { kind } => of_state(*kind, ABORTED),
        Details::EvaluationFailed { .. } => "EvaluationFailed",
        Details::TaskScheduled { .. } => "TaskScheduled",
        Details::TaskStarted(_) => "TaskStarted",
        Details::TaskSubmitted { .. } => "TaskSubmitted",
        Details::TaskSucceeded { .. } => "TaskSucceeded",
        Details::TaskFailed { .. } => "TaskFailed",
        Details::TaskStartFailed { .. } => "TaskStartFailed",
        Details::TaskSubmitFailed { .. } => "TaskSubmitFailed",
        Details::TaskTimedOut { .. } => "TaskTimedOut",
        Details::LambdaFunctionScheduled { .. } => "LambdaFunctionScheduled",
        Details::LambdaFunctionStarted => "LambdaFunctionStarted",
        Details::LambdaFunctionSucceeded { .. } => "LambdaFunctionSucceeded",
        Details::LambdaFunctionFailed(_) => "LambdaFunctionFailed",
        Details::LambdaFunctionScheduleFailed(_) => "LambdaFunctionScheduleFailed",
        Details::LambdaFunctionStartFailed(_) => "LambdaFunctionStartFailed",
        Details::LambdaFunctionTimedOut(_) => "LambdaFunctionTimedOut",
        Details::ActivityScheduled { .. } => "ActivityScheduled",
        Details::ActivityStarted { .. } => "ActivityStarted",
        Details::ActivitySucceeded { .. } => "ActivitySucceeded",
        Details::ActivityFailed(_) => "ActivityFailed",
        Details::ActivityScheduleFailed(_) => "ActivityScheduleFailed",
        Details::ActivityTimedOut(_) => "ActivityTimedOut",
        Details::MapStateStarted { .. } => "MapStateStarted",
        Details::MapStateSucceeded => "MapStateSucceeded",
        Details::MapStateFailed => "MapStateFailed",
        Details::MapIterationStarted { .. } => "MapIterationStarted",
        Details::MapIterationSucceeded { .. } => "MapIterationSucceeded",
        Details::MapIterationFailed { .. } => "MapIterationFailed",
        Details::MapIterationAborted { .. } => "MapIterationAborted",
        Details::MapRunStarted { .. } => "MapRunStarted",
        Details::MapRunSucceeded => "MapRunSucceeded",
        Details::MapRunFailed(_) => "MapRunFailed",
        Details::MapRunAborted => "MapRunAborted",
        Details::MapRunRedriven { .. } => "MapRunRedriven",
        Details::ParallelStateStarted => "ParallelStateStarted",
        Details::ParallelStateSucceeded => "ParallelStateSucceeded",
        Details::ParallelStateFailed => "ParallelStateFailed",
    }
}

/// The members of the details of an event.
struct Fields {
    members: Members,
    data: bool,
}

impl Fields {
    fn text(mut self, name: &str, text: &str) -> Fields {
        self.members.insert(name.into(), Value::string(text));
        self
    }

    fn number(mut self, name: &str, number: u64) -> Fields {
        self.members.insert(name.into(), Value::from(number as i64));
        self
    }

    fn optional_text(self, name: &str, text: Option<&Arc<str>>) -> Fields {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    fn optional_number(self, name: &str, number: Option<u64>) -> Fields {
        match number {
            Some(number) => self.number(name, number),
            None => self,
        }
    }

    /// An input or an output, and whether it is whole.
    fn payload(mut self, name: &str, payload: &Payload) -> Fields {
        if self.data {
            self.members.insert(name.into(), Value::String(Arc::clone(payload.text())));
            let whole = Value::object([("truncated", Value::Bool(false))]);
            self.members.insert(format!("{name}Details").into(), whole);
        }
        self
    }

    fn failure(self, failure: &Failure) -> Fields {
        if !self.data {
            return self;
        }
        self.optional_text("error", failure.error.as_ref())
            .optional_text("cause", failure.cause.as_ref())
    }

    fn call(self, call: &ServiceCall) -> Fields {
        self.text("resourceType", &call.resource_type).text("resource", &call.resource)
    }

    fn assigned(mut self, assigned: &[(Arc<str>, Payload)]) -> Fields {
        if self.data && !assigned.is_empty() {
            let texts = assigned
                .iter()
                .map(|(name, payload)| (name, Value::String(Arc::clone(payload.text()))));
            self.members.insert("assignedVariables".into(), Value::object(texts));
            let whole = Value::object([("truncated", Value::Bool(false))]);
            self.members.insert("assignedVariablesDetails".into(), whole);
        }
        self
    }

    /// The role of another account: `{"roleArn": ...}`.
    fn credentials(mut self, credentials: Option<&Payload>) -> Fields {
        if let Some(credentials) = credentials {
            let role = credentials.value().get("RoleArn").cloned().unwrap_or(Value::Null);
            self.members.insert("taskCredentials".into(), Value::object([("roleArn", role)]));
        }
        self
    }

    fn build(self) -> Value {
        Value::Object(Arc::new(self.members))
    }
}

fn details(details: &Details, data: bool) -> Option<(&'static str, Fields)> {
    let new = Fields { members: Members::new(), data };
    Some(match details {
        Details::ExecutionStarted { input, role_arn, version_arn, alias_arn } => (
            "executionStartedEventDetails",
            new.payload("input", input)
                .text("roleArn", role_arn)
                .optional_text("stateMachineAliasArn", alias_arn.as_ref())
                .optional_text("stateMachineVersionArn", version_arn.as_ref()),
        ),
        Details::ExecutionSucceeded { output } => {
            ("executionSucceededEventDetails", new.payload("output", output))
        }
        Details::ExecutionFailed(failure) => ("executionFailedEventDetails", new.failure(failure)),
        Details::ExecutionAborted(failure) => {
            ("executionAbortedEventDetails", new.failure(failure))
        }
        Details::ExecutionTimedOut(failure) => {
            ("executionTimedOutEventDetails", new.failure(failure))
        }
        Details::ExecutionRedriven { redrive_count } => {
            ("executionRedrivenEventDetails", new.number("redriveCount", *redrive_count))
        }
        Details::StateEntered { name, input, .. } => {
            ("stateEnteredEventDetails", new.text("name", name).payload("input", input))
        }
        Details::StateExited { name, output, assigned, .. } => (
            "stateExitedEventDetails",
            new.text("name", name).payload("output", output).assigned(assigned),
        ),
        Details::EvaluationFailed { failure, location, state } => (
            "evaluationFailedEventDetails",
            new.failure(failure).optional_text("location", location.as_ref()).text("state", state),
        ),
        other => return task_details(other, new),
    })
}

fn task_details(details: &Details, new: Fields) -> Option<(&'static str, Fields)> {
    Some(match details {
        Details::TaskScheduled { call, region, parameters, timeout, heartbeat, credentials } => {
            let fields = new.call(call).text("region", region);
            let fields =
                if fields.data { fields.text("parameters", parameters.text()) } else { fields };
            (
                "taskScheduledEventDetails",
                fields
                    .optional_number("timeoutInSeconds", *timeout)
                    .optional_number("heartbeatInSeconds", *heartbeat)
                    .credentials(credentials.as_ref()),
            )
        }
        Details::TaskStarted(call) => ("taskStartedEventDetails", new.call(call)),
        Details::TaskSubmitted { call, output } => {
            ("taskSubmittedEventDetails", new.call(call).payload("output", output))
        }
        Details::TaskSucceeded { call, output } => {
            ("taskSucceededEventDetails", new.call(call).payload("output", output))
        }
        Details::TaskFailed { call, failure } => {
            ("taskFailedEventDetails", new.call(call).failure(failure))
        }
        Details::TaskStartFailed { call, failure } => {
            ("taskStartFailedEventDetails", new.call(call).failure(failure))
        }
        Details::TaskSubmitFailed { call, failure } => {
            ("taskSubmitFailedEventDetails", new.call(call).failure(failure))
        }
        Details::TaskTimedOut { call, failure } => {
            ("taskTimedOutEventDetails", new.call(call).failure(failure))
        }
        Details::LambdaFunctionScheduled { resource, input, timeout, credentials } => (
            "lambdaFunctionScheduledEventDetails",
            new.text("resource", resource)
                .payload("input", input)
                .optional_number("timeoutInSeconds", *timeout)
                .credentials(credentials.as_ref()),
        ),
        Details::LambdaFunctionSucceeded { output } => {
            ("lambdaFunctionSucceededEventDetails", new.payload("output", output))
        }
        Details::LambdaFunctionFailed(failure) => {
            ("lambdaFunctionFailedEventDetails", new.failure(failure))
        }
        Details::LambdaFunctionScheduleFailed(failure) => {
            ("lambdaFunctionScheduleFailedEventDetails", new.failure(failure))
        }
        Details::LambdaFunctionStartFailed(failure) => {
            ("lambdaFunctionStartFailedEventDetails", new.failure(failure))
        }
        Details::LambdaFunctionTimedOut(failure) => {
            ("lambdaFunctionTimedOutEventDetails", new.failure(failure))
        }
        other => return activity_and_map_details(other, new),
    })
}

fn activity_and_map_details(details: &Details, new: Fields) -> Option<(&'static str, Fields)> {
    Some(match details {
        Details::ActivityScheduled { resource, input, timeout, heartbeat } => (
            "activityScheduledEventDetails",
            new.text("resource", resource)
                .payload("input", input)
                .optional_number("timeoutInSeconds", *timeout)
                .optional_number("heartbeatInSeconds", *heartbeat),
        ),
        Details::ActivityStarted { worker } => {
            ("activityStartedEventDetails", new.optional_text("workerName", worker.as_ref()))
        }
        Details::ActivitySucceeded { output } => {
            ("activitySucceededEventDetails", new.payload("output", output))
        }
        Details::ActivityFailed(failure) => ("activityFailedEventDetails", new.failure(failure)),
        Details::ActivityScheduleFailed(failure) => {
            ("activityScheduleFailedEventDetails", new.failure(failure))
        }
        Details::ActivityTimedOut(failure) => {
            ("activityTimedOutEventDetails", new.failure(failure))
        }
        Details::MapStateStarted { length } => {
            ("mapStateStartedEventDetails", new.number("length", *length))
        }
        Details::MapIterationStarted { name, index } => {
            ("mapIterationStartedEventDetails", new.text("name", name).number("index", *index))
        }
        Details::MapIterationSucceeded { name, index } => {
            ("mapIterationSucceededEventDetails", new.text("name", name).number("index", *index))
        }
        Details::MapIterationFailed { name, index } => {
            ("mapIterationFailedEventDetails", new.text("name", name).number("index", *index))
        }
        Details::MapIterationAborted { name, index } => {
            ("mapIterationAbortedEventDetails", new.text("name", name).number("index", *index))
        }
        Details::MapRunStarted { map_run_arn } => {
            ("mapRunStartedEventDetails", new.text("mapRunArn", map_run_arn))
        }
        Details::MapRunFailed(failure) => ("mapRunFailedEventDetails", new.failure(failure)),
        Details::MapRunRedriven { map_run_arn, redrive_count } => (
            "mapRunRedrivenEventDetails",
            new.text("mapRunArn", map_run_arn).number("redriveCount", *redrive_count),
        ),
        _ => return None,
    })
}
