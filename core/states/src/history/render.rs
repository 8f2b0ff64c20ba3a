//! An event in the shape of `GetExecutionHistory`.

use std::sync::Arc;

use super::{Details, Event, Failure, ServiceCall, StateType};
use crate::payload::Payload;
use crate::value::{self, Number, Value};

impl Event {
    /// The type: `PassStateEntered`.
    pub fn kind(&self) -> &'static str {
        kind(&self.details)
    }

    /// The event as `GetExecutionHistory` answers it, as JSON text; without `data`, inputs, outputs
    /// and the like are left out (`includeExecutionData` is false).
    pub fn to_text(&self, data: bool) -> String {
        let mut out = String::new();
        self.write(data, &mut out);
        out
    }

    /// The value of [`Event::to_text`].
    pub fn to_value(&self, data: bool) -> Value {
        value::parse(&self.to_text(data)).unwrap_or(Value::Null)
    }

    /// Appends the text of [`Event::to_text`]. It is written without a value in between: a history
    /// is written more often than read.
    pub fn write(&self, data: bool, out: &mut String) {
        out.push_str("{\"timestamp\":");
        value::write_seconds(self.at_ms, out);
        out.push_str(",\"type\":\"");
        out.push_str(self.kind());
        out.push_str("\",\"id\":");
        Number::Int(self.id as i64).write(out);
        out.push_str(",\"previousEventId\":");
        Number::Int(self.previous_id as i64).write(out);
        details(&self.details, Fields { out, data, has_members: None }).end();
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

/// The details of an event, which are being written: an object behind the other members.
struct Fields<'a> {
    out: &'a mut String,
    data: bool,
    /// Whether the object has members; `None` before it begins.
    has_members: Option<bool>,
}

impl Fields<'_> {
    /// Begins the object, under this name.
    fn of(mut self, name: &str) -> Self {
        self.has_members = Some(false);
        self.out.push_str(",\"");
        self.out.push_str(name);
        self.out.push_str("\":{");
        self
    }

    fn name(&mut self, name: &str) {
        let separator = if self.has_members.replace(true) == Some(true) { ",\"" } else { "\"" };
        self.out.push_str(separator);
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn text(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        value::write_string(text, self.out);
        self
    }

    fn number(mut self, name: &str, number: u64) -> Self {
        self.name(name);
        Number::Int(number as i64).write(self.out);
        self
    }

    fn optional_text(self, name: &str, text: Option<&Arc<str>>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    fn optional_number(self, name: &str, number: Option<u64>) -> Self {
        match number {
            Some(number) => self.number(name, number),
            None => self,
        }
    }

    /// That what stands under a name is whole.
    fn whole(mut self, name: &str) -> Self {
        self.name(name);
        self.out.push_str("{\"truncated\":false}");
        self
    }

    /// An input, and whether it is whole.
    fn input(self, input: &Payload) -> Self {
        self.payload("input", input, "inputDetails")
    }

    /// The same for an output.
    fn output(self, output: &Payload) -> Self {
        self.payload("output", output, "outputDetails")
    }

    fn payload(mut self, name: &str, payload: &Payload, whole: &str) -> Self {
        if !self.data {
            return self;
        }
        self.name(name);
        self.out.push_str(payload.quoted());
        self.whole(whole)
    }

    fn failure(self, failure: &Failure) -> Self {
        if !self.data {
            return self;
        }
        self.optional_text("error", failure.error.as_ref())
            .optional_text("cause", failure.cause.as_ref())
    }

    fn call(self, call: &ServiceCall) -> Self {
        self.text("resourceType", &call.resource_type).text("resource", &call.resource)
    }

    fn assigned(mut self, assigned: &[(Arc<str>, Payload)]) -> Self {
        if !self.data || assigned.is_empty() {
            return self;
        }
        let texts = assigned
            .iter()
            .map(|(name, payload)| (name, Value::String(Arc::clone(payload.text()))));
        self.name("assignedVariables");
        Value::object(texts).write(self.out);
        self.whole("assignedVariablesDetails")
    }

    /// The role of another account: `{"roleArn": ...}`.
    fn credentials(mut self, credentials: Option<&Payload>) -> Self {
        if let Some(credentials) = credentials {
            let role = credentials.value().get("RoleArn").cloned().unwrap_or(Value::Null);
            self.name("taskCredentials");
            Value::object([("roleArn", role)]).write(self.out);
        }
        self
    }

    fn end(self) {
        self.out.push_str(if self.has_members.is_some() { "}}" } else { "}" });
    }
}

/// Writes the details of an event, if it has any.
fn details<'a>(details: &Details, new: Fields<'a>) -> Fields<'a> {
    match details {
        Details::ExecutionStarted { input, role_arn, version_arn, alias_arn } => new
            .of("executionStartedEventDetails")
            .input(input)
            .text("roleArn", role_arn)
            .optional_text("stateMachineAliasArn", alias_arn.as_ref())
            .optional_text("stateMachineVersionArn", version_arn.as_ref()),
        Details::ExecutionSucceeded { output } => {
            new.of("executionSucceededEventDetails").output(output)
        }
        Details::ExecutionFailed(failure) => new.of("executionFailedEventDetails").failure(failure),
        Details::ExecutionAborted(failure) => {
            new.of("executionAbortedEventDetails").failure(failure)
        }
        Details::ExecutionTimedOut(failure) => {
            new.of("executionTimedOutEventDetails").failure(failure)
        }
        Details::ExecutionRedriven { redrive_count } => {
            new.of("executionRedrivenEventDetails").number("redriveCount", *redrive_count)
        }
        Details::StateEntered { name, input, .. } => {
            new.of("stateEnteredEventDetails").text("name", name).input(input)
        }
        Details::StateExited { name, output, assigned, .. } => {
            new.of("stateExitedEventDetails").text("name", name).output(output).assigned(assigned)
        }
        Details::EvaluationFailed { failure, location, state } => new
            .of("evaluationFailedEventDetails")
            .failure(failure)
            .optional_text("location", location.as_ref())
            .text("state", state),
        other => task_details(other, new),
    }
}

