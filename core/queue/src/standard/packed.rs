//! The packed words of the log: what one compare-and-swap has to see at once.
//!
//! ```text
//! State  [generation 32 | deliveries 24 | fair 1 | explicit seq 1 | behind head 1 | reference 1
//!         | status 4]
//! Tail   [generation 32 | closed 1 | index 11 | bytes 20]
//! Link   [generation 32 | page 32]
//! ```
//! A page's generation changes with every reuse and is part of all three, so a thread that slept
//! through a reuse fails its compare-and-swap instead of changing another message.

/// Where a slot stands. Zeroed memory, and a state of an earlier generation, mean "not published".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    /// A receiver went past before the sender published; the sender takes another slot.
    Poisoned = 1,
    /// To be received.
    Ready,
    /// To be received later.
    Delayed,
    /// Stored only: the fair scheduler decides when it is received.
    Held,
    /// Owned by one thread for a moment; was `Ready` or `Held`.
    Claim,
    /// Owned by one thread for a moment; was `Leased`.
    Holding,
    /// Owned by one thread for a moment; was `Delayed`.
    HoldingDelay,
    /// In flight.
    Leased,
    /// Deleted while a thread owned it, who finishes it.
    DeletedWhileClaimed,
    /// Over.
    Done,
}

const STATUSES: [Status; 10] = [
    Status::Poisoned,
    Status::Ready,
    Status::Delayed,
    Status::Held,
    Status::Claim,
    Status::Holding,
    Status::HoldingDelay,
    Status::Leased,
    Status::DeletedWhileClaimed,
    Status::Done,
];

const STATUS_MASK: u64 = 0xf;
const REFERENCE: u64 = 1 << 4;
const BEHIND_HEAD: u64 = 1 << 5;
const EXPLICIT_SEQ: u64 = 1 << 6;
const FAIR: u64 = 1 << 7;
const DELIVERIES_SHIFT: u32 = 8;
/// Deliveries are counted up to here and then stay.
pub(super) const DELIVERIES_MAX: u32 = (1 << 24) - 1;

/// The state of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State(pub u64);

impl State {
    #[inline]
    pub(super) fn new(generation: u32, status: Status) -> Self {
        Self(u64::from(generation) << 32 | status as u64)
    }

    #[inline]
    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub(super) fn is(self, status: Status) -> bool {
        self.0 & STATUS_MASK == status as u64
    }

    /// `None` for memory that never held a message.
    #[inline]
    pub(super) fn status(self) -> Option<Status> {
        STATUSES.get(((self.0 & STATUS_MASK) as usize).wrapping_sub(1)).copied()
    }

    #[inline]
    pub(super) fn with(self, status: Status) -> Self {
        Self(self.0 & !STATUS_MASK | status as u64)
    }

    #[inline]
    pub(super) fn deliveries(self) -> u32 {
        (self.0 as u32) >> DELIVERIES_SHIFT
    }

    #[inline]
    pub(super) fn with_deliveries(self, deliveries: u32) -> Self {
        let kept = self.0 & !(u64::from(DELIVERIES_MAX) << DELIVERIES_SHIFT);
        Self(kept | u64::from(deliveries.min(DELIVERIES_MAX)) << DELIVERIES_SHIFT)
    }

    /// The slot only names the place of a message that became visible again.
    #[inline]
    pub(super) fn is_reference(self) -> bool {
        self.0 & REFERENCE != 0
    }

    #[inline]
    pub(super) fn as_reference(self) -> Self {
        Self(self.0 | REFERENCE)
    }

    /// The head went past the slot while it was claimed.
    #[inline]
    pub(super) fn is_behind_head(self) -> bool {
        self.0 & BEHIND_HEAD != 0
    }

    #[inline]
    pub(super) fn with_behind_head(self, behind_head: bool) -> Self {
        Self(if behind_head { self.0 | BEHIND_HEAD } else { self.0 & !BEHIND_HEAD })
    }

