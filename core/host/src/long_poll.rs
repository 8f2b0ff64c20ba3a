//! Long polls: try, subscribe, try again, wait, until something is found or the time is over.
//!
//! [`LongPoll::poll`] never blocks, so that a thread, an event loop and a task of the server each
//! wait in their own way; [`LongPoll::block`] is the loop of a thread.

use std::sync::Arc;
use std::time::Duration;

use trunkline_journal::Signal;
use trunkline_types::{Deadline, Millis};

use crate::host::{Host, Ticker, TimerKey};
use crate::waiters::{Ended, Parker, WaiterId, Waiters};

/// A resource whose content callers wait for.
pub trait Awaited: Send + Sync {
    /// The host of the resource.
    fn host(&self) -> &Arc<Host>;

    /// Those who wait.
    fn waiters(&self) -> &Waiters;

    /// Whether a try would find something now, about.
    fn has_content(&self) -> bool;

    /// The timer that ends waits on a virtual clock: it calls [`Waiters::expire`] when it fires.
    fn waiters_timer(&self) -> TimerKey;
}

/// A place in the line of those who wait. Dropping it gives the place up; a wake that was not used
/// goes to the next.
pub struct Subscription {
    resource: Arc<dyn Awaited>,
    id: WaiterId,
}

impl Subscription {
    /// Asks for one call of `signal` when a try may find something, or at the time `until` of a
    /// virtual clock. Try after subscribing and after every call.
    pub fn new(resource: Arc<dyn Awaited>, signal: Arc<dyn Signal>, until: Option<Millis>) -> Self {
        let host = resource.host();
        let until = until.filter(|_| host.clock.is_virtual());
        let id = resource.waiters().subscribe(signal, until);
        if let Some(at) = until {
            host.arm(resource.waiters_timer(), at);
        }
        Ticker::enter(host);
        Self { resource, id }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        Ticker::leave(self.resource.host());
        let waiters = self.resource.waiters();
        if waiters.unsubscribe(self.id) == Ended::Woken && self.resource.has_content() {
            waiters.wake(1);
        }
    }
}

/// When a long poll ends. On a virtual clock that is when so much time has passed there or in the
/// world, so that a program of one thread cannot wait for itself.
#[derive(Debug, Clone, Copy)]
pub struct WaitEnd {
    virtual_time: Option<Millis>,
    deadline: Deadline,
}

impl WaitEnd {
    /// The end of a wait that starts now.
    pub fn after(host: &Host, wait: Millis) -> Self {
        let clock = &host.clock;
        let virtual_time = clock.is_virtual().then(|| clock.now().saturating_add(wait));
        Self { virtual_time, deadline: Deadline::after(Duration::from_millis(wait)) }
    }

    /// How much of the wait is left in the world.
    pub fn left(&self) -> Duration {
        self.deadline.left()
    }

    /// Whether the wait is over.
    pub fn is_over(&self, host: &Host) -> bool {
        self.virtual_time.is_some_and(|at| host.clock.now() >= at) || self.left().is_zero()
    }
}

/// What a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled<T> {
    /// The attempt found this.
    Found(T),
    /// The time is over, and nothing was found.
    Over,
    /// Poll again when the signal is called, or when this time has passed.
    Wait(Duration),
}

/// One long poll. Dropping it ends it; a wake that was not used goes to the next who waits.
pub struct LongPoll {
    resource: Arc<dyn Awaited>,
    end: WaitEnd,
    subscription: Option<Subscription>,
}

impl LongPoll {
    /// A long poll that waits up to `wait` for what a resource may have.
    pub fn new(resource: Arc<dyn Awaited>, wait: Millis) -> Self {
        let end = WaitEnd::after(resource.host(), wait);
        Self { resource, end, subscription: None }
    }

    /// Whether the time is over. A poll tells so only when it finds nothing.
    pub fn is_over(&self) -> bool {
        self.end.is_over(self.resource.host())
    }

