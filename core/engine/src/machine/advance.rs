//! How a stimulus advances an execution: decide, then append and apply in one step of the journal.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use trunkline_host::{Also, Append, Host, Log, Logs, TimerKey};
use trunkline_journal::Ticket;
use trunkline_states as asl;
use trunkline_states::{Effect, Event, FailedAt, Resource, Stimulus, TaskId};
use trunkline_types::sync::{MutexGuard, lock};
use trunkline_types::{Code, Durability, Error, Millis, ResourceId, Result};

use super::chance::Chance;
use super::delivery::{ACTIVITY_PREFIX, MachineDelivery, TASKS, TaskDelivery};
use super::execution::{Row, Status, Timer};
use super::history;
use super::kept::{Execution, Kept, Written};
use super::task::{self, Context};
use super::{Machine, no_such_execution};

/// How long a step waits that a full disk refused.
const RETRY: Millis = 1_000;
/// More bytes than a record has beside what is counted.
const HEAD_BYTES: usize = 64;

/// What a step came to.
pub(super) struct Advanced {
    pub ticket: Option<Ticket>,
    pub has_ended: bool,
}

/// What the effects of a step add up to.
struct Draft {
    row: Row,
    events: Vec<Event>,
    tasks: Vec<TaskDelivery>,
}

/// What a step decides before anything is appended.
struct Decided {
    row: Row,
    state: asl::Execution,
    form: Written,
    events: Vec<Event>,
    tasks: Vec<TaskDelivery>,
}

impl Machine {
    /// Advances an execution by some stimuli, each with its time, in one step. An error means that
    /// nothing was done.
    pub(super) fn advance(
        &self,
        execution: &Execution,
        kept: &mut MutexGuard<'_, Kept>,
        stimuli: Vec<(Millis, Stimulus)>,
        now: Millis,
    ) -> Result<Advanced> {
        if kept.is_gone {
            return Err(no_such_execution(&kept.row.name));
        }
        self.host.refuse_if_scarce()?;
        let delivery = self.shared.delivery.get()?;
        let decided = self.decide(execution, kept, stimuli, now, &*delivery)?;
        let logs = self.logs()?;
        let log = logs.get_or_create(lock(&self.table).log);
        let has_ended = !decided.row.status.is_running() && kept.row.status.is_running();
        let step = Step {
            machine: self.id,
            number: execution.number,
            entry: history::encode(execution.number, kept.row.newest, &decided.events),
            has_events: !decided.events.is_empty(),
            form: decided.form,
            applied: RefCell::new(Some((decided.row, decided.state, kept))),
            failure: RefCell::new(None),
            log: &log,
            now,
        };
        let ticket = delivery.deliver(&decided.tasks, &step, now)?;
        if let Some(error) = step.failure.into_inner() {
            return Err(error);
        }
        logs.on_append(&log);
        kept.is_restored = false;
        self.arm(execution, kept);
        Ok(Advanced { ticket, has_ended })
    }

    /// Has the host's timers call when the earliest timer of the execution is due.
    pub(super) fn arm(&self, execution: &Execution, kept: &mut Kept) {
        let due = kept.due(&self.host);
        if let Some(at) = due.filter(|_| due != kept.armed) {
            self.host.arm(TimerKey { owner: self.id, slot: execution.number }, at);
        }
        kept.armed = due;
    }

