//! Who waits for a message of one queue. A wake is a hint to try again, never a message: so a
//! waiter that leaves swallows nothing, and one that leaves with an unused wake passes it on.
//!
//! Invariant: a sender makes its message count, then reads `waiting`; a waiter adds itself to
//! `waiting`, then looks at the counts. All four are sequentially consistent (FIFO: the counts are
//! behind the queue's mutex), so at least one of the two sees the other.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use trunkline_journal::Signal;
use trunkline_types::Millis;
use trunkline_types::sync::atomic::{AtomicUsize, Ordering};
use trunkline_types::sync::{Arc, Condvar, Mutex, lock};

/// Names one subscription; ids grow, so their order is the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(u64);

/// What had happened to a subscription when it was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing: it was still waiting.
    Waiting,
    /// It was woken; the caller has tried again, or gives the wake back by ending.
    Woken,
    /// Its deadline passed on the virtual clock before a message came.
    Expired,
}

#[derive(Default)]
/// The subscriptions of one resource.
pub struct Waiters {
    waiting: AtomicUsize,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    next: u64,
    waiting: BTreeMap<WaiterId, Waiter>,
    ended: HashMap<WaiterId, Ended>,
}

struct Waiter {
    signal: Arc<dyn Signal>,
    deadline: Option<Millis>,
}

impl Waiters {
    /// Adds a subscription; with a deadline, see [`Waiters::expire`].
    pub fn subscribe(&self, signal: Arc<dyn Signal>, deadline: Option<Millis>) -> WaiterId {
        let mut list = lock(&self.list);
        let id = WaiterId(list.next);
        list.next += 1;
        list.waiting.insert(id, Waiter { signal, deadline });
        self.waiting.fetch_add(1, Ordering::SeqCst);
        id
    }

    /// Ends a subscription. The caller passes an unused wake on (see `Queue::unsubscribe`).
    pub fn unsubscribe(&self, id: WaiterId) -> Ended {
        let mut list = lock(&self.list);
        if list.waiting.remove(&id).is_some() {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Ended::Waiting;
        }
        list.ended.remove(&id).unwrap_or(Ended::Waiting)
    }

    /// Subscriptions that wait for a wake.
    #[inline]
    pub fn len(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Whether a wake would reach no subscription.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Wakes up to `count` waiters, the longest waiting first. Call without holding any lock.
    pub fn wake(&self, count: usize) {
        if count == 0 || self.is_empty() {
            return;
        }
        let mut woken = Vec::new();
        {
            let mut list = lock(&self.list);
            while woken.len() < count {
                let Some((id, waiter)) = list.waiting.pop_first() else { break };
                list.ended.insert(id, Ended::Woken);
                woken.push(waiter.signal);
            }
            self.waiting.fetch_sub(woken.len(), Ordering::SeqCst);
        }
        // The lock is released first: a signal may run code that subscribes again.
        woken.iter().for_each(|signal| signal.signal());
    }

    /// Wakes all waiters: the queue is gone, or the engine closes.
    pub fn wake_all(&self) {
        self.wake(usize::MAX);
    }

    /// Ends the waits whose deadline has come on a virtual clock.
    pub fn expire(&self, now: Millis) {
        let mut expired = Vec::new();
        {
            let mut list = lock(&self.list);
            let due: Vec<WaiterId> = list
                .waiting
                .iter()
                .filter(|(_, waiter)| waiter.deadline.is_some_and(|deadline| deadline <= now))
                .map(|(id, _)| *id)
                .collect();
            for id in due {
                if let Some(waiter) = list.waiting.remove(&id) {
                    list.ended.insert(id, Ended::Expired);
                    expired.push(waiter.signal);
                }
            }
            self.waiting.fetch_sub(expired.len(), Ordering::SeqCst);
        }
        expired.iter().for_each(|signal| signal.signal());
    }
}

/// A signal that one thread sleeps on.
#[derive(Default)]
pub struct Parker {
    signalled: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    /// Sleeps until signalled or until `timeout` is over; whether it was signalled.
    pub fn park(&self, timeout: Duration) -> bool {
        let end = Instant::now().checked_add(timeout);
        let mut signalled = lock(&self.signalled);
        while !*signalled {
            let left = match end {
                Some(end) => end.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(3_600),
            };
            if left.is_zero() {
                return false;
            }
            signalled = match self.changed.wait_timeout(signalled, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *signalled = false;
        true
    }
}

impl Signal for Parker {
    fn signal(&self) {
        *lock(&self.signalled) = true;
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parker() -> Arc<Parker> {
        Arc::new(Parker::default())
    }

    fn was_signalled(parker: &Parker) -> bool {
        parker.park(Duration::ZERO)
    }

    #[test]
    fn one_wake_reaches_the_longest_waiting_only() {
        let (waiters, first, second) = (Waiters::default(), parker(), parker());
        let one = waiters.subscribe(first.clone(), None);
        let two = waiters.subscribe(second.clone(), None);
        waiters.wake(1);
        assert!(was_signalled_later(&first) && !was_signalled(&second));
        assert_eq!(waiters.unsubscribe(one), Ended::Woken);
        assert_eq!(waiters.unsubscribe(two), Ended::Waiting);
        assert!(waiters.is_empty());
    }

    fn was_signalled_later(parker: &Parker) -> bool {
        parker.park(Duration::from_secs(1))
    }

    #[test]
    fn a_virtual_deadline_ends_only_the_waits_it_belongs_to() {
        let (waiters, early, late) = (Waiters::default(), parker(), parker());
        let one = waiters.subscribe(early, Some(5));
        let two = waiters.subscribe(late, Some(6));
        waiters.expire(5);
        assert_eq!(waiters.unsubscribe(one), Ended::Expired);
        assert_eq!(waiters.unsubscribe(two), Ended::Waiting);
    }
}
