//! Time passes: timers fire, jobs run.
//!
//! A fired timer runs under the timers' lock, so it only changes its own state and pushes jobs.
//! Jobs run afterwards, with no lock held: on the ticker's thread, or on the thread that moves a
//! virtual clock. So a long job delays other jobs, but no verb and no timer.

use std::sync::Arc;

use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Clock, Code, Error, Millis, ResourceId, Result};

use super::Host;
use super::component::COMPONENT_OWNERS;
use super::ticker::Ticker;
use crate::run_queue::{Job, Jobs};

/// What a timer entry points at: a hint to look at a slot of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerKey {
    /// The resource, or the component, that is called.
    pub owner: ResourceId,
    /// What it looks at: the owner says what the number means.
    pub slot: u32,
}

// An entry of the wheel is a key and a time: 16 bytes.
const _: () = assert!(size_of::<TimerKey>() == 8);

/// How many timer entries one verb works off at most, so that no verb pays for a whole backlog.
const SWEEP_MAX: usize = 4_096;

/// How many timer entries may wait for a sweep to sort them: until then they cost more memory.
const UNSORTED_MAX: u32 = 1_024;

impl Host {
    /// Calls the owner of `key` at `at`. There is no cancelling: an entry is a hint.
    pub fn arm(&self, key: TimerKey, at: Millis) {
        self.timers.arm(key, at);
        self.unsorted.fetch_add(1, Ordering::Relaxed);
        self.ticker.armed(at);
    }

    /// Fires what is due, if anything is. Never waits: when another thread sweeps, this one goes
    /// on.
    #[inline]
    pub fn sweep_if_due(self: &Arc<Self>, now: Millis) {
        if self.timers.is_due(now) || self.unsorted.load(Ordering::Relaxed) > UNSORTED_MAX {
            self.sweep(now);
        }
    }

    #[cold]
    fn sweep(self: &Arc<Self>, now: Millis) {
        self.unsorted.store(0, Ordering::Relaxed);
        self.timers.sweep(now, SWEEP_MAX, |key, now| self.fire(key, now));
        self.dispatch_jobs();
    }

    /// Fires everything that is due, after waiting for another thread that is at it.
    pub fn sweep_all(self: &Arc<Self>, now: Millis) {
        self.fire_due(now);
        self.dispatch_jobs();
    }

    pub(crate) fn fire_due(&self, now: Millis) {
        while self.timers.sweep_all(now, |key, now| self.fire(key, now)).more {}
    }

    fn fire(&self, key: TimerKey, now: Millis) -> Option<Millis> {
        let jobs = Jobs { owner: key.owner, run_queue: &self.run_queue };
        if key.owner.0 < COMPONENT_OWNERS {
            return self.directory.any(key.owner)?.fire(key.slot, now, &jobs);
        }
        let component = lock(&self.components).iter().find(|(id, _)| *id == key.owner)?.1.clone();
        component.fire(key.slot, now, &jobs)
    }

    /// Sees to it that the jobs which a sweep pushed are run.
    #[inline]
    fn dispatch_jobs(self: &Arc<Self>) {
        if self.run_queue.has_jobs() {
            self.dispatch_waiting();
        }
    }

    #[cold]
    fn dispatch_waiting(self: &Arc<Self>) {
        let has_ticker = self.background && !self.clock.is_virtual();
        if has_ticker && (self.ticker.wakes_soon(self.now()) || Ticker::request(self)) {
            return;
        }
        // A thread that runs jobs goes on with these, unless it has just found none and still holds
        // the right. So it looks again once it has given the right back, as this one does.
        while self.run_queue.has_jobs() {
            let Some(runner) = self.run_queue.try_runner() else { return };
            self.run_waiting();
            drop(runner);
            self.run_queue.released();
        }
    }

    /// Runs jobs until none waits, after the job that another thread runs has ended.
    pub(crate) fn run_jobs(&self) {
        let runner = self.run_queue.runner();
        self.run_waiting();
        drop(runner);
        self.run_queue.released();
    }

    fn run_waiting(&self) {
        while let Some(Job { owner, task }) = self.run_queue.pop() {
            let now = self.now();
            // A job is not part of what the verb that runs it delivers.
            let _apart = self.trace.leave();
            // A job keeps its own failure. A journal that refuses is poisoned, and every later
            // verb says so.
            let _kept = if owner.0 < COMPONENT_OWNERS {
                // The owner may have been removed after the timer had fired.
                self.directory.any(owner).map_or(Ok(()), |resource| resource.run(task, now))
            } else {
                self.run_of_component(owner, task, now)
            };
        }
    }

    fn run_of_component(&self, owner: ResourceId, task: u64, now: Millis) -> Result<()> {
        let found = lock(&self.components).iter().find(|(id, _)| *id == owner).cloned();
        found.map_or(Ok(()), |(_, component)| component.run(task, now))
    }
}

/// Moves one virtual clock that several engines share, and runs what falls due in all of them in
/// order of time. Returns when nothing is due, no job waits or runs, and what left the engines is
/// back.
pub fn advance(clock: &Clock, hosts: &[&Arc<Host>], by: Millis) -> Result<()> {
    if !clock.is_virtual() {
        return Err(Error::new(
            Code::UnsupportedOperation,
            "The engine follows the system's clock, which cannot be advanced. Open it with a \
             virtual clock.",
        ));
    }
    let target = clock.now().saturating_add(by);
    settle(hosts)?;
    let next_due = |host: &&Arc<Host>| host.timers.next_due();
    while let Some(due) = hosts.iter().filter_map(next_due).min().filter(|due| *due <= target) {
        clock.set(due);
        hosts.iter().for_each(|host| host.fire_due(clock.now()));
        settle(hosts)?;
    }
    clock.set(target);
    Ok(())
}

/// Runs jobs, and waits for what left the engines, until neither leads to more.
fn settle(hosts: &[&Arc<Host>]) -> Result<()> {
    loop {
        hosts.iter().for_each(|host| host.run_jobs());
        for host in hosts {
            host.all_components().iter().try_for_each(|component| component.settle())?;
        }
        if !hosts.iter().any(|host| host.run_queue.has_jobs()) {
            return Ok(());
        }
    }
}