    fn decide(
        &self,
        execution: &Execution,
        kept: &Kept,
        stimuli: Vec<(Millis, Stimulus)>,
        now: Millis,
        delivery: &dyn MachineDelivery,
    ) -> Result<Decided> {
        let program = execution.program.program.as_ref().map_err(Error::clone)?;
        let before = &kept.row;
        let mut state = kept.execution(&execution.program)?;
        let stood = kept.is_large().then(|| state.clone());
        let mut chance = Chance::new(self.host.key, self.id, execution.number, before);
        let mut decided = Draft { row: kept.head(), events: Vec::new(), tasks: Vec::new() };
        decided.row.step(now, kept.lag(&self.host));
        let mut left = VecDeque::from(stimuli);
        while let Some((at, stimulus)) = left.pop_front() {
            decided.row.meet(&stimulus, at);
            for effect in state.step(program, stimulus, at, &mut chance) {
                if let Some(follows) =
                    self.carry_out(effect, &mut decided, now, &chance, delivery)?
                {
                    left.push_back((now, follows));
                }
            }
        }
        if decided.events.is_empty() && state.status() != asl::Status::Running {
            let text = format!("Execution {} has ended and cannot go on.", before.name);
            return Err(Error::new(Code::UnsupportedOperation, text));
        }
        let row = &mut decided.row;
        row.events = state.events();
        row.redrives = state.redrives() as u32;
        row.status = Status::of(state.status());
        let form = match stood {
            Some(stood) if row.status.is_running() => kept.form(&stood, &state),
            _ => Written::Whole,
        };
        row.state = match (&form, row.status) {
            // It cannot be redriven.
            (_, Status::Succeeded) | (Written::Change(_), _) => Box::default(),
            (Written::Whole, _) => state.encode().into(),
        };
        let context = Context { machine: &self.name, row: &decided.row, chance: &chance };
        if !decided.events.is_empty() && decided.row.options.tells_events {
            let body = task::told_events(&context, &decided.events)?;
            decided.tasks.push(delivery.for_tasks(body)?);
        }
        let has_ended = !decided.row.status.is_running() && before.status.is_running();
        let options = &decided.row.options;
        // The starter of a child of a map run sees itself how the first step ended.
        let is_seen = options.is_child && before.events == 0;
        let is_awaited = options.tells_end || (options.parent.is_some() && !is_seen);
        if has_ended && is_awaited {
            decided.tasks.push(delivery.for_tasks(task::told_end(&context)?)?);
        }
        let Draft { row, events, tasks } = decided;
        Ok(Decided { row, state, form, events, tasks })
    }

    /// Takes one effect into what was decided; a stimulus that follows from it at once.
    fn carry_out(
        &self,
        effect: Effect,
        decided: &mut Draft,
        now: Millis,
        chance: &Chance,
        delivery: &dyn MachineDelivery,
    ) -> Result<Option<Stimulus>> {
        let row = &mut decided.row;
        match effect {
            Effect::History(event) => decided.events.push(event),
            Effect::StartTask(request) => {
                let Some(destination) = find_destination(delivery, &request.resource) else {
                    return Ok(Some(absent(&request)));
                };
                row.tasks.push(request.task.0);
                let context = Context { machine: &self.name, row, chance };
                let body = task::scheduled(&context, &request)?;
                decided.tasks.push(TaskDelivery { destination, body });
            }
            Effect::StartMapRun(request) => {
                row.tasks.push(request.task.0);
                let context = Context { machine: &self.name, row, chance };
                decided.tasks.push(delivery.for_tasks(task::map_run(&context, &request)?)?);
            }
            Effect::CancelTask { task } => row.end_task(task),
            Effect::CancelMapRun { task } => {
                row.end_task(task);
                let context = Context { machine: &self.name, row, chance };
                decided.tasks.push(delivery.for_tasks(task::map_run_stopped(&context, task)?)?);
            }
            Effect::ArmTimer { timer, at_ms, is_fixed } => {
                row.timers.push(Timer { id: timer.0, at: at_ms, is_fixed });
            }
            Effect::CancelTimer { timer } => row.end_timer(timer),
            Effect::Finish(_) => row.finish(now),
        }
        Ok(None)
    }

    /// The timers of an execution may be due: a job of the host.
    pub(super) fn run_due(&self, number: u32, now: Millis) -> Result<()> {
        let Some(execution) = self.find_number(number) else { return Ok(()) };
        let advanced = {
            let mut kept = lock(&execution.kept);
            // A wait for its end may have called before.
            kept.armed = kept.armed.filter(|at| *at > now);
            if kept.is_expired(&self.host, now) {
                drop(kept);
                let forgotten = self.forget_expired(now);
                if forgotten.is_err() {
                    self.retry(number, now);
                }
                return forgotten;
            }
            let (timers, lag) = (&kept.row.timers, kept.lag(&self.host));
            let mut due: Vec<_> = timers.iter().map(|timer| (timer.due(lag), timer.id)).collect();
            due.retain(|(at, _)| *at <= now);
            due.sort_unstable();
            if due.is_empty() {
                self.arm(&execution, &mut kept);
                return Ok(());
            }
            let fired = |(_, id)| (now, Stimulus::TimerFired { timer: asl::TimerId(id) });
            let fired = due.into_iter().map(fired);
            let advanced = self.advance(&execution, &mut kept, fired.collect(), now);
            if advanced.is_err() {
                self.retry(number, now);
            }
            advanced?
        };
        // Written in time although no caller waits for it.
        self.host.flush_in_background(self.host.durability.max(Durability::Os))?;
        execution.wake(&advanced);
        Ok(())
    }

