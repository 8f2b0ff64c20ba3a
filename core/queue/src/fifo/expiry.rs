//! What time does: leases and delays end, messages and deduplication keys grow old.
//!
//! Timer entries are hints, keyed by slot. A slot remembers the earliest entry it has pending, so a
//! slot that is leased again and again has one entry, not one a lease. What goes by age (delay,
//! retention, the windows) shares one entry a queue: its *front*.

use trunkline_types::{Millis, Seq};

use super::slab::NIL;
use super::slot::{FifoMessageState, UNARMED};
use super::{FifoState, Removed};

/// The windows are swept this much later than they could be, so that a busy one is swept in
/// portions. What is out of the window does not count meanwhile.
const WINDOW_SLACK: Millis = 1_000;

/// What a timer entry came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FifoFired {
    /// When to fire again, if not only at entries that were armed otherwise.
    pub again: Option<Millis>,
    /// Whether a group can deliver now that could not before.
    pub visible: bool,
    /// The message whose lease ended.
    pub returned: Option<Seq>,
}

impl FifoState {
    /// The message in `slot` needs a timer entry for `at`. True: push one. False: one that fires
    /// in time is pending.
    #[inline]
    pub fn arm(&mut self, slot: u32, at: Millis) -> bool {
        let armed = &mut self.slots[slot].armed;
        let needed = at < *armed;
        if needed {
            *armed = at;
        }
        needed
    }

    /// A timer entry of `slot` fired: ends its lease if that is over.
    pub fn fire(&mut self, slot: u32, now: Millis) -> FifoFired {
        let Some(message) = self.slots.get(slot) else { return FifoFired::default() };
        let (occupied, due) = (message.is_occupied(), message.due);
        if message.armed <= now {
            self.slots[slot].armed = UNARMED;
        }
        if !occupied || self.slots[slot].state() != FifoMessageState::Leased {
            return FifoFired::default();
        }
        if due <= now {
            let returned = Some(self.slots[slot].seq);
            let visible = self.set_state(slot, FifoMessageState::Visible);
            return FifoFired { again: None, visible, returned };
        }
        let again = self.arm(slot, due).then_some(due);
        FifoFired { again, ..FifoFired::default() }
    }

    /// When the front of the queue needs a timer entry: push one for the time returned. Ask after
    /// sending and after a change of the rules.
    #[inline]
    pub fn arm_front(&mut self) -> Option<Millis> {
        let next = self.next_by_age()?;
        let needed = next < self.front_armed;
        if needed {
            self.front_armed = next;
        }
        needed.then_some(next)
    }

    /// A timer entry of the front fired: ends delays and sweeps the windows. Take what
    /// [`FifoState::expire`] gives first.
    pub fn fire_front(&mut self, now: Millis) -> FifoFired {
        if self.front_armed <= now {
            self.front_armed = UNARMED;
        }
        let visible = self.release_delayed(now);
        self.dedup.drop_old(now, self.rules.dedup_window, usize::MAX);
        self.attempts.drop_old(now, self.rules.attempt_window);
        FifoFired { again: self.arm_front(), visible, returned: None }
    }

    /// Removes the oldest message if it has reached its retention, in flight or not.
    pub fn expire(&mut self, now: Millis) -> Option<Removed> {
        self.decide_expire(now).map(|slot| self.remove(slot))
    }

    /// The oldest message, if it has reached its retention: the slot to be deleted.
    pub fn decide_expire(&self, now: Millis) -> Option<u32> {
        let oldest = self.slots.get(self.oldest)?;
        self.is_expired(oldest, now).then_some(self.oldest)
    }

    /// Ends the delays that are over. True if a group can deliver now and could not before.
    pub(super) fn release_delayed(&mut self, now: Millis) -> bool {
        let mut visible = false;
        while self.delayed_from != NIL {
            let slot = self.delayed_from;
            let message = &self.slots[slot];
            if message.sent().saturating_add(self.rules.delay) > now {
                break;
            }
            let newer = message.newer;
            if message.state() == FifoMessageState::Delayed {
                visible |= self.set_state(slot, FifoMessageState::Visible);
            }
            self.delayed_from = newer;
        }
        visible
    }

    /// The delay has grown: messages that were never received and are younger are held back.
    pub(super) fn hold_back(&mut self, now: Millis) {
        let mut slot = self.newest;
        while slot != NIL {
            let message = &self.slots[slot];
            if message.sent().saturating_add(self.rules.delay) <= now {
                break;
            }
            let older = message.older;
            if message.state() == FifoMessageState::Visible && message.deliveries == 0 {
                self.set_state(slot, FifoMessageState::Delayed);
            }
            self.delayed_from = slot;
            slot = older;
        }
    }

    /// When something goes by age next.
    fn next_by_age(&self) -> Option<Millis> {
        let swept =
            |at: Millis, window: Millis| at.saturating_add(window).saturating_add(WINDOW_SLACK);
        let sent = |slot: u32| self.slots.get(slot).map(|message| message.sent());
        let times = [
            sent(self.oldest).map(|sent| sent.saturating_add(self.rules.retention)),
            sent(self.delayed_from).map(|sent| sent.saturating_add(self.rules.delay)),
            self.dedup.oldest_at().map(|at| swept(at, self.rules.dedup_window)),
            self.attempts.oldest_at().map(|at| swept(at, self.rules.attempt_window)),
        ];
        times.into_iter().flatten().min()
    }
}