    /// Tries, and if there is nothing and time is left, has the signal that `signal` makes called
    /// once when another poll is worth it.
    pub fn poll<T, E>(
        &mut self,
        signal: impl FnOnce() -> Result<Arc<dyn Signal>, E>,
        mut attempt: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Polled<T>, E> {
        // The last place is given up after the attempt: one that finds something uses its wake up.
        let first = attempt();
        self.subscription = None;
        if let Some(found) = first? {
            return Ok(Polled::Found(found));
        }
        if self.is_over() {
            return Ok(Polled::Over);
        }
        let subscription =
            Subscription::new(self.resource.clone(), signal()?, self.end.virtual_time);
        // Something may have come between the attempt and the subscription.
        match attempt()? {
            Some(found) => Ok(Polled::Found(found)),
            None => {
                self.subscription = Some(subscription);
                Ok(Polled::Wait(self.end.left()))
            }
        }
    }

    /// Blocks until an attempt finds something or the time is over.
    pub fn block<T, E>(
        self,
        attempt: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        self.block_with(attempt, |parker, left| {
            parker.park(left);
            Ok(())
        })
    }

    /// Blocks until an attempt finds something or the time is over. `park` lets the calling thread
    /// sleep until the parker is signalled or the time has passed; an error of it ends the wait.
    pub fn block_with<T, E>(
        mut self,
        mut attempt: impl FnMut() -> Result<Option<T>, E>,
        mut park: impl FnMut(&Parker, Duration) -> Result<(), E>,
    ) -> Result<Option<T>, E> {
        let parker = Arc::new(Parker::default());
        loop {
            match self.poll(|| Ok(parker.clone()), &mut attempt)? {
                Polled::Found(found) => return Ok(Some(found)),
                Polled::Over => return Ok(None),
                Polled::Wait(left) => park(&parker, left)?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_types::ResourceId;
    use trunkline_types::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::options::OpenOptions;

    struct Thing {
        host: Arc<Host>,
        waiters: Waiters,
        content: AtomicBool,
    }

    impl Awaited for Thing {
        fn host(&self) -> &Arc<Host> {
            &self.host
        }

        fn waiters(&self) -> &Waiters {
            &self.waiters
        }

        fn has_content(&self) -> bool {
            self.content.load(Ordering::SeqCst)
        }

        fn waiters_timer(&self) -> TimerKey {
            TimerKey { owner: ResourceId(1), slot: 0 }
        }
    }

    impl Thing {
        fn new() -> Arc<Self> {
            let host = Host::open(OpenOptions::memory(), &[]).unwrap();
            Arc::new(Self { host, waiters: Waiters::default(), content: AtomicBool::new(false) })
        }

        fn attempt(&self) -> Result<Option<()>, ()> {
            Ok(self.content.swap(false, Ordering::SeqCst).then_some(()))
        }
    }

    #[test]
    fn a_poll_finds_what_is_there_without_waiting_and_waits_for_what_is_not() {
        let thing = Thing::new();
        let mut poll = LongPoll::new(thing.clone(), 60_000);
        thing.content.store(true, Ordering::SeqCst);
        let parker = Arc::new(Parker::default());
        let signal = || Ok::<Arc<dyn Signal>, ()>(parker.clone());
        assert_eq!(poll.poll(signal, || thing.attempt()), Ok(Polled::Found(())));
        assert!(thing.waiters.is_empty());
        assert!(matches!(poll.poll(signal, || thing.attempt()), Ok(Polled::Wait(_))));
        assert_eq!(thing.waiters.len(), 1);
        thing.content.store(true, Ordering::SeqCst);
        thing.waiters.wake(1);
        assert!(parker.park(Duration::from_secs(30)));
        assert_eq!(poll.poll(signal, || thing.attempt()), Ok(Polled::Found(())));
    }

    #[test]
    fn a_poll_that_is_given_up_hands_its_unused_wake_to_the_next() {
        let thing = Thing::new();
        let (first, second) = (Arc::new(Parker::default()), Arc::new(Parker::default()));
        let mut polls = [first.clone(), second.clone()].map(|parker| {
            let mut poll = LongPoll::new(thing.clone(), 60_000);
            let waits = poll.poll(|| Ok(parker.clone()), || thing.attempt());
            assert!(matches!(waits, Ok(Polled::Wait(_))));
            Some(poll)
        });
        thing.content.store(true, Ordering::SeqCst);
        thing.waiters.wake(1);
        assert!(first.park(Duration::ZERO) && !second.park(Duration::ZERO));
        polls[0] = None;
        assert!(second.park(Duration::ZERO));
    }

    #[test]
    fn a_thread_waits_until_the_time_is_over_or_its_error() {
        let thing = Thing::new();
        let block = |wait| LongPoll::new(thing.clone(), wait);
        assert_eq!(block(0).block(|| thing.attempt()), Ok(None));
        assert_eq!(block(2).block(|| thing.attempt()), Ok(None));
        assert_eq!(block(60_000).block_with(|| thing.attempt(), |_, _| Err(())), Err(()));
        assert!(thing.waiters.is_empty());
    }
}
