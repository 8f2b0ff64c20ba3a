//! One execution of a program: where it stands, and the step from one stimulus to the next.

mod branch;
mod change;
mod children;
mod codec;
mod context;
mod exit;
mod fail;
mod map_run;
mod mocked;
pub(crate) mod probe;
mod run;
mod step;
mod tasks;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use branch::{Branch, BranchId, Branches, Phase};
pub use codec::MalformedExecution;

use crate::effect::Effect;
use crate::entropy::Entropy;
use crate::payload::Payload;
use crate::program::{Program, ScopeId, StateId};
use crate::stimulus::{Stimulus, TimerId};

/// Who an execution is: what its context object and its history say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The ARN of the execution.
    pub execution_arn: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The ARN of the role.
    pub role_arn: Arc<str>,
    /// The ARN of the state machine.
    pub machine_arn: Arc<str>,
    /// Its name.
    pub machine_name: Arc<str>,
    /// The ARN of the version that was started, if one was.
    pub version_arn: Option<Arc<str>>,
    /// The ARN of the alias that was started, if one was.
    pub alias_arn: Option<Arc<str>>,
    /// The region, for the events of service integrations.
    pub region: Arc<str>,
    /// Whether the execution is express: without a limit on its history.
    pub express: bool,
    /// Whether it is the test of a state, which has no count of redrives.
    pub is_test: bool,
}

/// How an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has not got its input yet.
    New,
    /// It runs.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// It was stopped.
    Aborted,
}

/// One execution of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    identity: Identity,
    scope: ScopeId,
    status: Status,
    input: Payload,
    started_ms: u64,
    redrives: u64,
    redriven_ms: u64,
    next_event: u64,
    next_id: u64,
    time_out: Option<TimerId>,
    branches: Branches,
    /// The state to start at, in a test of one state.
    first: Option<StateId>,
}

impl Execution {
    /// An execution of the machine; it waits for [`Stimulus::Start`].
    pub fn new(program: &Program, identity: Identity) -> Execution {
        Execution::child(program, program.root(), identity)
    }

    /// A child execution, of the states that a distributed Map state runs for each item.
    pub fn child(_program: &Program, scope: ScopeId, identity: Identity) -> Execution {
        Execution {
            identity,
            scope,
            status: Status::New,
            input: Payload::trusted("{}"),
            started_ms: 0,
            redrives: 0,
            redriven_ms: 0,
            next_event: 1,
            next_id: 1,
            time_out: None,
            branches: Branches::default(),
            first: None,
        }
    }

    /// An execution that starts at a state.
    pub(crate) fn at(program: &Program, state: StateId, identity: Identity) -> Execution {
        Execution { first: Some(state), ..Execution::new(program, identity) }
    }

    /// The state that is to be entered next.
    pub(crate) fn next_state(&self, program: &Program) -> Option<Arc<str>> {
        let (_, branch) = self.branches.iter().find(|(_, branch)| branch.parent.is_none())?;
        Some(Arc::clone(&program.state(branch.state).name))
    }

    /// A step in a test of one state.
    pub(crate) fn step_probed(
        &mut self,
        program: &Program,
        stimulus: Stimulus,
        now_ms: u64,
        entropy: &mut dyn Entropy,
        probe: probe::Probe,
    ) -> (Vec<Effect>, probe::Probe) {
        step::Step::new(self, program, now_ms, entropy).take_probed(stimulus, probe)
    }

    /// Who the execution is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How the execution stands.
    pub fn status(&self) -> Status {
        self.status
    }

    /// How often the execution was redriven.
    pub fn redrives(&self) -> u64 {
        self.redrives
    }

    /// Events of the history so far.
    pub fn events(&self) -> u64 {
        self.next_event - 1
    }

    /// What follows from a stimulus at a time. The program has to be that of the execution.
    pub fn step(
        &mut self,
        program: &Program,
        stimulus: Stimulus,
        now_ms: u64,
        entropy: &mut dyn Entropy,
    ) -> Vec<Effect> {
        step::Step::new(self, program, now_ms, entropy).take(stimulus)
    }
}