fn task_details<'a>(details: &Details, new: Fields<'a>) -> Fields<'a> {
    match details {
        Details::TaskScheduled { call, region, parameters, timeout, heartbeat, credentials } => {
            let fields = new.of("taskScheduledEventDetails").call(call).text("region", region);
            let fields =
                if fields.data { fields.text("parameters", parameters.text()) } else { fields };
            fields
                .optional_number("timeoutInSeconds", *timeout)
                .optional_number("heartbeatInSeconds", *heartbeat)
                .credentials(credentials.as_ref())
        }
        Details::TaskStarted(call) => new.of("taskStartedEventDetails").call(call),
        Details::TaskSubmitted { call, output } => {
            new.of("taskSubmittedEventDetails").call(call).output(output)
        }
        Details::TaskSucceeded { call, output } => {
            new.of("taskSucceededEventDetails").call(call).output(output)
        }
        Details::TaskFailed { call, failure } => {
            new.of("taskFailedEventDetails").call(call).failure(failure)
        }
        Details::TaskStartFailed { call, failure } => {
            new.of("taskStartFailedEventDetails").call(call).failure(failure)
        }
        Details::TaskSubmitFailed { call, failure } => {
            new.of("taskSubmitFailedEventDetails").call(call).failure(failure)
        }
        Details::TaskTimedOut { call, failure } => {
            new.of("taskTimedOutEventDetails").call(call).failure(failure)
        }
        Details::LambdaFunctionScheduled { resource, input, timeout, credentials } => new
            .of("lambdaFunctionScheduledEventDetails")
            .text("resource", resource)
            .input(input)
            .optional_number("timeoutInSeconds", *timeout)
            .credentials(credentials.as_ref()),
        Details::LambdaFunctionSucceeded { output } => {
            new.of("lambdaFunctionSucceededEventDetails").output(output)
        }
        Details::LambdaFunctionFailed(failure) => {
            new.of("lambdaFunctionFailedEventDetails").failure(failure)
        }
        Details::LambdaFunctionScheduleFailed(failure) => {
            new.of("lambdaFunctionScheduleFailedEventDetails").failure(failure)
        }
        Details::LambdaFunctionStartFailed(failure) => {
            new.of("lambdaFunctionStartFailedEventDetails").failure(failure)
        }
        Details::LambdaFunctionTimedOut(failure) => {
            new.of("lambdaFunctionTimedOutEventDetails").failure(failure)
        }
        other => activity_and_map_details(other, new),
    }
}

fn activity_and_map_details<'a>(details: &Details, new: Fields<'a>) -> Fields<'a> {
    match details {
        Details::ActivityScheduled { resource, input, timeout, heartbeat } => new
            .of("activityScheduledEventDetails")
            .text("resource", resource)
            .input(input)
            .optional_number("timeoutInSeconds", *timeout)
            .optional_number("heartbeatInSeconds", *heartbeat),
        Details::ActivityStarted { worker } => {
            new.of("activityStartedEventDetails").optional_text("workerName", worker.as_ref())
        }
        Details::ActivitySucceeded { output } => {
            new.of("activitySucceededEventDetails").output(output)
        }
        Details::ActivityFailed(failure) => new.of("activityFailedEventDetails").failure(failure),
        Details::ActivityScheduleFailed(failure) => {
            new.of("activityScheduleFailedEventDetails").failure(failure)
        }
        Details::ActivityTimedOut(failure) => {
            new.of("activityTimedOutEventDetails").failure(failure)
        }
        Details::MapStateStarted { length } => {
            new.of("mapStateStartedEventDetails").number("length", *length)
        }
        Details::MapIterationStarted { name, index } => {
            new.of("mapIterationStartedEventDetails").text("name", name).number("index", *index)
        }
        Details::MapIterationSucceeded { name, index } => {
            new.of("mapIterationSucceededEventDetails").text("name", name).number("index", *index)
        }
        Details::MapIterationFailed { name, index } => {
            new.of("mapIterationFailedEventDetails").text("name", name).number("index", *index)
        }
        Details::MapIterationAborted { name, index } => {
            new.of("mapIterationAbortedEventDetails").text("name", name).number("index", *index)
        }
        Details::MapRunStarted { map_run_arn } => {
            new.of("mapRunStartedEventDetails").text("mapRunArn", map_run_arn)
        }
        Details::MapRunFailed(failure) => new.of("mapRunFailedEventDetails").failure(failure),
        Details::MapRunRedriven { map_run_arn, redrive_count } => new
            .of("mapRunRedrivenEventDetails")
            .text("mapRunArn", map_run_arn)
            .number("redriveCount", *redrive_count),
        _ => new,
    }
}
