//! The wait for durability: what a verb that is done waits for before its caller is told so.
//!
//! Every surface asks [`Host::begin_settle`], which decides what has to be waited for at all, and
//! then blocks ([`Settling::wait`]) or is signalled ([`Settling::poll`]). [`Host::settle`] does
//! both, and blocks.

use std::sync::Arc;
use std::time::Duration;

use trunkline_journal::{Journal, Signal, Ticket};
use trunkline_types::{Deadline, Durability, ResourceName, Result};

use crate::host::Host;
use crate::operation::Operation;

/// A wait of a call: for the end of an injected pause, then for a write.
#[must_use = "the caller is told once it is over"]
#[derive(Debug, Clone, Copy)]
pub struct Settling {
    pause: Option<Deadline>,
    ticket: Option<Ticket>,
    level: Durability,
}

/// What a poll of [`Settling`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The wait is over.
    Yes,
    /// Poll again when the signal is called.
    OnSignal,
    /// Poll again when this time has passed.
    After(Duration),
}

impl Host {
    /// Blocks until the verb that handed out `ticket` is as durable as `level` says.
    #[inline]
    pub fn settle(
        &self,
        resource: &ResourceName,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> Result<()> {
        match self.begin_settle(resource, ticket, level)? {
            None => Ok(()),
            Some(settling) => settling.wait(self),
        }
    }

    /// What the verb that handed out `ticket` waits for; `None` if there is nothing more.
    ///
    /// The faults of a commit are asked here, once a verb, in memory too: the verb is done, and a
    /// fault concerns its durability alone. A copy into the page cache takes microseconds, which is
    /// less than any way of waiting for it, so it is made here.
    #[inline]
    pub fn begin_settle(
        &self,
        resource: &ResourceName,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> Result<Option<Settling>> {
        if self.faults.is_active() && self.is_committed(ticket, level) {
            return self.begin_settle_with_faults(resource, ticket, level);
        }
        match ticket {
            None => Ok(None),
            Some(ticket) => self.begin_wait(ticket, level),
        }
    }

    #[cold]
    fn begin_settle_with_faults(
        &self,
        resource: &ResourceName,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> Result<Option<Settling>> {
        let pause = self.faults.check(Operation::COMMIT, resource)?.delay;
        match ticket {
            _ if !pause.is_zero() => Ok(Some(Settling { ticket, level, ..Settling::pause(pause) })),
            None => Ok(None),
            Some(ticket) => self.begin_wait(ticket, level),
        }
    }

    fn begin_wait(&self, ticket: Ticket, level: Durability) -> Result<Option<Settling>> {
        if !self.waits_for_disk(level) {
            return self.wait(ticket, level).map(|()| None);
        }
        match self.is_settled(ticket, level)? {
            true => Ok(None),
            false => Ok(Some(Settling::write(ticket, level))),
        }
    }

    /// What a receive that has leased something waits for: nothing, unless the engine was opened
    /// so that receives are durable.
    #[inline]
    pub fn ticket_of_receive(&self) -> Option<Ticket> {
        if !self.durable_receives {
            return None;
        }
        self.journal.as_ref().map(Journal::appended)
    }

    /// Whether a verb waits for what it wrote, or would if the engine had anywhere to write.
    fn is_committed(&self, ticket: Option<Ticket>, level: Durability) -> bool {
        self.durability == Durability::Memory || (ticket.is_some() && level > Durability::Memory)
    }

    /// Whether a wait at `level` may last as long as a sync: its own, or, in an engine that syncs,
    /// the one of another caller that is under way.
    fn waits_for_disk(&self, level: Durability) -> bool {
        level > Durability::Memory && self.durability == Durability::Disk
    }
}

impl Settling {
    pub(crate) fn pause(pause: Duration) -> Self {
        Self { pause: Some(Deadline::after(pause)), ticket: None, level: Durability::Memory }
    }

    pub(crate) fn write(ticket: Ticket, level: Durability) -> Self {
        Self { pause: None, ticket: Some(ticket), level }
    }

    /// How much is left of the pause that a fault injected.
    pub fn pause_left(&self) -> Duration {
        self.pause.map_or(Duration::ZERO, |pause| pause.left())
    }

    /// The write to wait for after that, if there is one.
    pub fn ticket(&self) -> Option<Ticket> {
        self.ticket
    }

    /// How durable that write has to be.
    pub fn level(&self) -> Durability {
        self.level
    }

    /// Blocks until the wait is over; fails when what it waits for will never be durable.
    pub fn wait(&self, host: &Host) -> Result<()> {
        std::thread::sleep(self.pause_left());
        self.ticket.map_or(Ok(()), |ticket| host.wait(ticket, self.level))
    }

    /// Whether the wait is over; fails when what it waits for will never be durable.
    pub fn is_over(&self, host: &Host) -> Result<bool> {
        let settled = |ticket| host.is_settled(ticket, self.level);
        Ok(self.pause_left().is_zero() && self.ticket.map_or(Ok(true), settled)?)
    }

    /// Whether the wait is over; fails when what it waits for will never be durable. If it waits
    /// for a write, `signal` is called once when another poll is worth it.
    pub fn poll(&self, host: &Host, signal: impl FnOnce() -> Arc<dyn Signal>) -> Result<Settled> {
        let left = self.pause_left();
        if !left.is_zero() {
            return Ok(Settled::After(left));
        }
        match self.ticket {
            Some(ticket) if !host.is_settled(ticket, self.level)? => {
                host.notify_when(ticket, self.level, signal())?;
                Ok(Settled::OnSignal)
            }
            _ => Ok(Settled::Yes),
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_journal::sim::SimStorage;
    use trunkline_types::{Code, ResourceKind};

    use super::*;
    use crate::codec::Encode;
    use crate::faults::{Effect, ResourcePattern, Rule};
    use crate::options::OpenOptions;
    use crate::waiters::Parker;

    struct Fact;

    impl Encode for Fact {
        fn encode(&self, out: &mut Vec<u8>) {
            out.push(255);
        }
    }

    fn name() -> ResourceName {
        ResourceName::local(ResourceKind("thing"), "one")
    }

    fn strike(host: &Host, effect: Effect) {
        let (operation, resource) = (Operation::COMMIT, ResourcePattern::of(name()));
        host.faults.add(Rule { operation, resource, effect, after: 0, times: Some(1) });
    }

    fn on_disk(durable_receives: bool) -> Arc<Host> {
        let storage = Some(Arc::new(SimStorage::new()) as _);
        let options = OpenOptions { storage, durable_receives, ..OpenOptions::memory() };
        Host::open(OpenOptions { durability: Durability::Disk, ..options }, &[]).unwrap()
    }

    fn append(host: &Host) -> Option<Ticket> {
        let mut log = host.append().unwrap();
        log.append(&Fact);
        log.ticket()
    }

    #[test]
    fn faults_of_a_commit_strike_where_the_disk_would_be_waited_for() {
        let memory = Host::open(OpenOptions::memory(), &[]).unwrap();
        strike(&memory, Effect::Fail("no".into()));
        let failed = memory.settle(&name(), None, Durability::Memory).unwrap_err();
        assert_eq!((failed.code(), failed.message()), (Code::InjectedFault, "no"));
        let delayed = |by| {
            strike(&memory, Effect::Delay(by));
            memory.begin_settle(&name(), None, Durability::Memory).unwrap().unwrap()
        };
        let settling = delayed(Duration::from_secs(3_600));
        assert!(matches!(settling.poll(&memory, || unreachable!()), Ok(Settled::After(_))));
        let settling = delayed(Duration::from_millis(1));
        settling.wait(&memory).unwrap();
        assert_eq!(settling.poll(&memory, || unreachable!()), Ok(Settled::Yes));
        // A verb that lowers its level waits for nothing, so no commit is there to strike.
        let disk = on_disk(false);
        strike(&disk, Effect::Fail("no".into()));
        disk.settle(&name(), append(&disk), Durability::Memory).unwrap();
        assert!(disk.settle(&name(), append(&disk), Durability::Disk).is_err());
    }

    #[test]
    fn a_write_is_over_when_the_disk_has_it_and_the_signal_tells() {
        let host = on_disk(false);
        let settling =
            host.begin_settle(&name(), append(&host), Durability::Disk).unwrap().unwrap();
        let parker = Arc::new(Parker::default());
        if settling.poll(&host, || parker.clone()).unwrap() == Settled::OnSignal {
            assert!(parker.park(Duration::from_secs(30)));
        }
        assert_eq!(settling.is_over(&host), Ok(true));
        let ticket = settling.ticket();
        assert!(host.begin_settle(&name(), ticket, Durability::Disk).unwrap().is_none());
    }

    #[test]
    fn a_receive_waits_for_its_lease_only_in_an_engine_that_was_opened_so() {
        let (usual, durable) = (on_disk(false), on_disk(true));
        append(&usual);
        assert_eq!(usual.ticket_of_receive(), None);
        let ticket = append(&durable);
        assert_eq!(durable.ticket_of_receive(), ticket);
    }
}
