//! What an execution asks of the world.

use std::sync::Arc;

use crate::history::Event;
use crate::payload::Payload;
use crate::program::{ScopeId, StateId};
use crate::resource::Resource;
use crate::stimulus::{TaskId, TimerId};
use crate::value::Value;

/// What an execution asks of the world. Effects are to be carried out in their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The next event of the history.
    History(Event),
    /// A task is to be scheduled.
    StartTask(Box<TaskRequest>),
    /// A task is not needed any more; what it answers later has no effect.
    CancelTask {
        /// The task.
        task: TaskId,
    },
    /// `TimerFired` is to come at a time.
    ArmTimer {
        /// The timer.
        timer: TimerId,
        /// When, in milliseconds since the epoch. May be in the past.
        at_ms: u64,
        /// Whether the definition names this time, and not a time from now.
        is_fixed: bool,
    },
    /// A timer is not needed any more.
    CancelTimer {
        /// The timer.
        timer: TimerId,
    },
    /// A distributed Map state is to run its items as child executions.
    StartMapRun(Box<MapRunRequest>),
    /// A map run is to end, and its child executions with it.
    CancelMapRun {
        /// The task of the map run.
        task: TaskId,
    },
    /// The execution has ended. Always the last effect.
    Finish(Outcome),
}

/// A task that is to be scheduled.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRequest {
    /// The task; the answers name it.
    pub task: TaskId,
    /// The name of the state.
    pub state: Arc<str>,
    /// What is to be called.
    pub resource: Resource,
    /// The parameters of the call.
    pub input: Payload,
    /// The token that `$$.Task.Token` named, for `.waitForTaskToken`.
    pub token: Option<String>,
    /// The role of another account to call as.
    pub credentials: Option<Value>,
    /// Seconds until the execution times the task out itself.
    pub timeout_seconds: Option<u64>,
    /// Seconds between two heartbeats, likewise.
    pub heartbeat_seconds: Option<u64>,
    /// 0 for the first attempt.
    pub attempt: u32,
}

/// A distributed map that is to run.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRunRequest {
    /// The task of the map run; the answers name it.
    pub task: TaskId,
    /// The name of the Map state.
    pub state: Arc<str>,
    /// The label of the Map state in the names of child executions.
    pub label: Arc<str>,
    /// The ARN of the map run, as its `MapRunStarted` event names it.
    pub map_run_arn: Arc<str>,
    /// How often it was redriven. Its children that did not end well are to go on, and those that
    /// did are not to run again.
    pub redrives: u64,
    /// The states that a child execution runs: give it to [`crate::Execution::child`].
    pub processor: ScopeId,
    /// Whether child executions are express.
    pub express: bool,
    /// The items.
    pub items: MapItems,
    /// What `ItemSelector` needs beside the item, for [`crate::Program::select_item`].
    pub selection: Option<ItemSelection>,
    /// The input of the Map state.
    pub input: Payload,
    /// Child executions at a time; 0 is without a bound.
    pub max_concurrency: u64,
    /// Failed items that do not fail the run.
    pub tolerated_failure_count: u64,
    /// Failed items that do not fail the run, in percent of all.
    pub tolerated_failure_percentage: f64,
    /// How items are put together for one child execution.
    pub batch: Option<ItemBatch>,
    /// Where the results go: `Resource`, `Parameters` or `Arguments`, `WriterConfig`.
    pub writer: Option<Value>,
}

/// What an `ItemSelector` sees beside the item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemSelection {
    /// The Map state.
    pub state: StateId,
    /// Its effective input.
    pub input: Value,
    /// Its context object.
    pub context: Value,
    /// The variables that it sees.
    pub variables: Value,
}

/// Where the items of a distributed map come from.
#[derive(Clone, Debug, PartialEq)]
pub enum MapItems {
    /// From the input of the state: an array or an object.
    Given(Value),
    /// From a reader: `Resource`, `Parameters` or `Arguments` and `ReaderConfig`, evaluated.
    Reader(Value),
}

/// How items are put together.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemBatch {
    /// Items of a batch at most; 0 is without a bound.
    pub max_items: u64,
    /// Bytes of the input of a child execution at most; 0 is without a bound.
    pub max_bytes: u64,
    /// What each child execution gets beside its items.
    pub input: Option<Value>,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It reached an end.
    Succeeded {
        /// The output.
        output: Payload,
    },
    /// A state failed.
    Failed {
        /// The name of the error.
        error: Option<String>,
        /// What happened.
        cause: Option<String>,
    },
    /// It took longer than `TimeoutSeconds` of the definition.
    TimedOut,
    /// It was stopped.
    Aborted {
        /// The error that the caller named.
        error: Option<String>,
        /// The cause that the caller named.
        cause: Option<String>,
    },
}

impl Outcome {
    /// The status as `DescribeExecution` names it.
    pub fn status(&self) -> &'static str {
        match self {
            Outcome::Succeeded { .. } => "SUCCEEDED",
            Outcome::Failed { .. } => "FAILED",
            Outcome::TimedOut => "TIMED_OUT",
            Outcome::Aborted { .. } => "ABORTED",
        }
    }
}
