//! Schedules: at each moment of a timetable, a message for one target.
//!
//! What is kept of a schedule is its definition and its progress: the last occurrence that was
//! decided upon. The next one follows from the two, so a schedule that waits is one entry of the
//! timers. An occurrence is delivered through [`trunkline_host::Host::deliver`]; the record of the
//! progress is appended in the same step, so a crash leaves both or neither.
//!
//! An occurrence that could not be delivered in time, because the engine was closed or the machine
//! slept, is *missed*: it is counted and not made up for, except that a one-time schedule is
//! delivered late for as long as AWS would retry it. See [`occurrence`].

mod component;
mod config;
mod failure;
mod input;
mod occurrence;
mod record;
mod replay;
mod run;
mod traced;

use std::sync::Arc;

use trunkline_host::{Append, ComponentKind, Host, Jobs, Location, Resource, TimerKey};
use trunkline_journal::Ticket;
use trunkline_schedule::Timetable;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Error, Limits, Millis, ResourceId, ResourceKind, ResourceName, Result,
};

use self::occurrence::Occurrence;
use self::record::{ADVANCED, DEFINED, REMOVED, Record, StoredDefinition};
use self::replay::ScheduleLoader;

pub(crate) use component::Schedules;
pub use config::ScheduleConfig;
pub use record::Progress;

/// The kind in the names of schedules.
pub const SCHEDULE: ResourceKind = ResourceKind("schedule");

/// The kind of schedules, for the table of kinds.
pub static SCHEDULES: ComponentKind = ComponentKind {
    name: "schedule",
    records: &[DEFINED..=REMOVED],
    operations: &[],
    loader: |_: &Limits| Box::<ScheduleLoader>::default(),
};

// The records are numbered in this order.
const _: () = assert!(DEFINED < ADVANCED && ADVANCED < REMOVED);

/// The only timer, and the only job, of a schedule: an occurrence is due.
const DUE: u32 = 0;

/// A schedule of an engine.
///
/// Lock order: the append lock, then `state`. A delivery holds neither while it is made; it takes
/// the state in the step that appends the message, to append and to apply the progress.
pub struct Schedule {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    state: Mutex<State>,
    removed: AtomicBool,
}

struct State {
    definition: Arc<StoredDefinition>,
    /// `None` when the zone is not known any more: the schedule then never falls due.
    timetable: Option<Arc<Timetable>>,
    progress: Progress,
    /// Counts the definitions, so that a delivery of an earlier one changes nothing of this one.
    version: u32,
    defined_at: Option<Location>,
    advanced_at: Option<Location>,
    /// When a delivery that the disk refused is tried again.
    retry_at: Option<Millis>,
    /// Why the last delivery that failed did.
    failure: Option<String>,
}

/// How a schedule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleStatus {
    /// Whether it is enabled and has a next occurrence.
    pub is_active: bool,
    /// The next occurrence, also of a schedule that is paused.
    pub next: Option<Millis>,
    /// What became of earlier ones.
    pub progress: Progress,
    /// Why the last delivery that failed did, since the engine was opened.
    pub failure: Option<String>,
    /// When it was created and last changed.
    pub created: Millis,
    /// See `created`.
    pub modified: Millis,
}

impl Schedule {
    /// Its id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// Its definition.
    pub fn config(&self) -> ScheduleConfig {
        lock(&self.state).definition.config.clone()
    }

    /// How it stands.
    pub fn status(&self) -> Result<ScheduleStatus> {
        self.check_readable()?;
        self.host.sweep_all(self.host.now());
        let state = lock(&self.state);
        let next = state.next();
        Ok(ScheduleStatus {
            is_active: state.definition.config.enabled && next.is_some(),
            next,
            progress: state.progress,
            failure: state.failure.clone(),
            created: state.definition.created,
            modified: state.definition.modified,
        })
    }

    /// Up to `count` moments at which it will fall due, from now on. None while it is paused.
    pub fn next(&self, count: usize) -> Result<Vec<Millis>> {
        self.check_readable()?;
        let (timetable, mut after) = {
            let state = lock(&self.state);
            let timetable = state.timetable.clone().filter(|_| state.definition.config.enabled);
            (timetable, state.progress.through)
        };
        let Some(timetable) = timetable else { return Ok(Vec::new()) };
        let found = std::iter::from_fn(|| {
            after = timetable.next(after)?;
            Some(after)
        });
        Ok(found.take(count).collect())
    }

