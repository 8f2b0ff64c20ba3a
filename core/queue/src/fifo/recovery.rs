//! Recovery: the same `apply_*` functions in the order of the log, which is not the order of the
//! queue, because compaction appends messages again.
//!
//! Between [`FifoState::begin_recovery`] and [`FifoState::end_recovery`] messages are found by
//! number and only hold their state; they are put into their lists once, at the end, in order.

use trunkline_types::{Millis, Seq};

use super::slot::FifoMessageState;
use super::{FifoSlotRef, FifoState};

impl FifoState {
    /// From now on records are replayed: any order of numbers, the same message more than once.
    pub fn begin_recovery(&mut self) {
        assert!(self.slots.live() == 0, "only an empty queue can be recovered");
        self.is_recovering = true;
    }

    /// Everything was replayed. Leases that are over at `now` have ended; for each that is not,
    /// `arm` is told the slot and the time it needs a timer entry for. Ask
    /// [`FifoState::arm_front`] afterwards.
    pub fn end_recovery(&mut self, now: Millis, mut arm: impl FnMut(u32, Millis)) {
        self.is_recovering = false;
        self.dedup.sort();
        let recovered = std::mem::take(&mut self.recovered);
        for (_, slot) in recovered.iter() {
            let state = self.settled_state(slot, now);
            let due = self.slots[slot].due;
            if state == FifoMessageState::Leased && self.arm(slot, due) {
                arm(slot, due);
            }
            self.slots[slot].set_state(state);
            self.link(slot);
        }
        self.recovered = recovered;
    }

    /// How a message stands at `now` under the rules as they are at last.
    fn settled_state(&self, slot: u32, now: Millis) -> FifoMessageState {
        let message = &self.slots[slot];
        if message.state() == FifoMessageState::Leased && message.due > now {
            return FifoMessageState::Leased;
        }
        let delay = self.rules.delay;
        let is_fresh = message.deliveries == 0 && delay > 0;
        match is_fresh && message.sent().saturating_add(delay) > now {
            true => FifoMessageState::Delayed,
            false => FifoMessageState::Visible,
        }
    }

    /// The slot of message `seq`: during recovery, and for messages that recovery brought.
    pub fn lookup(&self, seq: Seq) -> Option<u32> {
        self.recovered.get(seq)
    }

    /// The place of message `seq`, for a receipt of an earlier run.
    pub fn slot_of(&self, seq: Seq) -> Option<FifoSlotRef> {
        let slot = self.lookup(seq)?;
        Some(FifoSlotRef { slot, generation: super::send::generation(seq) })
    }
}
