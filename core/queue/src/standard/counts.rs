//! How many messages stand where, exact and always at hand.
//!
//! One word carries what is visible and what is in flight, so a verb changes both with one
//! instruction. A transition is counted after it was made: for a moment a counter may lag, or be
//! below zero when two threads hurry; the bias keeps that from borrowing out of the other half.
//!
//! The word is sequentially consistent: a sender that looks for waiters after its send, and a
//! receiver that looks at the counts after it registered as a waiter, cannot miss each other.

use trunkline_types::sync::atomic::{AtomicU64, Ordering};

use super::packed::Status;
use super::types::Counts;

const IN_FLIGHT: u64 = 1 << 32;
const VISIBLE: u64 = 1;
const BIAS: u32 = 1 << 31;

#[derive(Debug)]
pub(super) struct Counters {
    word: AtomicU64,
    delayed: AtomicU64,
}

impl Counters {
    pub(super) fn new() -> Self {
        let bias = u64::from(BIAS);
        Self { word: AtomicU64::new(bias * IN_FLIGHT + bias * VISIBLE), delayed: AtomicU64::new(0) }
    }

    /// A message that stands at `status` was added.
    #[inline]
    pub(super) fn enter(&self, status: Status) {
        self.shift(None, Some(status));
    }

    /// `count` messages that are ready were added.
    #[inline]
    pub(super) fn enter_ready(&self, count: u32) {
        self.word.fetch_add(u64::from(count) * VISIBLE, Ordering::SeqCst);
    }

    #[inline]
    pub(super) fn batch(&self) -> BatchCount<'_> {
        BatchCount { counters: self, delta: 0 }
    }

    /// A message left `from`; it stands at `to`, or is gone.
    #[inline]
    pub(super) fn shift(&self, from: Option<Status>, to: Option<Status>) {
        let delta = weight(to).wrapping_sub(weight(from));
        if delta != 0 {
            self.word.fetch_add(delta, Ordering::SeqCst);
        }
        if from == Some(Status::Delayed) {
            self.delayed.fetch_sub(1, Ordering::AcqRel);
        }
        if to == Some(Status::Delayed) {
            self.delayed.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Nothing can be received: a send that has ended was counted.
    #[inline]
    pub(super) fn none_visible(&self) -> bool {
        self.word.load(Ordering::Acquire) as u32 <= BIAS
    }

    #[inline]
    pub(super) fn read(&self) -> Counts {
        let word = self.word.load(Ordering::SeqCst);
        let delayed = self.delayed.load(Ordering::Acquire) as i64;
        Counts {
            visible: (word as u32).saturating_sub(BIAS),
            in_flight: ((word >> 32) as u32).saturating_sub(BIAS),
            delayed: u32::try_from(delayed.max(0)).unwrap_or(u32::MAX),
        }
    }
}

/// Transitions that are counted with one instruction, when this ends. Until then the counts lag.
#[derive(Debug)]
pub struct BatchCount<'a> {
    counters: &'a Counters,
    delta: u64,
}

impl BatchCount<'_> {
    /// A message left `from` and stands at `to`, neither of them a delay.
    #[inline]
    pub(super) fn shift(&mut self, from: Status, to: Status) {
        let delta = weight(Some(to)).wrapping_sub(weight(Some(from)));
        self.delta = self.delta.wrapping_add(delta);
    }
}

impl Drop for BatchCount<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.delta != 0 {
            self.counters.word.fetch_add(self.delta, Ordering::SeqCst);
        }
    }
}

#[inline]
fn weight(status: Option<Status>) -> u64 {
    match status {
        Some(Status::Ready | Status::Held) => VISIBLE,
        Some(Status::Leased) => IN_FLIGHT,
        _ => 0,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_hasty_receiver_leaves_the_other_counter_alone() {
        let counters = Counters::new();
        // The receiver counts before the sender has.
        counters.shift(Some(Status::Ready), Some(Status::Leased));
        assert_eq!(counters.read(), Counts { visible: 0, in_flight: 1, delayed: 0 });
        assert!(counters.none_visible());
        counters.enter(Status::Ready);
        assert_eq!(counters.read(), Counts { visible: 0, in_flight: 1, delayed: 0 });
        counters.shift(Some(Status::Leased), None);
        counters.enter(Status::Delayed);
        assert_eq!(counters.read(), Counts { visible: 0, in_flight: 0, delayed: 1 });
        counters.shift(Some(Status::Delayed), Some(Status::Held));
        assert_eq!(counters.read(), Counts { visible: 1, in_flight: 0, delayed: 0 });
    }
}
