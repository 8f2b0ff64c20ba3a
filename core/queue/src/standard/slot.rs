//! One slot: 40 bytes of atomics.
//!
//! Who may write what: `state` only by compare-and-swap; `armed` by `arm` and `fire`; all else by
//! the one thread that owns the slot, because it reserved it or holds it claimed. So a plain store
//! never meets another, and a thread that owns nothing writes nothing.
//!
//! ```text
//! sent [milliseconds 42 | flags 8 | first received, high 14]
//! due  [milliseconds 42 | first received, low 22]        first received counts from `sent`
//! body [kind 2 | offset in the region, address, journal position, or place]
//! ```

use trunkline_types::Millis;
use trunkline_types::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::packed::State;
use super::types::SlotRef;

const MILLIS_SHIFT: u32 = 22;
const FLAGS_SHIFT: u32 = 14;
const FIRST_LOW_MASK: u64 = (1 << MILLIS_SHIFT) - 1;
const FIRST_HIGH_MASK: u64 = (1 << FLAGS_SHIFT) - 1;
/// Latest time a slot can name: the year 2109.
pub(super) const MILLIS_MAX: Millis = (1 << 42) - 1;
/// Longest span between sending and first delivery that is kept exactly: two years.
const FIRST_MAX: Millis = (1 << 36) - 1;

const KIND_SHIFT: u32 = 62;
const BODY_MASK: u64 = (1 << KIND_SHIFT) - 1;
/// Only the kinds of bodies that lie in memory outside the pages have this bit.
const OUTSIDE: u64 = 1 << KIND_SHIFT;

/// Where the bytes of a body are, or which message a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLocation {
    /// In the page's region, from this offset on.
    Region(u32),
    /// In a box of its own at this address.
    Heap(usize),
    /// In the journal.
    Journal(u64),
    /// In a block at this address, which messages of several logs share.
    Shared(usize),
}

/// All but state and timer of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) sent: Millis,
    pub(super) flags: u8,
    pub(super) first_received: Millis,
    pub(super) due: Millis,
    pub(super) location: BodyLocation,
    pub(super) len: u32,
}

#[derive(Debug)]
#[repr(C)]
pub(super) struct Slot {
    state: AtomicU64,
    body: AtomicU64,
    sent: AtomicU64,
    due: AtomicU64,
    /// The low 32 bits of the time of the earliest timer entry; 0 for none. Outlives messages.
    pub(super) armed: AtomicU32,
    len: AtomicU32,
}

