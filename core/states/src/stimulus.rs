//! What happens to an execution from outside.

use crate::payload::Payload;

/// A task of an execution: unique within the execution, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// A timer of an execution: unique within the execution, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

/// Where on its way a task failed; it decides the type of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedAt {
    /// The task was not taken over: `LambdaFunctionScheduleFailed`, `ActivityScheduleFailed`.
    Schedule,
    /// The task was not started: `TaskStartFailed`, `LambdaFunctionStartFailed`.
    Start,
    /// The job was not submitted: `TaskSubmitFailed`.
    Submit,
    /// The task ran: `TaskFailed`, `LambdaFunctionFailed`, `ActivityFailed`.
    Run,
}

/// What happens to an execution.
///
/// A stimulus that names a task or a timer that has ended has no effects: the answer of a task that
/// timed out may come late.
#[derive(Clone, Debug)]
pub enum Stimulus {
    /// The execution starts. The first stimulus, given once.
    Start {
        /// The input.
        input: Payload,
    },
    /// A task was taken over: by the service, or by a worker of an activity.
    TaskStarted {
        /// The task.
        task: TaskId,
        /// The name of the worker of an activity.
        worker: Option<String>,
    },
    /// A job (`.sync`) or a message (`.waitForTaskToken`) was submitted; the result comes later.
    TaskSubmitted {
        /// The task.
        task: TaskId,
        /// What the service answered.
        output: Payload,
    },
    /// A task ended well.
    TaskSucceeded {
        /// The task.
        task: TaskId,
        /// Its result.
        output: Payload,
    },
    /// A task failed.
    TaskFailed {
        /// The task.
        task: TaskId,
        /// Where on its way.
        at: FailedAt,
        /// The name of the error: `States.TaskFailed`, `Lambda.TooManyRequestsException`.
        error: Option<String>,
        /// What happened.
        cause: Option<String>,
    },
    /// A worker reported that it is still at work.
    TaskHeartbeat {
        /// The task.
        task: TaskId,
    },
    /// The time of a timer came.
    TimerFired {
        /// The timer.
        timer: TimerId,
    },
    /// A map run ended well.
    MapRunSucceeded {
        /// The task of the map run.
        task: TaskId,
        /// The array of the results, or what the result writer answered.
        output: Payload,
    },
    /// A map run failed.
    MapRunFailed {
        /// The task of the map run.
        task: TaskId,
        /// The name of the error: `States.ExceedToleratedFailureThreshold`.
        error: String,
        /// What happened.
        cause: Option<String>,
    },
    /// The execution is to end now: `StopExecution`.
    Stop {
        /// The error that the caller named.
        error: Option<String>,
        /// The cause that the caller named.
        cause: Option<String>,
    },
    /// The execution failed, was stopped or timed out, and is to go on at what failed.
    Redrive,
}