    /// The sequence number is not the position but an entry of the page's own table.
    #[inline]
    pub(super) fn has_explicit_seq(self) -> bool {
        self.0 & EXPLICIT_SEQ != 0
    }

    #[inline]
    pub(super) fn with_explicit_seq(self, explicit_seq: bool) -> Self {
        Self(if explicit_seq { self.0 | EXPLICIT_SEQ } else { self.0 & !EXPLICIT_SEQ })
    }

    /// Whenever the message is visible it is `Held`, not `Ready`.
    #[inline]
    pub(super) fn is_fair(self) -> bool {
        self.0 & FAIR != 0
    }

    #[inline]
    pub(super) fn with_fair(self, fair: bool) -> Self {
        Self(if fair { self.0 | FAIR } else { self.0 & !FAIR })
    }

    /// The status in which this message is visible.
    #[inline]
    pub(super) fn visible_status(self) -> Status {
        if self.is_fair() { Status::Held } else { Status::Ready }
    }
}

const CLOSED: u64 = 1 << 31;
const INDEX_SHIFT: u32 = 20;
const INDEX_MASK: u64 = (1 << 11) - 1;
const BYTES_MASK: u64 = (1 << 20) - 1;

/// The end of a page: how many slots and body bytes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail(pub u64);

impl Tail {
    #[inline]
    pub(super) fn open(generation: u32) -> Self {
        Self(u64::from(generation) << 32)
    }

    #[inline]
    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    #[inline]
    pub(super) fn closed(self) -> Self {
        Self(self.0 | CLOSED)
    }

    #[inline]
    pub(super) fn index(self) -> u32 {
        (self.0 >> INDEX_SHIFT & INDEX_MASK) as u32
    }

    #[inline]
    pub(super) fn bytes(self) -> u32 {
        (self.0 & BYTES_MASK) as u32
    }

    /// `slots` and `bytes` further on.
    #[inline]
    pub(super) fn grown(self, slots: u32, bytes: u32) -> Self {
        Self(self.0 + (u64::from(slots) << INDEX_SHIFT) + u64::from(bytes))
    }
}

/// A page in one of its generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) generation: u32,
    pub(super) page: u32,
}

impl Link {
    /// Stands for "no page".
    pub(super) const NONE: u32 = u32::MAX;

    #[inline]
    pub(super) fn pack(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.page)
    }

    #[inline]
    pub(super) fn unpack(word: u64) -> Self {
        Self { generation: (word >> 32) as u32, page: word as u32 }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_state_do_not_touch_each_other() {
        let state = State::new(u32::MAX, Status::Leased)
            .with_deliveries(u32::MAX)
            .with_behind_head(true)
            .with_fair(true);
        assert_eq!(state.generation(), u32::MAX);
        assert_eq!(state.deliveries(), DELIVERIES_MAX);
        assert!(state.is(Status::Leased) && state.is_behind_head() && state.is_fair());
        assert!(!state.is_reference() && !state.has_explicit_seq());
        let state = state.with_deliveries(0).with_behind_head(false).with(Status::Done);
        assert_eq!((state.deliveries(), state.status()), (0, Some(Status::Done)));
        assert!(state.is_fair() && !state.is_behind_head() && state.generation() == u32::MAX);
    }

    #[test]
    fn every_status_survives_its_packing_and_zero_is_none() {
        assert_eq!(State(0).status(), None);
        for status in STATUSES {
            assert_eq!(State::new(1, status).status(), Some(status));
        }
    }

    #[test]
    fn a_tail_counts_slots_and_bytes_apart() {
        let mut tail = Tail::open(9);
        for _ in 0..1_024 {
            tail = tail.grown(1, 256);
        }
        assert_eq!((tail.generation(), tail.index(), tail.bytes()), (9, 1_024, 262_144));
        assert!(!tail.is_closed() && tail.closed().is_closed());
        assert_eq!(tail.closed().index(), 1_024);
    }
}
