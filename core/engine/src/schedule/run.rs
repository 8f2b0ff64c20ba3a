//! What is done when a schedule falls due. It is a job: no lock is held, and one runs at a time.
//!
//! A job decides upon one occurrence and arms the timer of the next, so that occurrences of
//! several schedules are delivered in the order of their times.

use std::cell::Cell;
use std::sync::Arc;

use trunkline_host::{Also, Append, Routed};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Durability, Error, Millis, Result};

use super::config::ScheduleConfig;
use super::input::Context;
use super::occurrence::Occurrence;
use super::record::{ADVANCED_BYTES, Progress, Record, StoredDefinition};
use super::{Schedule, State, failure};

/// How long a delivery waits that a full disk refused.
const RETRY: Millis = 1_000;
/// Missed occurrences that are counted one by one; behind them the count is not exact.
const COUNTED_MAX: usize = 1_000;

/// What a job works on.
struct Due {
    definition: Arc<StoredDefinition>,
    version: u32,
    progress: Progress,
    occurrence: Occurrence,
}

/// The progress that is appended with a delivery.
#[derive(Debug)]
struct Advance<'a> {
    schedule: &'a Schedule,
    version: u32,
    progress: Progress,
    is_appended: Cell<bool>,
}

impl<'a> Advance<'a> {
    fn new(schedule: &'a Schedule, due: &Due, progress: Progress) -> Self {
        Self { schedule, version: due.version, progress, is_appended: Cell::new(false) }
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schedule").field("name", &self.name.name).finish_non_exhaustive()
    }
}

impl Also for Advance<'_> {
    fn bytes(&self) -> usize {
        ADVANCED_BYTES
    }

    fn append(&self, log: &mut Append<'_>) {
        self.is_appended.set(true);
        let mut state = lock(&self.schedule.state);
        // A definition that came meanwhile has its own progress.
        if state.version == self.version && !self.schedule.removed.load(Ordering::Acquire) {
            let record = Record::Advanced { id: self.schedule.id, progress: self.progress };
            state.advanced_at = log.append_live(&record, state.advanced_at);
            state.progress = self.progress;
            state.retry_at = None;
        }
    }
}

impl Schedule {
    pub(super) fn run_due(&self, now: Millis) -> Result<()> {
        let Some(due) = self.due(now)? else { return Ok(()) };
        let config = &due.definition.config;
        let is_one_time = lock(&self.state).is_one_time();
        if due.occurrence.is_missed(config.window, is_one_time, now) {
            self.skip_missed(now)?;
        } else {
            self.deliver(&due, now)?;
        }
        // Written in time although no caller waits for it.
        self.host.flush_in_background(self.host.durability.max(Durability::Os))?;
        self.go_on(now)
    }

    /// The occurrence that is due, if one is: the timer may have been of an earlier definition.
    fn due(&self, now: Millis) -> Result<Option<Due>> {
        self.host.check_writable()?;
        if self.removed.load(Ordering::Acquire) {
            return Ok(None);
        }
        let state = lock(&self.state);
        let occurrence = self.pending(&state).filter(|occurrence| occurrence.due <= now);
        Ok(occurrence.map(|occurrence| Due {
            definition: state.definition.clone(),
            version: state.version,
            progress: state.progress,
            occurrence,
        }))
    }

    /// Arms the timer of the next occurrence; removes a schedule that has none, if it asks for it.
    fn go_on(&self, now: Millis) -> Result<()> {
        let is_over = {
            let state = lock(&self.state);
            self.arm(&state);
            let config = &state.definition.config;
            config.enabled && config.delete_after_completion && state.next().is_none()
        };
        if is_over && !self.removed.load(Ordering::Acquire) {
            self.remove()?;
        }
        // What is due already is decided upon before the verb that looked goes on.
        self.host.sweep_if_due(now);
        Ok(())
    }

    fn deliver(&self, due: &Due, now: Millis) -> Result<()> {
        let Due { definition, progress, occurrence, .. } = due;
        let config = &definition.config;
        let id = self.host.key.message_id(self.id, occurrence.number).to_string();
        let _cause = self.trace_occurrence(occurrence);
        let context = Context { name: &self.name, occurrence, execution_id: &id };
        let body = context.render(config);
        let through = occurrence.scheduled;
        let delivered = Progress { through, delivered: progress.delivered + 1, ..*progress };
        let also = Advance::new(self, due, delivered);
        let Err(error) = self.deliver_to_target(config, &body, &id, &also) else { return Ok(()) };
        self.trace_refused(occurrence, &error);
        if failure::is_final(&error) {
            return Err(error);
        }
        if failure::is_transient(&error) {
            lock(&self.state).retry_at = Some(now + RETRY);
            return Ok(());
        }
        let failed = Progress { through, failed: progress.failed + 1, ..*progress };
        let also = Advance::new(self, due, failed);
        lock(&self.state).failure = Some(error.message().to_owned());
        let given = failure::dead_letter(&self.host, config, &context, &body, &error, &also);
        match given {
            Ok(_) => Ok(()),
            Err(error) if failure::is_final(&error) => Err(error),
            Err(error) if failure::is_transient(&error) => {
                lock(&self.state).retry_at = Some(now + RETRY);
                Ok(())
            }
            // Without a dead-letter queue that takes it, the occurrence is dropped, as on AWS.
            Err(_) => {
                also.append(&mut self.host.append()?);
                Ok(())
            }
        }
    }

    fn deliver_to_target(
        &self,
        config: &ScheduleConfig,
        body: &[u8],
        execution_id: &str,
        also: &Advance<'_>,
    ) -> Result<()> {
        let target = self.host.directory.id_of(&config.target).ok_or_else(|| {
            let (kind, name) = (config.target.kind, &config.target.name);
            let text = format!("The target of the schedule, the {kind} {name:?}, does not exist.");
            Error::new(Code::ResourceNotFoundException, text)
        })?;
        let group = config.group.as_deref();
        let routed = Routed {
            body,
            group,
            // Each occurrence is another message, whatever its body.
            dedup_id: group.map(|_| execution_id),
            also: Some(also),
            ..Routed::default()
        };
        self.host.deliver(target, &routed)?;
        if !also.is_appended.get() {
            // The target has appended nothing, such as a FIFO queue that knows the message. One
            // that has no step of its own may be sent it again by a crash in between.
            also.append(&mut self.host.append()?);
        }
        Ok(())
    }

    /// Passes over what was missed.
    fn skip_missed(&self, now: Millis) -> Result<()> {
        let mut log = self.host.append_at(now)?;
        let mut state = lock(&self.state);
        let window = state.definition.config.window;
        let is_one_time = state.is_one_time();
        let is_missed = |scheduled| {
            let key = self.host.key;
            Occurrence::new(key, self.id, 0, scheduled, window).is_missed(window, is_one_time, now)
        };
        let mut counted = 0;
        while let Some(next) = state.next().filter(|next| is_missed(*next)) {
            counted += 1;
            state.progress.missed += 1;
            state.progress.through = next;
            if counted == COUNTED_MAX {
                // All that is left of them at once.
                let late = window.unwrap_or(0) + super::occurrence::PRECISION + 1;
                state.progress.through = next.max(now.saturating_sub(late));
            }
        }
        state.retry_at = None;
        if !self.removed.load(Ordering::Acquire) {
            let record = Record::Advanced { id: self.id, progress: state.progress };
            state.advanced_at = log.append_live(&record, state.advanced_at);
        }
        Ok(())
    }
}

impl State {
    fn is_one_time(&self) -> bool {
        self.timetable.as_ref().is_some_and(|timetable| timetable.expression().is_one_time())
    }
}
