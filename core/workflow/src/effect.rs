//! What executions ask of each other, and what a step comes to.

use crate::event::Event;
use crate::execution::{ExecutionId, Parent};
use crate::registry::ChildPolicy;
use crate::start::Started;

/// The execution that a signal or a cancellation comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The execution.
    pub execution: ExecutionId,
    /// The event of its history; 0 where it has none.
    pub initiated: u64,
}

/// What a decider asks of another execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// The event that asked for it.
    pub initiated: u64,
    /// The decision task that it was decided in.
    pub decision: u64,
    /// The workflow id of the other execution.
    pub workflow_id: String,
    /// Its run, if that is given.
    pub run_id: Option<String>,
    /// What the decider wants to be told with it.
    pub control: Option<String>,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildEnd {
    /// It completed, with a result.
    Completed(Option<String>),
    /// It failed: reason, details.
    Failed(Option<String>, Option<String>),
    /// It was canceled: details.
    Canceled(Option<String>),
    /// It took too long.
    TimedOut,
    /// It was terminated.
    Terminated,
}

/// What a step asks of other executions.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A child is to start. The answer is [`crate::Command::ChildStarted`], or that it did not.
    StartChild {
        /// The event that asked for it.
        initiated: u64,
        /// The child.
        child: Box<Started>,
        /// What the decider wants to be told if it does not start.
        control: Option<String>,
    },
    /// Another run goes on with this execution.
    ContinueAsNew {
        /// The id of the run.
        run_id: String,
        /// The run.
        next: Box<Started>,
    },
    /// Another execution is to be signaled.
    Signal {
        /// Who asks, and whom.
        external: External,
        /// The signal.
        name: String,
        /// Its input.
        input: Option<String>,
    },
    /// Another execution is to be asked to cancel.
    RequestCancel {
        /// Who asks, and whom.
        external: External,
    },
    /// The children of this execution are to be treated so.
    ApplyChildPolicy {
        /// How.
        policy: ChildPolicy,
        /// The workflow ids of the children, and the events that asked for them.
        children: Vec<(String, u64)>,
    },
    /// The parent is to be told of the end.
    TellParent {
        /// The parent.
        parent: Parent,
        /// What happened.
        end: ChildEnd,
    },
}

/// What a step came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What is added to the history.
    pub events: Vec<Event>,
    /// What other executions are asked for, in order.
    pub effects: Vec<Effect>,
}
