//! Redrive tasks: dead letters go back to where they came from, or elsewhere, at a given rate.
//!
//! A task is a job that a timer starts again and again, so it runs on a virtual clock as on a real
//! one, and holds up no verb. Its state is a document that is written with every step, so a task
//! that was running goes on when the engine is opened again; a crash forgets at most the count of
//! the step it was in.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Documents, Host, Put, Take, Ticker, TimerKey};
use trunkline_journal::Ticket;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Durability, Error, Field, Millis, Problem, ResourceId, Result};

use crate::queue::Queue;
use crate::queue::transfer::{self, Taken};

/// Where a move task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedriveState {
    /// It moves messages.
    Running,
    /// Every message was moved.
    Completed,
    /// It was cancelled; what was moved stays moved.
    Cancelled,
    /// It could not go on; the status says why.
    Failed,
}

/// A move task as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedriveStatus {
    /// The task's number, unique in its engine.
    pub task: u32,
    /// The queue that is emptied.
    pub source: ResourceId,
    /// The queue that is filled; `None`: the queue each message came from.
    pub destination: Option<ResourceId>,
    /// Messages a second; `None` for as fast as possible.
    pub rate: Option<u32>,
    /// Where it stands.
    pub state: RedriveState,
    /// When it was started.
    pub started: Millis,
    /// How many messages it has moved.
    pub moved: u64,
    /// How many messages were there when it started.
    pub total: u64,
    /// Why it failed.
    pub failure: Option<String>,
}

/// A task, and from where its rate is counted: its start, or the opening that resumed it.
struct Task {
    status: RedriveStatus,
    paced_from: Millis,
    moved_before: u64,
}

/// The redrive tasks of an engine.
pub(crate) struct Redrives {
    host: Arc<Host>,
    documents: Arc<Documents>,
    /// The owner of the timers of tasks.
    owner: ResourceId,
    tasks: Mutex<BTreeMap<u32, Task>>,
}

/// Ended tasks that are remembered, a queue (AWS lists at most ten).
const ENDED_MAX: usize = 10;
/// Messages moved in one go by a task without a rate, so that verbs in between are not kept
/// waiting.
const CHUNK: u64 = 256;
/// How long a task waits before it looks again whether a full disk has space.
const PAUSE_WHEN_FULL: Millis = 1_000;
const DOCUMENT_PREFIX: &str = "engine/move/";
/// Why a task failed: a dead letter was sent there directly, so its source queue is not known.
const NO_SOURCE: &str = "NoSource";
/// The queue that messages were moved to is gone.
const NO_DESTINATION: &str = "NoDestination";

impl Redrives {
    /// Starts a task. The number it returns names it; the ticket stands for its start.
    pub fn start(
        &self,
        source: ResourceId,
        destination: Option<ResourceId>,
        rate: Option<u32>,
    ) -> Result<(u32, Option<Ticket>)> {
        let host = &self.host;
        let now = host.now();
        let queue =
            host.directory.get::<Queue>(source).ok_or_else(|| no_resource(Field::Source))?;
        if destination.is_some_and(|id| !host.directory.contains(id)) {
            return Err(no_resource(Field::Destination));
        }
        let total = queue.statistics()?.visible;
        let mut tasks = lock(&self.tasks);
        if tasks.values().any(|task| task.status.source == source && task.is_running()) {
            return Err(Error::new(
                Code::InvalidParameterValue,
                "There is already a task running. Only one active task is allowed for a source \
                 queue arn at a given time.",
            ));
        }
        let task = tasks.last_key_value().map_or(1, |(last, _)| last + 1);
        let status = RedriveStatus {
            task,
            source,
            destination,
            rate,
            state: RedriveState::Running,
            started: now,
            moved: 0,
            total,
            failure: None,
        };
        self.store(&status)?;
        tasks.insert(task, Task { status, paced_from: now, moved_before: 0 });
        self.forget_old(&mut tasks, source)?;
        drop(tasks);
        Ticker::enter(host);
        self.arm(task, now);
        host.sweep_if_due(now);
        Ok((task, host.append()?.ticket()))
    }

