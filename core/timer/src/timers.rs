//! The shareable whole: any thread arms without waiting; the first that finds something due sweeps.
//!
//! `next_due` never lies above the earliest entry that no thread is sweeping. A push links its node
//! and *then* lowers `next_due`; a sweeper raises `next_due` and *then* takes the list. So a push
//! that the raise overwrote has linked before the list was taken, and the sweeper, who lowers
//! `next_due` to the wheel's earliest at the end, has seen it.

use trunkline_types::Millis;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, lock, try_lock};

use crate::inbox::Inbox;
use crate::wheel::Wheel;

/// No entry waits.
const NEVER: Millis = Millis::MAX;

/// Timers that threads share.
///
/// Callbacks run while the wheel is locked: they may arm, but must not sweep or ask for
/// [`Timers::next_due`]. A lock that a callback takes must not be held around those either.
#[derive(Debug)]
pub struct Timers<K> {
    next_due: AtomicU64,
    inbox: Inbox<K>,
    wheel: Mutex<Wheel<K>>,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// How many entries fired.
    pub fired: usize,
    /// Whether something that is due was left: to the next sweep, or to the thread that sweeps now.
    pub more: bool,
}

impl<K: Copy> Timers<K> {
    /// Timers without an entry, whose time is `now`.
    pub fn new(now: Millis) -> Self {
        Self {
            next_due: AtomicU64::new(NEVER),
            inbox: Inbox::new(),
            wheel: Mutex::new(Wheel::new(now)),
        }
    }

    /// Enters `key` for `at`. Never waits; one allocation.
    #[inline]
    pub fn arm(&self, key: K, at: Millis) {
        self.arm_many(&[(key, at)]);
    }

    /// Enters several keys at once.
    pub fn arm_many(&self, entries: &[(K, Millis)]) {
        let Some(earliest) = entries.iter().map(|entry| entry.1).min() else { return };
        self.inbox.push(entries);
        self.next_due.fetch_min(earliest, Ordering::AcqRel);
    }

    /// Whether a sweep at `now` may find something. One relaxed load; false while another thread
    /// sweeps.
    #[inline]
    pub fn is_due(&self, now: Millis) -> bool {
        self.next_due.load(Ordering::Relaxed) <= now
    }

    /// The time of the earliest entry, or a time before it (see [`Wheel::next_due`]). Waits for a
    /// sweep that is going on, so that the answer can be slept on.
    pub fn next_due(&self) -> Option<Millis> {
        let mut wheel = lock(&self.wheel);
        self.take_inbox(&mut wheel);
        self.publish(&wheel)
    }

    /// Fires what is due at `now`, in order of time, with at most `limit` steps of work. When
    /// another thread sweeps, this one goes on at once.
    pub fn sweep(
        &self,
        now: Millis,
        limit: usize,
        fire: impl FnMut(K, Millis) -> Option<Millis>,
    ) -> Swept {
        match try_lock(&self.wheel) {
            Some(mut wheel) => self.sweep_locked(&mut wheel, now, limit, fire),
            None => Swept { fired: 0, more: true },
        }
    }

    /// Fires everything that is due at `now`, after waiting for a sweep that is going on. For a
    /// virtual clock: step it to [`Timers::next_due`], sweep, repeat.
    pub fn sweep_all(&self, now: Millis, fire: impl FnMut(K, Millis) -> Option<Millis>) -> Swept {
        self.sweep_locked(&mut lock(&self.wheel), now, usize::MAX, fire)
    }

    fn sweep_locked(
        &self,
        wheel: &mut Wheel<K>,
        now: Millis,
        limit: usize,
        mut fire: impl FnMut(K, Millis) -> Option<Millis>,
    ) -> Swept {
        self.take_inbox(wheel);
        // Should a callback panic, the entries that are left still count as due.
        let (fired, more) = {
            let _republish = Republish { timers: self, now };
            wheel.expire_some(now, limit, |key| fire(key, now))
        };
        let next = self.publish(wheel);
        // Callbacks may have armed: what they armed lies in the inbox and has lowered `next_due`.
        Swept { fired, more: more || next.is_some_and(|next| next <= now) || self.is_due(now) }
    }

    fn take_inbox(&self, wheel: &mut Wheel<K>) {
        // IMPORTANT: before the list is taken; see the head of the file. A read-modify-write, so
        // that a push whose value is overwritten is seen with its node.
        self.next_due.swap(NEVER, Ordering::AcqRel);
        self.inbox.drain(|key, at| wheel.insert(key, at));
    }

    fn publish(&self, wheel: &Wheel<K>) -> Option<Millis> {
        let next = wheel.next_due()?;
        self.next_due.fetch_min(next, Ordering::AcqRel);
        Some(next)
    }
}

/// Makes the timers due at `now` when it is dropped by a panic.
struct Republish<'a, K> {
    timers: &'a Timers<K>,
    now: Millis,
}

impl<K> Drop for Republish<'_, K> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.timers.next_due.fetch_min(self.now, Ordering::AcqRel);
        }
    }
}
