//! The branches of an execution: one for the machine, and one for each branch of a Parallel state
//! and each item of a Map state that runs.

use std::sync::Arc;

use crate::payload::Payload;
use crate::program::StateId;
use crate::stimulus::{TaskId, TimerId};
use crate::value::Value;

/// The number of a branch. Numbers of ended branches are used again.
pub(super) type BranchId = u32;

/// Where one branch stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Branch {
    /// The branch whose Parallel or Map state this one belongs to.
    pub parent: Option<BranchId>,
    /// Which of the branches, or which item.
    pub index: u64,
    pub state: StateId,
    /// The input of the state.
    pub input: Payload,
    /// The last event of the branch.
    pub previous: u64,
    /// The event with which the state was entered, the event before it, and its time.
    pub entered: u64,
    pub entered_previous: u64,
    pub entered_ms: u64,
    /// How often each retrier of the state retried.
    pub retries: Vec<u32>,
    pub retry_count: u32,
    pub variables: Vec<(Arc<str>, Value)>,
    pub phase: Phase,
}

/// What a branch is at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// The state is to be entered.
    Enter,
    /// The state was entered; its work is to be done, for the first time or again.
    Work,
    /// A Wait state waits.
    Waiting { timer: TimerId },
    /// A failed state waits to be tried again.
    Retrying { timer: TimerId },
    /// The step made too many transitions; the next one goes on.
    Paused { timer: TimerId },
    /// A task runs.
    Task(TaskPhase),
    /// Branches run.
    Children(Children),
    /// A map run runs.
    MapRun { task: TaskId, run: MapRunPhase },
    /// A map run failed or was aborted, and so did the execution. A redrive has it go on.
    MapRunEnded(MapRunPhase),
    /// The state failed, or was aborted, and so did the execution. A redrive starts it again.
    Failed,
}

/// A map run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MapRunPhase {
    pub arn: Arc<str>,
    /// How often it was redriven.
    pub redrives: u64,
}

/// A task that runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TaskPhase {
    pub task: TaskId,
    pub started: bool,
    pub time_out: Option<TimerId>,
    pub heartbeat: Option<TimerId>,
    pub heartbeat_seconds: u64,
}

/// Branches of a Parallel or Map state that run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Children {
    /// The results so far; a branch that has not ended has none.
    pub results: Vec<Option<Value>>,
    /// Those that run.
    pub running: Vec<BranchId>,
    /// The items of a Map state; null for a Parallel state.
    pub items: Value,
    /// The next item.
    pub next: u64,
    pub done: u64,
}

/// All branches.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Branches {
    pub slots: Vec<Option<Box<Branch>>>,
}

impl Branches {
    pub fn add(&mut self, branch: Branch) -> BranchId {
        let free = self.slots.iter().position(Option::is_none);
        let at = free.unwrap_or(self.slots.len());
        let branch = Some(Box::new(branch));
        if at == self.slots.len() {
            self.slots.push(branch);
        } else {
            self.slots[at] = branch;
        }
        at as BranchId
    }

    pub fn remove(&mut self, id: BranchId) {
        if let Some(slot) = self.slots.get_mut(id as usize) {
            *slot = None;
        }
    }

    pub fn get(&self, id: BranchId) -> Option<&Branch> {
        self.slots.get(id as usize)?.as_deref()
    }

    pub fn get_mut(&mut self, id: BranchId) -> Option<&mut Branch> {
        self.slots.get_mut(id as usize)?.as_deref_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = (BranchId, &Branch)> {
        let branches = self.slots.iter().enumerate();
        branches.filter_map(|(id, slot)| Some((id as BranchId, slot.as_deref()?)))
    }

    /// The branch whose phase fits.
    pub fn find(&self, fits: impl Fn(&Phase) -> bool) -> Option<BranchId> {
        self.iter().find(|(_, branch)| fits(&branch.phase)).map(|(id, _)| id)
    }
}