    /// Cancels a running task; how many messages it has moved.
    pub fn cancel(&self, task: u32) -> Result<(u64, Option<Ticket>)> {
        let mut tasks = lock(&self.tasks);
        let running = tasks.get_mut(&task).filter(|task| task.is_running());
        let Task { status, .. } = running
            .ok_or_else(|| Error::new(Code::ResourceNotFoundException, "Task does not exist."))?;
        status.state = RedriveState::Cancelled;
        self.store(status)?;
        Ticker::leave(&self.host);
        Ok((status.moved, self.host.append()?.ticket()))
    }

    /// The tasks of a queue, or all, newest first.
    pub fn list(&self, source: Option<ResourceId>) -> Vec<RedriveStatus> {
        let tasks = lock(&self.tasks);
        let wanted = |task: &&RedriveStatus| source.is_none_or(|source| task.source == source);
        tasks.values().rev().map(|task| &task.status).filter(wanted).cloned().collect()
    }

    /// The job of a task: moves some messages, and arms the timer of the next job.
    pub fn run(&self, task: u32, now: Millis) {
        if let Some(next) = self.work(task, now) {
            self.arm(task, next);
        }
    }

    fn arm(&self, task: u32, at: Millis) {
        self.host.arm(TimerKey { owner: self.owner, slot: task }, at);
    }

    /// Works a running task off for a while; when to go on.
    fn work(&self, task: u32, now: Millis) -> Option<Millis> {
        let host = &self.host;
        let (mut status, allowed) = {
            let tasks = lock(&self.tasks);
            let task = tasks.get(&task).filter(|task| task.is_running())?;
            (task.status.clone(), task.allowed(now))
        };
        if host.is_full() {
            return Some(now + PAUSE_WHEN_FULL);
        }
        let mut state = RedriveState::Running;
        for _ in 0..allowed.min(CHUNK) {
            match step(host, &status, now) {
                Ok(Step::Moved) => status.moved += 1,
                Ok(Step::Empty) => state = RedriveState::Completed,
                Ok(Step::Stuck(reason)) => {
                    state = RedriveState::Failed;
                    status.failure = Some(reason.to_owned());
                }
                Err(error) => {
                    state = RedriveState::Failed;
                    status.failure = Some(error.to_string());
                }
            }
            if state != RedriveState::Running {
                break;
            }
        }
        self.settle(status, state, now)
    }

    /// Keeps what a step came to; when to go on, if the task does.
    fn settle(&self, status: RedriveStatus, state: RedriveState, now: Millis) -> Option<Millis> {
        let mut tasks = lock(&self.tasks);
        let task = tasks.get_mut(&status.task)?;
        let was_running = task.is_running();
        (task.status.moved, task.status.failure) = (status.moved, status.failure);
        if was_running {
            task.status.state = state;
        }
        // A journal that refuses is poisoned, and every later verb says so.
        let flush = |()| self.host.flush_in_background(Durability::Os);
        let _ = self.store(&task.status).and_then(flush);
        if was_running && state != RedriveState::Running {
            Ticker::leave(&self.host);
        }
        task.is_running().then(|| task.next_time(now))
    }

    /// Takes over the tasks of an earlier incarnation; `owner` is that of their timers.
    pub fn resume(host: &Arc<Host>, documents: Arc<Documents>, owner: ResourceId) -> Self {
        let mut tasks = BTreeMap::new();
        for status in documents.list(DOCUMENT_PREFIX).iter().filter_map(|(_, d)| decode(d).ok()) {
            let (number, moved_before) = (status.task, status.moved);
            let task = Task { status, paced_from: host.now(), moved_before };
            if task.is_running() && host.check_writable().is_ok() {
                Ticker::enter(host);
                // Not at once: an embedder who opens the engine can look first, and cancel.
                host.arm(TimerKey { owner, slot: number }, host.now() + 1);
            }
            tasks.insert(number, task);
        }
        Self { host: host.clone(), documents, owner, tasks: Mutex::new(tasks) }
    }

