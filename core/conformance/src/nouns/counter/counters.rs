//! Counters at work: verbs, timer, job, and what the host asks of their kind.

use std::sync::Arc;

use trunkline_host::{
    Awaited, CheckpointSink, Component, Encode, Host, Jobs, Location, Resource, ResourceReport,
    TimerKey, Waiters,
};
use trunkline_journal::Ticket;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, ResourceId, ResourceKind, ResourceName, Result};

use super::ADD;
use super::record::Record;

/// The kind, as names of resources say it.
pub const COUNTER: ResourceKind = ResourceKind("counter");

/// Timer slot: the counter is raised.
const SLOT_RAISE: u32 = 0;
/// Timer slot: a wait may have reached its deadline on a virtual clock.
const SLOT_WAITERS: u32 = 1;

/// All counters of a host.
pub struct Counters {
    pub(super) host: Arc<Host>,
}

/// Where a counter stands. `location` is that of its newest value, if it was ever raised.
#[derive(Debug, Clone, Copy, Default)]
pub struct State {
    pub value: i64,
    pub next: Millis,
    pub location: Option<Location>,
}

/// One counter.
pub struct Counter {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    period: Millis,
    state: Mutex<State>,
    created_at: Mutex<Option<Location>>,
    /// Those that wait for its next change.
    pub waiters: Waiters,
}

impl Counters {
    /// Creates a counter that a timer adds one to every `period`; 0 for never.
    pub fn create(&self, name: &str, period: Millis) -> Result<(Arc<Counter>, Option<Ticket>)> {
        self.host.check_writable()?;
        let (host, id) = (self.host.clone(), self.host.next_id());
        let next = if period == 0 { 0 } else { host.now() + period };
        let state = State { next, ..State::default() };
        let ticket = {
            let mut log = self.host.append()?;
            let created_at = log.append_live(&Record::Created { id, name, period, next }, None);
            let counter = Arc::new(Counter::new(host, id, name, period, state, created_at));
            counter.arm(next);
            self.host.directory.add(counter);
            log.ticket()
        };
        Ok((self.find(name).unwrap(), ticket))
    }

    /// The counter of this name.
    pub fn find(&self, name: &str) -> Option<Arc<Counter>> {
        self.host.directory.find(&ResourceName::local(COUNTER, name))
    }

    /// Every counter, in the order of their ids.
    pub fn all(&self) -> Vec<Arc<Counter>> {
        self.host.directory.all()
    }
}

impl Counter {
    pub(super) fn new(
        host: Arc<Host>,
        id: ResourceId,
        name: &str,
        period: Millis,
        state: State,
        created_at: Option<Location>,
    ) -> Self {
        let (state, created_at) = (Mutex::new(state), Mutex::new(created_at));
        let (name, waiters) = (ResourceName::local(COUNTER, name), Waiters::default());
        Self { host, id, name, period, state, created_at, waiters }
    }

    /// Where it stands.
    pub fn value(&self) -> i64 {
        lock(&self.state).value
    }

    /// Changes the counter by `by`.
    pub fn add(&self, by: i64) -> Result<Option<Ticket>> {
        let _admitted = self.host.admit(ADD, &self.name)?;
        let next = lock(&self.state).next;
        self.append(by, next)
    }

    /// Removes it.
    pub fn remove(&self) -> Result<()> {
        let mut log = self.host.append()?;
        log.append(&Record::Removed { id: self.id });
        let locations = [*lock(&self.created_at), lock(&self.state).location];
        locations.into_iter().flatten().for_each(|location| log.release(location));
        self.host.directory.remove(self, self.host.now());
        Ok(())
    }

    fn append(&self, by: i64, next: Millis) -> Result<Option<Ticket>> {
        let mut state = lock(&self.state);
        let value = state.value.saturating_add(by);
        let ticket = {
            let mut log = self.host.append()?;
            let record = Record::Value { id: self.id, value, next };
            let location = log.append_live(&record, state.location);
            *state = State { value, next, location };
            log.ticket()
        };
        drop(state);
        self.waiters.wake_all();
        Ok(ticket)
    }

    pub(super) fn arm(&self, at: Millis) {
        if self.period > 0 {
            self.host.arm(TimerKey { owner: self.id, slot: SLOT_RAISE }, at);
        }
    }
}

impl Resource for Counter {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        match slot {
            SLOT_WAITERS => self.waiters.expire(now),
            _ => jobs.push(0),
        }
        None
    }

    fn run(&self, _: u64, now: Millis) -> Result<()> {
        let next = now + self.period;
        self.append(1, next)?;
        self.arm(next);
        Ok(())
    }

    fn close(&self) {
        self.waiters.wake_all();
    }
}

impl Awaited for Counter {
    fn host(&self) -> &Arc<Host> {
        &self.host
    }

    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    // Everyone is woken, so no wake has to be passed on.
    fn has_content(&self) -> bool {
        false
    }

    fn waiters_timer(&self) -> TimerKey {
        TimerKey { owner: self.id, slot: SLOT_WAITERS }
    }
}

impl Component for Counters {
    fn relocate(&self, segment: u32) -> Result<()> {
        for counter in self.all() {
            let (id, name) = (counter.id, &counter.name.name);
            let mut state = lock(&counter.state);
            let mut created_at = lock(&counter.created_at);
            let mut log = self.host.append()?;
            let (period, next) = (counter.period, state.next);
            if created_at.is_some_and(|at| at.segment() == segment) {
                let record = Record::Created { id, name, period, next };
                *created_at = log.append_live(&record, *created_at);
            }
            if state.location.is_some_and(|at| at.segment() == segment) {
                let record = Record::Value { id, value: state.value, next };
                state.location = log.append_live(&record, state.location);
            }
        }
        Ok(())
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        for counter in self.all() {
            let (id, name, state) = (counter.id, &counter.name.name, *lock(&counter.state));
            let (period, next) = (counter.period, state.next);
            for record in [
                Record::Created { id, name, period, next },
                Record::Value { id, value: state.value, next },
            ] {
                let mut bytes = Vec::new();
                record.encode(&mut bytes);
                sink(&bytes)?;
            }
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        for counter in self.all() {
            let (id, name, period) = (counter.id, &counter.name.name, counter.period);
            let (state, created_at) = (*lock(&counter.state), *lock(&counter.created_at));
            if let Some(at) = created_at {
                sink.record(at, &Record::Created { id, name, period, next: state.next })?;
            }
            if let Some(at) = state.location {
                sink.record(at, &Record::Value { id, value: state.value, next: state.next })?;
            }
        }
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |counter: &Arc<Counter>| ResourceReport {
            name: counter.name.clone(),
            counters: vec![("value", counter.value().unsigned_abs())],
        };
        self.all().iter().map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|counter| counter.remove())
    }
}
