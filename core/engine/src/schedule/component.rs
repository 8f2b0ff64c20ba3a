//! Schedules as a kind of resource: how they are created, relocated, copied and removed.

use std::sync::Arc;

use trunkline_host::{CheckpointSink, Component, Encode, Host, ResourceReport, Ticker};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Millis, ResourceId, ResourceName, Result};

use super::config::{ScheduleConfig, check_name, short_name};
use super::record::{Progress, Record, StoredDefinition};
use super::{SCHEDULE, Schedule, State};

/// All schedules of an engine.
pub(crate) struct Schedules {
    host: Arc<Host>,
    /// Held while a schedule is created, so that a name is given once.
    creating: Mutex<()>,
    /// Whether time passes for schedules although no verb is called.
    ticking: AtomicBool,
}

impl Schedules {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self { host, creating: Mutex::new(()), ticking: AtomicBool::new(false) }
    }

    /// Creates a schedule. It is applied when this returns, and durable with the ticket.
    pub fn create(
        &self,
        name: ResourceName,
        config: ScheduleConfig,
    ) -> Result<(Arc<Schedule>, Option<Ticket>)> {
        let host = &self.host;
        host.check_writable()?;
        host.refuse_if_full()?;
        check_name(&name.name)?;
        config.check(&host.limits)?;
        let _creating = lock(&self.creating);
        if host.directory.id_of(&name).is_some() {
            let text = format!("Schedule {} already exists.", short_name(&name.name));
            return Err(Error::new(Code::ConflictException, text));
        }
        let now = host.now();
        let timetable = config.timetable(now)?;
        let definition = StoredDefinition { config, anchor: now, created: now, modified: now };
        // A rate without a start falls due at once.
        let progress = Progress { through: now.saturating_sub(1), ..Progress::default() };
        let state = State {
            definition: Arc::new(definition),
            timetable: Some(Arc::new(timetable)),
            progress,
            version: 0,
            defined_at: None,
            advanced_at: None,
            retry_at: None,
            failure: None,
        };
        let schedule = Arc::new(Schedule::new(host.clone(), host.next_id(), name, state));
        let ticket = {
            let mut log = host.append_at(now)?;
            schedule.define(&mut log, &mut lock(&schedule.state));
            host.directory.add(schedule.clone());
            log.ticket()
        };
        self.tick();
        schedule.arm_first();
        Ok((schedule, ticket))
    }

    /// Has time pass for schedules without verbs, if there are any.
    pub fn start(&self) {
        if !self.all().is_empty() {
            self.tick();
        }
    }

    fn tick(&self) {
        if !self.ticking.swap(true, Ordering::AcqRel) {
            Ticker::enter(&self.host);
        }
    }

    /// The schedules of an account and region whose name starts with `prefix`, by name.
    pub fn list(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Vec<Arc<Schedule>> {
        self.host.directory.list(SCHEDULE, account, region, prefix)
    }

    fn all(&self) -> Vec<Arc<Schedule>> {
        self.host.directory.all()
    }
}

impl Schedule {
    pub(super) fn new(host: Arc<Host>, id: ResourceId, name: ResourceName, state: State) -> Self {
        Self { host, id, name, state: Mutex::new(state), removed: AtomicBool::new(false) }
    }

    /// Arms the timer of a schedule that is new or was replayed.
    pub(super) fn arm_first(&self) {
        self.arm(&lock(&self.state));
    }

    fn lies_in(&self, segment: u32) -> bool {
        let state = lock(&self.state);
        let locations = [state.defined_at, state.advanced_at];
        locations.into_iter().flatten().any(|location| location.segment() == segment)
    }

    /// Appends again what lies in `segment`.
    fn relocate(&self, segment: u32) -> Result<()> {
        if !self.lies_in(segment) {
            return Ok(());
        }
        let mut log = self.host.append()?;
        let mut state = lock(&self.state);
        if state.defined_at.is_some_and(|location| location.segment() == segment) {
            self.define(&mut log, &mut state);
        } else if state.advanced_at.is_some_and(|location| location.segment() == segment) {
            let record = Record::Advanced { id: self.id, progress: state.progress };
            state.advanced_at = log.append_live(&record, state.advanced_at);
        }
        Ok(())
    }
}

/// The counters of a report.
pub(super) fn counters(enabled: bool, progress: Progress) -> Vec<(&'static str, u64)> {
    vec![
        ("enabled", u64::from(enabled)),
        ("delivered", progress.delivered),
        ("failed", progress.failed),
        ("missed", progress.missed),
    ]
}

impl Component for Schedules {
    fn relocate(&self, segment: u32) -> Result<()> {
        self.all().iter().try_for_each(|schedule| schedule.relocate(segment))
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        for schedule in self.all() {
            let (definition, progress) = {
                let state = lock(&schedule.state);
                (state.definition.clone(), state.progress)
            };
            let (id, name) = (schedule.id, &schedule.name);
            let mut bytes = Vec::new();
            Record::Defined { id, name, definition: &definition, progress }.encode(&mut bytes);
            sink(&bytes)?;
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        for schedule in self.all() {
            let (definition, progress, defined_at, advanced_at) = {
                let state = lock(&schedule.state);
                (state.definition.clone(), state.progress, state.defined_at, state.advanced_at)
            };
            let Some(defined_at) = defined_at else { continue };
            let (id, name) = (schedule.id, &schedule.name);
            let definition = Record::Defined { id, name, definition: &definition, progress };
            sink.record(defined_at, &definition)?;
            if let Some(advanced_at) = advanced_at {
                sink.record(advanced_at, &Record::Advanced { id, progress })?;
            }
        }
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |schedule: &Arc<Schedule>| {
            let state = lock(&schedule.state);
            let counters = counters(state.definition.config.enabled, state.progress);
            ResourceReport { name: schedule.name.clone(), counters }
        };
        self.all().iter().map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|schedule| schedule.remove().map(drop))
    }

    fn close(&self) {
        if self.ticking.swap(false, Ordering::AcqRel) {
            Ticker::leave(&self.host);
        }
    }
}
