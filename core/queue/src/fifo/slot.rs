//! One message in memory: 64 bytes and its payload.

use trunkline_types::{Millis, Seq};

use super::slab::{Linked, NIL};
use crate::Payload;

/// No timer entry is known to be pending.
pub(super) const UNARMED: Millis = Millis::MAX;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FifoMessageState {
    /// Not in flight and not delayed; deliverable unless an earlier one of its group blocks it.
    Visible = 1,
    /// Sent, and still held back by the queue's delay.
    Delayed = 2,
    /// In flight.
    Leased = 3,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub seq: Seq,
    // Bits 16..64 the time it was sent, 8..16 the caller's flags, 0..8 the state and marks.
    word: u64,
    /// When the lease ends; means something while leased.
    pub due: Millis,
    /// An entry that fires at this time or earlier is pending. Outlives the message: entries are
    /// keyed by the slot.
    pub armed: Millis,
    /// Means something once it was delivered.
    pub first_received: Millis,
    pub deliveries: u32,
    pub group: u32,
    /// Neighbours in the group, in order of `seq`.
    pub before: u32,
    pub after: u32,
    /// Neighbours in the queue, in order of the time sent.
    pub older: u32,
    pub newer: u32,
    pub payload: Payload,
}

const STATE_MASK: u64 = 0x0f;
/// The lease was changed since the delivery: a receive cannot be repeated.
const CHANGED: u64 = 0x10;
const SENT_SHIFT: u32 = 16;
const FLAGS_SHIFT: u32 = 8;

impl Slot {
    /// Makes the slot a message. What outlives messages stays.
    pub fn occupy(&mut self, seq: Seq, sent: Millis, flags: u8, payload: Payload) {
        assert!(sent >> (u64::BITS - SENT_SHIFT) == 0, "a time beyond the year 10889");
        self.seq = seq;
        self.word = sent << SENT_SHIFT
            | u64::from(flags) << FLAGS_SHIFT
            | u64::from(FifoMessageState::Visible as u8);
        self.payload = payload;
        (self.before, self.after, self.older, self.newer) = (NIL, NIL, NIL, NIL);
    }

    /// Empties the slot; returns what it held.
    pub fn vacate(&mut self) -> Payload {
        self.word = 0;
        std::mem::replace(&mut self.payload, empty())
    }

    #[inline]
    pub fn is_occupied(&self) -> bool {
        self.word & STATE_MASK != 0
    }

    #[inline]
    pub fn sent(&self) -> Millis {
        self.word >> SENT_SHIFT
    }

    #[inline]
    pub fn flags(&self) -> u8 {
        (self.word >> FLAGS_SHIFT) as u8
    }

    #[inline]
    pub fn state(&self) -> FifoMessageState {
        match self.word & STATE_MASK {
            1 => FifoMessageState::Visible,
            2 => FifoMessageState::Delayed,
            3 => FifoMessageState::Leased,
            _ => unreachable!("a free slot was asked for its state"),
        }
    }

    #[inline]
    pub fn set_state(&mut self, state: FifoMessageState) {
        self.word = self.word & !STATE_MASK | u64::from(state as u8);
    }

    pub fn is_changed(&self) -> bool {
        self.word & CHANGED != 0
    }

    pub fn set_changed(&mut self, changed: bool) {
        self.word = if changed { self.word | CHANGED } else { self.word & !CHANGED };
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            seq: 0,
            word: 0,
            due: 0,
            armed: UNARMED,
            first_received: 0,
            deliveries: 0,
            group: NIL,
            before: NIL,
            after: NIL,
            older: NIL,
            newer: NIL,
            payload: empty(),
        }
    }
}

impl Linked for Slot {
    fn link(&self) -> u32 {
        self.after
    }

    fn set_link(&mut self, link: u32) {
        self.after = link;
    }
}

/// Allocates nothing.
fn empty() -> Payload {
    Payload::Bytes(Box::default())
}

// The budget of memory a message; see the benchmark.
const _: () = assert!(size_of::<Slot>() <= 64 + size_of::<Payload>());
