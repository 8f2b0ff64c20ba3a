//! How many attempts may run: for each host, for all hosts that fail together, and for all.
//!
//! Invariant: an attempt that runs holds one [`Slot`] of its host, and dropping the slot gives it
//! back. So hosts that fail, however many there are, leave half of the attempts to the others.

use std::collections::HashMap;
use std::sync::Arc;

use trunkline_types::sync::{Mutex, lock};

use super::endpoint::Host;

/// Hosts remembered because they fail. Forgetting one costs a few attempts.
const FAILING_HOSTS_MAX: usize = 16_384;

/// The bounds of attempts that run at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub per_host: u32,
    pub total: u32,
}

pub(super) struct Hosts {
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hosts: HashMap<Host, HostState>,
    running: u32,
    /// Attempts to hosts that were failing when the attempt began.
    running_failing: u32,
}

#[derive(Default)]
struct HostState {
    running: u32,
    is_failing: bool,
}

/// A bound that keeps an attempt from running. Of several that apply, the first here is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The host's own: wait until an attempt at this host ends.
    Host,
    /// The share of all hosts that fail: wait until an attempt at one of them ends.
    Failing,
    /// The bound over all: wait until any attempt ends.
    Total,
}

/// The right to one attempt. Dropping it gives it back.
pub struct Slot {
    hosts: Arc<Hosts>,
    host: Host,
    counts_as_failing: bool,
    is_healthy: Option<bool>,
}

impl Hosts {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, state: Mutex::new(State::default()) }
    }

    /// The right to one attempt at `host`, or the bound that is reached.
    pub fn slot(self: &Arc<Self>, host: &Host) -> Result<Slot, Gate> {
        let mut state = lock(&self.state);
        let known = state.hosts.get(host);
        let is_failing = known.is_some_and(|host| host.is_failing);
        let running = known.map_or(0, |host| host.running);
        if running >= if is_failing { 1 } else { self.bounds.per_host } {
            return Err(Gate::Host);
        }
        if is_failing && state.running_failing >= self.bounds.total.div_ceil(2) {
            return Err(Gate::Failing);
        }
        if state.running >= self.bounds.total {
            return Err(Gate::Total);
        }
        state.hosts.entry(host.clone()).or_default().running += 1;
        state.running += 1;
        state.running_failing += u32::from(is_failing);
        Ok(Slot {
            hosts: self.clone(),
            host: host.clone(),
            counts_as_failing: is_failing,
            is_healthy: None,
        })
    }

    fn give_back(&self, slot: &Slot) {
        let mut state = lock(&self.state);
        state.running -= 1;
        state.running_failing -= u32::from(slot.counts_as_failing);
        let Some(host) = state.hosts.get_mut(&slot.host) else { return };
        host.running -= 1;
        if let Some(is_healthy) = slot.is_healthy {
            host.is_failing = !is_healthy;
        }
        if host.running == 0 && !host.is_failing {
            state.hosts.remove(&slot.host);
        } else if state.hosts.len() > FAILING_HOSTS_MAX + self.bounds.total as usize {
            state.hosts.retain(|_, host| host.running > 0);
        }
    }
}

impl Slot {
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Gives the slot back, and remembers whether the host is alive.
    pub(super) fn finish(mut self, is_healthy: bool) {
        self.is_healthy = Some(is_healthy);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.hosts.clone().give_back(self);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn host(name: &str) -> Host {
        Host { name: name.to_owned(), port: 80, is_tls: false }
    }

    fn hosts() -> Arc<Hosts> {
        Arc::new(Hosts::new(Bounds { per_host: 3, total: 8 }))
    }

    #[test]
    fn a_host_gets_no_more_than_its_bound_and_nothing_is_remembered_of_a_living_one() {
        let hosts = hosts();
        let slots: Vec<_> = (0..3).map(|_| hosts.slot(&host("a")).unwrap()).collect();
        assert_eq!(hosts.slot(&host("a")).err(), Some(Gate::Host));
        assert!(hosts.slot(&host("b")).is_ok());
        slots.into_iter().for_each(|slot| slot.finish(true));
        assert!(lock(&hosts.state).hosts.is_empty());
        assert_eq!(lock(&hosts.state).running, 0);
    }

    #[test]
    fn a_failing_host_gets_one_attempt_at_a_time_until_one_succeeds() {
        let hosts = hosts();
        hosts.slot(&host("a")).unwrap().finish(false);
        let probe = hosts.slot(&host("a")).unwrap();
        assert_eq!(hosts.slot(&host("a")).err(), Some(Gate::Host));
        drop(probe);
        assert!(lock(&hosts.state).hosts[&host("a")].is_failing, "no attempt, no news");
        hosts.slot(&host("a")).unwrap().finish(true);
        let _one = hosts.slot(&host("a")).unwrap();
        assert!(hosts.slot(&host("a")).is_ok());
    }

    #[test]
    fn failing_hosts_leave_half_of_the_attempts_to_the_others() {
        let hosts = hosts();
        let names: Vec<_> = (0..6).map(|number| host(&format!("dead{number}"))).collect();
        names.iter().for_each(|name| hosts.slot(name).unwrap().finish(false));
        let slots: Vec<_> = names.iter().filter_map(|name| hosts.slot(name).ok()).collect();
        assert_eq!(slots.len(), 4);
        let living: Vec<_> =
            (0..4).filter_map(|n| hosts.slot(&host(&format!("l{n}"))).ok()).collect();
        assert_eq!(living.len(), 4);
        assert_eq!(hosts.slot(&names[5]).err(), Some(Gate::Failing));
        assert_eq!(hosts.slot(&host("one more")).err(), Some(Gate::Total));
    }
}
