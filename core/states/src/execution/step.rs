//! One step: a stimulus is taken, and the branches that it frees run until each of them waits.

use std::collections::VecDeque;
use std::sync::Arc;

use super::probe::Probe;
use super::{Branch, BranchId, Execution, Phase, Status};
use crate::effect::{Effect, Outcome};
use crate::entropy::Entropy;
use crate::evaluate::Env;
use crate::history::{Details, Event, Failure};
use crate::payload::Payload;
use crate::problem::Problem;
use crate::program::{Program, State};
use crate::stimulus::{Stimulus, TaskId, TimerId};
use crate::value::Value;

/// A step that is being made.
pub(super) struct Step<'a> {
    pub execution: &'a mut Execution,
    pub program: &'a Program,
    pub now_ms: u64,
    pub entropy: &'a mut dyn Entropy,
    pub effects: Vec<Effect>,
    /// Branches that can go on.
    pub ready: VecDeque<BranchId>,
    /// What a test of one state sees and says.
    pub probe: Option<Probe>,
}

impl<'a> Step<'a> {
    pub fn new(
        execution: &'a mut Execution,
        program: &'a Program,
        now_ms: u64,
        entropy: &'a mut dyn Entropy,
    ) -> Step<'a> {
        let (effects, ready) = (Vec::new(), VecDeque::new());
        Step { execution, program, now_ms, entropy, effects, ready, probe: None }
    }

    /// Takes a stimulus and returns the effects.
    pub fn take(mut self, stimulus: Stimulus) -> Vec<Effect> {
        self.taken(stimulus);
        self.effects
    }

    fn taken(&mut self, stimulus: Stimulus) {
        match (self.execution.status, stimulus) {
            (Status::New, Stimulus::Start { input }) => self.start(input),
            (Status::Running, stimulus) => self.stimulate(stimulus),
            (Status::Failed | Status::TimedOut | Status::Aborted, Stimulus::Redrive) => {
                self.redrive()
            }
            _ => {}
        }
        self.run();
    }

    /// Takes a stimulus in a test of one state.
    pub fn take_probed(mut self, stimulus: Stimulus, probe: Probe) -> (Vec<Effect>, Probe) {
        self.probe = Some(probe);
        self.taken(stimulus);
        (self.effects, self.probe.unwrap_or_default())
    }

    fn stimulate(&mut self, stimulus: Stimulus) {
        match stimulus {
            Stimulus::Start { .. } | Stimulus::Redrive => {}
            Stimulus::TimerFired { timer } => self.timer_fired(timer),
            Stimulus::Stop { error, cause } => self.stop(error, cause),
            Stimulus::TaskStarted { task, worker } => self.task_started(task, worker),
            Stimulus::TaskSubmitted { task, output } => self.task_submitted(task, &output),
            Stimulus::TaskSucceeded { task, output } => self.task_succeeded(task, &output),
            Stimulus::TaskFailed { task, at, error, cause } => {
                self.task_failed(task, at, error, cause);
            }
            Stimulus::TaskHeartbeat { task } => self.task_heartbeat(task),
            Stimulus::MapRunSucceeded { task, output } => self.map_run_succeeded(task, &output),
            Stimulus::MapRunFailed { task, error, cause } => {
                self.map_run_failed(task, &error, cause);
            }
        }
    }

    fn start(&mut self, input: Payload) {
        let execution = &mut *self.execution;
        execution.status = Status::Running;
        execution.started_ms = self.now_ms;
        execution.input = input.clone();
        let details = Details::ExecutionStarted {
            input: input.clone(),
            role_arn: Arc::clone(&execution.identity.role_arn),
            version_arn: execution.identity.version_arn.clone(),
            alias_arn: execution.identity.alias_arn.clone(),
        };
        self.event(0, details);
        self.arm_time_out();
        let start = self.program.scope(self.execution.scope).start;
        let start = self.execution.first.unwrap_or(start);
        let probe = self.probe.as_mut();
        let variables = probe.map(|probe| std::mem::take(&mut probe.variables));
        // The states see the document, not the text that the caller wrote it in.
        let input = Payload::from(input.value().clone());
        let id = self.execution.branches.add(Branch {
            parent: None,
            index: 0,
            state: start,
            input,
            previous: 0,
            entered: 0,
            entered_previous: 0,
            entered_ms: 0,
            retries: Vec::new(),
            retry_count: 0,
            variables: variables.unwrap_or_default(),
            phase: Phase::Enter,
        });
        self.ready.push_back(id);
    }

    pub fn arm_time_out(&mut self) {
        // The time-out of the machine does not bind the child executions of its maps.
        if self.execution.scope != self.program.root() {
            return;
        }
        if let Some(seconds) = self.program.timeout_seconds {
            let timer = self.arm(seconds.saturating_mul(1_000));
            self.execution.time_out = Some(timer);
        }
    }

    /// Runs the branches that can go on.
    fn run(&mut self) {
        let mut transitions = 0;
        while let Some(id) = self.ready.pop_front() {
            if self.execution.status != Status::Running {
                return;
            }
            transitions += 1;
            if transitions > self.program.limits.step_transitions {
                let timer = self.arm(0);
                self.phase(id, Phase::Paused { timer });
                continue;
            }
            self.advance(id);
        }
    }

    fn timer_fired(&mut self, timer: TimerId) {
        if self.execution.time_out == Some(timer) {
            self.execution.time_out = None;
            self.time_out();
            return;
        }
        let found = self.execution.branches.find(|phase| match phase {
            Phase::Waiting { timer: own }
            | Phase::Retrying { timer: own }
            | Phase::Paused { timer: own } => *own == timer,
            Phase::Task(task) => task.time_out == Some(timer) || task.heartbeat == Some(timer),
            _ => false,
        });
        let Some(id) = found else { return };
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        match &branch.phase {
            Phase::Waiting { .. } => self.waited(id),
            Phase::Retrying { .. } => {
                branch.phase = Phase::Work;
                self.ready.push_back(id);
            }
            Phase::Paused { .. } => {
                branch.phase = Phase::Enter;
                self.ready.push_back(id);
            }
            Phase::Task(_) => self.task_timed_out(id, timer),
            _ => {}
        }
    }

    /// Writes an event, and returns its number.
    pub fn event(&mut self, previous_id: u64, details: Details) -> u64 {
        let id = self.execution.next_event;
        self.execution.next_event += 1;
        let at_ms = self.now_ms;
        self.effects.push(Effect::History(Event { id, previous_id, at_ms, details }));
        id
    }

    /// Writes the next event of a branch.
    pub fn branch_event(&mut self, id: BranchId, details: Details) {
        let previous = self.execution.branches.get(id).map_or(0, |branch| branch.previous);
        let event = self.event(previous, details);
        if let Some(branch) = self.execution.branches.get_mut(id) {
            branch.previous = event;
        }
    }

    /// Whether the history has space for the events of another state, and the end.
    pub fn history_is_full(&self) -> bool {
        let limit = self.program.limits.history_events;
        !self.execution.identity.express && self.execution.next_event + 2 > limit
    }

    pub fn arm(&mut self, delay_ms: u64) -> TimerId {
        self.arm_at(self.now_ms.saturating_add(delay_ms), false)
    }

    pub fn arm_at(&mut self, at_ms: u64, is_fixed: bool) -> TimerId {
        let timer = TimerId(self.next_id());
        self.effects.push(Effect::ArmTimer { timer, at_ms, is_fixed });
        timer
    }

    pub fn cancel(&mut self, timer: Option<TimerId>) {
        if let Some(timer) = timer {
            self.effects.push(Effect::CancelTimer { timer });
        }
    }

    pub fn next_task(&mut self) -> TaskId {
        TaskId(self.next_id())
    }

    fn next_id(&mut self) -> u64 {
        let id = self.execution.next_id;
        self.execution.next_id += 1;
        id
    }

    pub fn phase(&mut self, id: BranchId, phase: Phase) {
        if let Some(branch) = self.execution.branches.get_mut(id) {
            branch.phase = phase;
        }
    }

    /// The state at which a branch is.
    pub fn state(&self, id: BranchId) -> Option<&'a State> {
        let program: &'a Program = self.program;
        Some(program.state(self.execution.branches.get(id)?.state))
    }

    /// Evaluates something of the state at which a branch is.
    pub fn evaluate<T>(
        &mut self,
        id: BranchId,
        see: See<'_>,
        evaluate: impl FnOnce(&mut Env<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (execution, program) = (&*self.execution, self.program);
        let given = self.probe.as_ref().and_then(|probe| probe.context.clone());
        evaluate(&mut Env {
            input: see.input,
            result: see.result,
            error_output: see.error_output,
            context: &|| match &given {
                Some(given) => given.clone(),
                None => execution.context(program, id, see.token),
            },
            variable: &|name| execution.variable(id, name),
            entropy: &mut *self.entropy,
            limits: &program.limits,
            now_ms: self.now_ms,
        })
    }

    /// Ends the execution.
    pub fn finish(&mut self, status: Status, previous: u64, outcome: Outcome) {
        let failure = |error: &Option<String>, cause: &Option<String>| Failure {
            error: error.as_deref().map(Arc::from),
            cause: cause.as_deref().map(Arc::from),
        };
        let details = match &outcome {
            Outcome::Succeeded { output } => Details::ExecutionSucceeded { output: output.clone() },
            Outcome::Failed { error, cause } => Details::ExecutionFailed(failure(error, cause)),
            Outcome::Aborted { error, cause } => Details::ExecutionAborted(failure(error, cause)),
            Outcome::TimedOut => Details::ExecutionTimedOut(Failure {
                error: Some(Arc::from("States.Timeout")),
                cause: None,
            }),
        };
        self.event(previous, details);
        let timer = self.execution.time_out.take();
        self.cancel(timer);
        self.execution.status = status;
        self.ready.clear();
        if status == Status::Succeeded {
            self.execution.branches = super::Branches::default();
        }
        self.effects.push(Effect::Finish(outcome));
    }
}

/// What an expression sees beside variables and the context object.
#[derive(Clone, Copy)]
pub(super) struct See<'a> {
    pub input: &'a Value,
    pub result: Option<&'a Value>,
    pub error_output: Option<&'a Value>,
    pub token: Option<&'a str>,
}

impl<'a> See<'a> {
    pub fn input(input: &'a Value) -> See<'a> {
        See { input, result: None, error_output: None, token: None }
    }
}