impl Slot {
    #[cfg(any(loom, test))]
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            body: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            due: AtomicU64::new(0),
            armed: AtomicU32::new(0),
            len: AtomicU32::new(0),
        }
    }

    #[inline]
    pub(super) fn state(&self) -> State {
        State(self.state.load(Ordering::Acquire))
    }

    /// Moves from `old` to `new`, or tells what is there instead.
    #[inline]
    pub(super) fn change(&self, old: State, new: State) -> Result<(), State> {
        match self.state.compare_exchange(old.0, new.0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(()),
            Err(found) => Err(State(found)),
        }
    }

    /// Puts a message back that was there before. Only for who has the log alone.
    #[inline]
    pub(super) fn restore(&self, state: State) {
        self.state.store(state.0, Ordering::Release);
    }

    /// Owner only.
    #[inline]
    pub(super) fn set_fields(&self, fields: &Fields) {
        self.set_times(fields.sent, fields.flags, fields.first_received);
        self.set_due(fields.due, fields.sent, fields.first_received);
        self.set_location(fields.location);
        self.len.store(fields.len, Ordering::Relaxed);
    }

    /// Owner only.
    #[inline]
    pub(super) fn set_times(&self, sent: Millis, flags: u8, first_received: Millis) {
        let first = first_received.saturating_sub(sent).min(FIRST_MAX);
        let word = sent.min(MILLIS_MAX) << MILLIS_SHIFT
            | u64::from(flags) << FLAGS_SHIFT
            | first >> MILLIS_SHIFT;
        self.sent.store(word, Ordering::Relaxed);
    }

    /// Owner only.
    #[inline]
    pub(super) fn set_due(&self, due: Millis, sent: Millis, first_received: Millis) {
        let first = first_received.saturating_sub(sent).min(FIRST_MAX);
        let word = due.min(MILLIS_MAX) << MILLIS_SHIFT | first & FIRST_LOW_MASK;
        self.due.store(word, Ordering::Relaxed);
    }

    /// Owner only: delivered for the first time at `now`, until `due`.
    #[inline]
    pub(super) fn set_first_lease(&self, due: Millis, now: Millis) {
        let word = self.sent.load(Ordering::Relaxed);
        let first = now.saturating_sub(word >> MILLIS_SHIFT).min(FIRST_MAX);
        self.sent.store(word & !FIRST_HIGH_MASK | first >> MILLIS_SHIFT, Ordering::Relaxed);
        let due = due.min(MILLIS_MAX) << MILLIS_SHIFT;
        self.due.store(due | first & FIRST_LOW_MASK, Ordering::Relaxed);
    }

    /// Owner only: another due time, all else kept.
    #[inline]
    pub(super) fn move_due(&self, due: Millis) {
        let kept = self.due.load(Ordering::Relaxed) & FIRST_LOW_MASK;
        self.due.store(due.min(MILLIS_MAX) << MILLIS_SHIFT | kept, Ordering::Relaxed);
    }

    /// Owner only.
    #[inline]
    pub(super) fn set_location(&self, location: BodyLocation) {
        let word = match location {
            BodyLocation::Region(offset) => u64::from(offset),
            BodyLocation::Heap(address) => 1 << KIND_SHIFT | address as u64 & BODY_MASK,
            BodyLocation::Journal(lsn) => 2 << KIND_SHIFT | lsn & BODY_MASK,
            BodyLocation::Shared(address) => 3 << KIND_SHIFT | address as u64 & BODY_MASK,
        };
        self.body.store(word, Ordering::Relaxed);
    }

    /// The body moved inside the journal.
    pub(super) fn relocate(&self, from: u64, to: u64, len: u32) -> bool {
        let word = |lsn: u64| 2 << KIND_SHIFT | lsn & BODY_MASK;
        let (from, to) = (word(from), word(to));
        let moved = self.body.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
        if moved.is_ok() {
            // A reader may see the old length with the new location: it is only a hint for reading.
            self.len.store(len, Ordering::Relaxed);
        }
        moved.is_ok()
    }

    /// Owner only: the slot names `target`.
    pub(super) fn set_target(&self, target: SlotRef) {
        let word = u64::from(target.generation) << 32 | u64::from(target.slot);
        self.body.store(word, Ordering::Relaxed);
    }

    /// The message a reference names.
    pub(super) fn target(&self) -> SlotRef {
        let word = self.body.load(Ordering::Relaxed);
        SlotRef { slot: word as u32, generation: (word >> 32) as u32 }
    }

    #[inline]
    pub(super) fn location(&self) -> BodyLocation {
        let word = self.body.load(Ordering::Relaxed);
        match word >> KIND_SHIFT {
            0 => BodyLocation::Region(word as u32),
            1 => BodyLocation::Heap((word & BODY_MASK) as usize),
            2 => BodyLocation::Journal(word & BODY_MASK),
            _ => BodyLocation::Shared((word & BODY_MASK) as usize),
        }
    }

    /// The usual case of [`Slot::location`]: the offset in the page's region.
    #[inline]
    pub(super) fn offset(&self) -> Option<u32> {
        let word = self.body.load(Ordering::Relaxed);
        (word >> KIND_SHIFT == 0).then_some(word as u32)
    }

    /// Whether the body lies in memory outside the pages.
    #[inline]
    pub(super) fn is_outside(&self) -> bool {
        self.body.load(Ordering::Relaxed) & OUTSIDE != 0
    }

    #[inline]
    pub(super) fn sent(&self) -> Millis {
        self.sent.load(Ordering::Relaxed) >> MILLIS_SHIFT
    }

    #[inline]
    pub(super) fn flags(&self) -> u8 {
        (self.sent.load(Ordering::Relaxed) >> FLAGS_SHIFT) as u8
    }

    /// Consistent only for the owner of the slot.
    #[inline]
    pub(super) fn first_received(&self) -> Millis {
        let (sent, due) = (self.sent.load(Ordering::Relaxed), self.due.load(Ordering::Relaxed));
        (sent >> MILLIS_SHIFT) + first_after(sent, due)
    }

    #[inline]
    pub(super) fn due(&self) -> Millis {
        self.due.load(Ordering::Relaxed) >> MILLIS_SHIFT
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len.load(Ordering::Relaxed)
    }

    /// All fields. Consistent when the caller owns the slot, or sees the same state afterwards.
    #[inline]
    pub(super) fn fields(&self) -> Fields {
        let (sent_word, due_word) =
            (self.sent.load(Ordering::Relaxed), self.due.load(Ordering::Relaxed));
        let sent = sent_word >> MILLIS_SHIFT;
        Fields {
            sent,
            flags: (sent_word >> FLAGS_SHIFT) as u8,
            first_received: sent + first_after(sent_word, due_word),
            due: due_word >> MILLIS_SHIFT,
            location: self.location(),
            len: self.len(),
        }
    }
}

/// How long after its sending the message of these words was first delivered.
#[inline]
fn first_after(sent_word: u64, due_word: u64) -> Millis {
    (sent_word & FIRST_HIGH_MASK) << MILLIS_SHIFT | due_word & FIRST_LOW_MASK
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_forty_bytes() {
        assert_eq!(size_of::<Slot>(), 40);
    }

    #[test]
    fn fields_survive_their_packing() {
        let slot = Slot::new();
        let sent = 1_900_000_000_123;
        let (first_received, due) = (sent + (1 << 35) + 7, MILLIS_MAX);
        for location in [
            BodyLocation::Region(262_143),
            BodyLocation::Heap(0x7fff_1234_5678),
            BodyLocation::Journal(1 << 61),
            BodyLocation::Shared(0x7fff_1234_5678),
        ] {
            slot.set_fields(&Fields { sent, flags: 0xa5, first_received, due, location, len: 9 });
            slot.move_due(sent + 1);
            let fields = slot.fields();
            assert_eq!((fields.sent, fields.flags, fields.len), (sent, 0xa5, 9));
            assert_eq!((fields.first_received, fields.due), (first_received, sent + 1));
            assert_eq!(fields.location, location);
            let outside = matches!(location, BodyLocation::Heap(_) | BodyLocation::Shared(_));
            assert_eq!(slot.is_outside(), outside);
        }
    }
}