    /// Has the timer call again when there may be space: a timer is never lost.
    fn retry(&self, number: u32, now: Millis) {
        let key = TimerKey { owner: self.id, slot: number };
        self.host.arm(key, now.saturating_add(RETRY));
    }

    pub(super) fn logs(&self) -> Result<Arc<Logs>> {
        self.host.component().ok_or_else(closed)
    }

    pub(super) fn host(&self) -> &Arc<Host> {
        &self.host
    }
}

impl Execution {
    /// Wakes who waits for its end. To be called with every lock released.
    pub fn wake(&self, advanced: &Advanced) {
        if advanced.has_ended {
            self.waiters.wake_all();
        }
    }
}

impl Row {
    /// A step begins: the timers are those of the clock that lags so far behind the one before.
    fn step(&mut self, now: Millis, lag: Millis) {
        self.stepped = now;
        self.timers.iter_mut().for_each(|timer| timer.at = timer.due(lag));
    }

    /// What a stimulus ends: its timer or its task.
    fn meet(&mut self, stimulus: &Stimulus, now: Millis) {
        match stimulus {
            Stimulus::TimerFired { timer } => self.end_timer(*timer),
            Stimulus::TaskSucceeded { task, .. }
            | Stimulus::TaskFailed { task, .. }
            | Stimulus::MapRunSucceeded { task, .. }
            | Stimulus::MapRunFailed { task, .. } => self.end_task(*task),
            Stimulus::Redrive => (self.stopped, self.redriven) = (None, Some(now)),
            _ => {}
        }
    }

    fn end_timer(&mut self, timer: asl::TimerId) {
        self.timers.retain(|one| one.id != timer.0);
    }

    fn end_task(&mut self, task: TaskId) {
        self.tasks.retain(|id| *id != task.0);
    }

    fn finish(&mut self, now: Millis) {
        self.stopped = Some(now);
        self.timers.clear();
        self.tasks.clear();
    }
}

fn find_destination(delivery: &dyn MachineDelivery, resource: &Resource) -> Option<ResourceId> {
    match resource {
        Resource::Activity { arn } => delivery.find(&format!("{ACTIVITY_PREFIX}{arn}")),
        _ => delivery.find(TASKS),
    }
}

/// What follows where nothing takes a task.
fn absent(request: &asl::TaskRequest) -> Stimulus {
    let arn = request.resource.arn();
    let cause = match request.resource {
        Resource::Activity { .. } => format!("The activity {arn} does not exist."),
        _ => format!("Nothing handles the tasks of {arn} in this engine."),
    };
    Stimulus::TaskFailed {
        task: request.task,
        at: FailedAt::Schedule,
        error: Some("States.Runtime".to_owned()),
        cause: Some(cause),
    }
}

/// What an execution appends behind its tasks: its history and its new state.
struct Step<'a, 'b> {
    machine: ResourceId,
    number: u32,
    entry: Vec<u8>,
    has_events: bool,
    form: Written,
    /// Until it is appended.
    applied: RefCell<Option<(Row, asl::Execution, &'a mut MutexGuard<'b, Kept>)>>,
    failure: RefCell<Option<Error>>,
    log: &'a Log,
    now: Millis,
}

impl std::fmt::Debug for Step<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step").field("machine", &self.machine).finish_non_exhaustive()
    }
}

impl Also for Step<'_, '_> {
    fn bytes(&self) -> usize {
        let row = self.applied.borrow().as_ref().map_or(0, |(row, ..)| row.bytes_max());
        let change = if let Written::Change(change) = &self.form { change.len() } else { 0 };
        2 * HEAD_BYTES + self.entry.len() + row + change
    }

    fn records(&self) -> usize {
        2
    }

    fn append(&self, append: &mut Append<'_>) {
        let Some((mut row, state, kept)) = self.applied.take() else { return };
        if self.has_events {
            match self.log.append(append, self.now, &[&self.entry]) {
                Ok(sequence) => {
                    row.newest = sequence + 1;
                    if row.oldest == 0 {
                        row.oldest = row.newest;
                    }
                }
                Err(error) => {
                    // The machine was removed meanwhile: its executions are gone too.
                    *self.failure.borrow_mut() = Some(error);
                    return;
                }
            }
        }
        let id = (self.machine, self.number);
        match &self.form {
            Written::Whole => kept.append_whole(append, id, row, Some(state)),
            Written::Change(bytes) => kept.append_change(append, id, row, bytes, state),
        }
    }
}

#[cold]
pub(super) fn closed() -> Error {
    Error::new(Code::EngineClosed, "The engine is closed. Open a new one to use it.")
}