    /// Replaces the definition. What became due before is not delivered any more; a rate whose
    /// expression, zone or bounds are changed counts from now.
    pub fn configure(&self, config: ScheduleConfig) -> Result<Option<Ticket>> {
        self.change(|_| config)
    }

    fn change(
        &self,
        change: impl FnOnce(&ScheduleConfig) -> ScheduleConfig,
    ) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let now = self.host.now();
        let mut log = self.host.append_at(now)?;
        let mut state = lock(&self.state);
        let old = state.definition.clone();
        let config = change(&old.config);
        config.check(&self.host.limits)?;
        let is_timed_anew = !old.config.has_timetable_of(&config);
        let anchor = if is_timed_anew { now } else { old.anchor };
        let timetable = config.timetable(anchor)?;
        let mut progress = state.progress;
        // Something that is due at this very moment is still delivered.
        let decided = now.saturating_sub(1);
        progress.through = if is_timed_anew { decided } else { progress.through.max(decided) };
        state.definition =
            Arc::new(StoredDefinition { config, anchor, created: old.created, modified: now });
        state.timetable = Some(Arc::new(timetable));
        state.progress = progress;
        state.version += 1;
        state.retry_at = None;
        self.define(&mut log, &mut state);
        self.arm(&state);
        Ok(log.ticket())
    }

    /// Stops it, or lets it go on from now; what fell due in between is not made up for.
    pub fn set_enabled(&self, enabled: bool) -> Result<Option<Ticket>> {
        self.change(|config| ScheduleConfig { enabled, ..config.clone() })
    }

    /// Removes it.
    pub fn remove(&self) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let now = self.host.now();
        let mut log = self.host.append_at(now)?;
        let mut state = lock(&self.state);
        if self.removed.swap(true, Ordering::AcqRel) {
            return Ok(log.ticket());
        }
        log.append(&Record::Removed { id: self.id });
        for location in [state.defined_at.take(), state.advanced_at.take()].into_iter().flatten() {
            log.release(location);
        }
        self.host.directory.remove(self, now);
        Ok(log.ticket())
    }

    /// Appends the definition with the progress, which replaces the record of the progress.
    fn define(&self, log: &mut Append<'_>, state: &mut State) {
        let definition = state.definition.clone();
        let record = Record::Defined {
            id: self.id,
            name: &self.name,
            definition: &definition,
            progress: state.progress,
        };
        state.defined_at = log.append_live(&record, state.defined_at);
        state.advanced_at.take().into_iter().for_each(|location| log.release(location));
    }

    /// Has the timers call when the next occurrence is due.
    fn arm(&self, state: &State) {
        if let Some(occurrence) = self.pending(state) {
            self.host.arm(TimerKey { owner: self.id, slot: DUE }, occurrence.due);
        }
    }

    /// The occurrence that is decided upon next, unless the schedule is paused or over.
    fn pending(&self, state: &State) -> Option<Occurrence> {
        let window = state.definition.config.window;
        let scheduled = state.next().filter(|_| state.definition.config.enabled)?;
        let number = state.progress.decided() + 1;
        let occurrence = Occurrence::new(self.host.key, self.id, number, scheduled, window);
        Some(occurrence.not_before(state.retry_at))
    }

    fn check_readable(&self) -> Result<()> {
        self.host.check_readable()?;
        self.check_present()
    }

    fn check_writable(&self) -> Result<()> {
        self.host.check_writable()?;
        self.check_present()
    }

    fn check_present(&self) -> Result<()> {
        if self.removed.load(Ordering::Acquire) {
            return Err(no_such_schedule(&self.name.name));
        }
        Ok(())
    }
}

impl State {
    fn next(&self) -> Option<Millis> {
        self.timetable.as_ref()?.next(self.progress.through)
    }
}

impl Resource for Schedule {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, _: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        // Of a folder that is only looked at, nothing is delivered.
        if self.host.check_writable().is_ok() {
            jobs.push(u64::from(DUE));
        }
        None
    }

    fn run(&self, _: u64, now: Millis) -> Result<()> {
        self.run_due(now)
    }

    fn close(&self) {}
}

#[cold]
fn no_such_schedule(name: &str) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("Schedule {} does not exist.", config::short_name(name)),
    )
}