    /// Cancels every task, and forgets those that have ended.
    pub fn reset(&self) -> Result<()> {
        for (number, task) in std::mem::take(&mut *lock(&self.tasks)) {
            if task.is_running() {
                Ticker::leave(&self.host);
            }
            self.documents.put(&document_key(number), None)?;
        }
        Ok(())
    }

    fn store(&self, status: &RedriveStatus) -> Result<()> {
        self.documents.put(&document_key(status.task), Some(&encode(status))).map(drop)
    }

    fn forget_old(&self, tasks: &mut BTreeMap<u32, Task>, source: ResourceId) -> Result<()> {
        let ended = |task: &&Task| task.status.source == source && !task.is_running();
        let mut old: Vec<u32> = tasks.values().filter(ended).map(|task| task.status.task).collect();
        old.truncate(old.len().saturating_sub(ENDED_MAX));
        for task in old {
            tasks.remove(&task);
            self.documents.put(&document_key(task), None)?;
        }
        Ok(())
    }
}

impl Task {
    fn is_running(&self) -> bool {
        self.status.state == RedriveState::Running
    }

    /// How many messages may be moved at `now`. At a rate, message n is due n / rate after the
    /// start: late timers catch up, none hurries, and the time between two runs does not count.
    fn allowed(&self, now: Millis) -> u64 {
        let Some(rate) = self.status.rate else { return CHUNK };
        let due = now.saturating_sub(self.paced_from) * u64::from(rate) / 1_000 + 1;
        due.saturating_sub(self.status.moved - self.moved_before)
    }

    fn next_time(&self, now: Millis) -> Millis {
        let Some(rate) = self.status.rate else {
            // One millisecond, so that other jobs get their turn.
            return now + 1;
        };
        let moved = self.status.moved - self.moved_before;
        (self.paced_from + moved * 1_000 / u64::from(rate.max(1))).max(now + 1)
    }
}

enum Step {
    Moved,
    Empty,
    Stuck(&'static str),
}

fn step(host: &Arc<Host>, status: &RedriveStatus, now: Millis) -> Result<Step> {
    let Some(source) = host.directory.get::<Queue>(status.source) else {
        return Ok(Step::Stuck(NO_DESTINATION));
    };
    let target = |from: Option<ResourceId>| status.destination.or(from);
    match transfer::take_back(host, &source, target, now)? {
        Taken::Moved => Ok(Step::Moved),
        Taken::Nothing => Ok(Step::Empty),
        Taken::NoTarget => Ok(Step::Stuck(NO_SOURCE)),
        Taken::TargetGone => Ok(Step::Stuck(NO_DESTINATION)),
    }
}

fn document_key(task: u32) -> String {
    format!("{DOCUMENT_PREFIX}{task:010}")
}

fn encode(status: &RedriveStatus) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u32(status.task);
    bytes.put_u32(status.source.0);
    bytes.put_u32(status.destination.map_or(0, |queue| queue.0));
    bytes.put_u32(status.rate.unwrap_or(0));
    bytes.put_u8(status.state as u8);
    bytes.put_u64(status.started);
    bytes.put_u64(status.moved);
    bytes.put_u64(status.total);
    bytes.put_bytes(status.failure.as_deref().unwrap_or("").as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<RedriveStatus> {
    let mut take = Take(bytes);
    let (task, source) = (take.u32()?, ResourceId(take.u32()?));
    let (destination, rate) = (take.u32()?, take.u32()?);
    let state = match take.u8()? {
        0 => RedriveState::Running,
        1 => RedriveState::Completed,
        2 => RedriveState::Cancelled,
        _ => RedriveState::Failed,
    };
    let (started, moved, total) = (take.u64()?, take.u64()?, take.u64()?);
    let failure = take.text()?;
    Ok(RedriveStatus {
        task,
        source,
        destination: (destination != 0).then_some(ResourceId(destination)),
        rate: (rate != 0).then_some(rate),
        state,
        started,
        moved,
        total,
        failure: (!failure.is_empty()).then(|| failure.to_owned()),
    })
}

fn no_resource(field: Field) -> Error {
    Problem::NoSuchResource(field).into()
}
