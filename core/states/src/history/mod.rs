//! The events of a history, as `GetExecutionHistory` answers them.

mod render;

use std::sync::Arc;

use crate::payload::Payload;

/// The type of a state, in the names of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateType {
    /// Choice.
    Choice,
    /// Fail.
    Fail,
    /// Map.
    Map,
    /// Parallel.
    Parallel,
    /// Pass.
    Pass,
    /// Succeed.
    Succeed,
    /// Task.
    Task,
    /// Wait.
    Wait,
}

impl StateType {
    /// The value of the field `Type`.
    pub fn as_str(self) -> &'static str {
        match self {
            StateType::Choice => "Choice",
            StateType::Fail => "Fail",
            StateType::Map => "Map",
            StateType::Parallel => "Parallel",
            StateType::Pass => "Pass",
            StateType::Succeed => "Succeed",
            StateType::Task => "Task",
            StateType::Wait => "Wait",
        }
    }
}

/// An event of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number: 1 is the first.
    pub id: u64,
    /// The number of the event that led to it; 0 is none.
    pub previous_id: u64,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What happened.
    pub details: Details,
}

/// The error of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The name of the error.
    pub error: Option<Arc<str>>,
    /// What happened.
    pub cause: Option<Arc<str>>,
}

/// The resource of a service integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCall {
    /// The call with its suffix: `sendMessage.waitForTaskToken`.
    pub resource: Arc<str>,
    /// The service: `sqs`.
    pub resource_type: Arc<str>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are those of AWS's events and of their fields")]
pub enum Details {
    ExecutionStarted {
        input: Payload,
        role_arn: Arc<str>,
        version_arn: Option<Arc<str>>,
        alias_arn: Option<Arc<str>>,
    },
    ExecutionSucceeded {
        output: Payload,
    },
    ExecutionFailed(Failure),
    ExecutionAborted(Failure),
    ExecutionTimedOut(Failure),
    ExecutionRedriven {
        redrive_count: u64,
    },
    StateEntered {
        kind: StateType,
        name: Arc<str>,
        input: Payload,
    },
    StateExited {
        kind: StateType,
        name: Arc<str>,
        output: Payload,
        assigned: Vec<(Arc<str>, Payload)>,
    },
    /// `MapStateAborted`, `ParallelStateAborted`, `TaskStateAborted`, `WaitStateAborted`.
    StateAborted {
        kind: StateType,
    },
    EvaluationFailed {
        failure: Failure,
        location: Option<Arc<str>>,
        state: Arc<str>,
    },
    TaskScheduled {
        call: ServiceCall,
        region: Arc<str>,
        parameters: Payload,
        timeout: Option<u64>,
        heartbeat: Option<u64>,
        credentials: Option<Payload>,
    },
    TaskStarted(ServiceCall),
    TaskSubmitted {
        call: ServiceCall,
        output: Payload,
    },
    TaskSucceeded {
        call: ServiceCall,
        output: Payload,
    },
    TaskFailed {
        call: ServiceCall,
        failure: Failure,
    },
    TaskStartFailed {
        call: ServiceCall,
        failure: Failure,
    },
    TaskSubmitFailed {
        call: ServiceCall,
        failure: Failure,
    },
    TaskTimedOut {
        call: ServiceCall,
        failure: Failure,
    },
    LambdaFunctionScheduled {
        resource: Arc<str>,
        input: Payload,
        timeout: Option<u64>,
        credentials: Option<Payload>,
    },
    LambdaFunctionStarted,
    LambdaFunctionSucceeded {
        output: Payload,
    },
    LambdaFunctionFailed(Failure),
    LambdaFunctionScheduleFailed(Failure),
    LambdaFunctionStartFailed(Failure),
    LambdaFunctionTimedOut(Failure),
    ActivityScheduled {
        resource: Arc<str>,
        input: Payload,
        timeout: Option<u64>,
        heartbeat: Option<u64>,
    },
    ActivityStarted {
        worker: Option<Arc<str>>,
    },
    ActivitySucceeded {
        output: Payload,
    },
    ActivityFailed(Failure),
    ActivityScheduleFailed(Failure),
    ActivityTimedOut(Failure),
    MapStateStarted {
        length: u64,
    },
    MapStateSucceeded,
    MapStateFailed,
    MapIterationStarted {
        name: Arc<str>,
        index: u64,
    },
    MapIterationSucceeded {
        name: Arc<str>,
        index: u64,
    },
    MapIterationFailed {
        name: Arc<str>,
        index: u64,
    },
    MapIterationAborted {
        name: Arc<str>,
        index: u64,
    },
    MapRunStarted {
        map_run_arn: Arc<str>,
    },
    MapRunSucceeded,
    MapRunFailed(Failure),
    MapRunAborted,
    MapRunRedriven {
        map_run_arn: Arc<str>,
        redrive_count: u64,
    },
    ParallelStateStarted,
    ParallelStateSucceeded,
    ParallelStateFailed,
}
