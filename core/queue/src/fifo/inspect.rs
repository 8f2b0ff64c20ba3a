//! Looking at the queue without changing it.

use trunkline_types::{Millis, Seq};

use super::send::generation;
use super::slab::NIL;
use super::slot::FifoMessageState;
use super::{DedupEntry, FifoCounts, FifoSlotRef, FifoState};
use crate::Payload;

/// A message as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FifoInfo<'a> {
    /// Where it lies.
    pub place: FifoSlotRef,
    /// Its number.
    pub seq: Seq,
    /// Its group.
    pub group: &'a str,
    /// Its content, or where its content is.
    pub payload: &'a Payload,
    /// When it was sent.
    pub sent: Millis,
    /// The caller's.
    pub flags: u8,
    /// How it stands; a delay or lease may have ended that no timer has fired yet.
    pub state: FifoMessageState,
    /// How often it was delivered.
    pub deliveries: u32,
    /// When it was first delivered, if it was.
    pub first_received: Option<Millis>,
    /// When its lease ends, if it is leased.
    pub due: Option<Millis>,
}

impl FifoState {
    /// How the queue stands. Constant time.
    pub fn counts(&self) -> FifoCounts {
        self.counts
    }

    /// How many groups have messages.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// When the oldest message was sent.
    pub fn oldest_sent(&self) -> Option<Millis> {
        self.slots.get(self.oldest).map(|message| message.sent())
    }

    /// Shows up to `max` visible messages, oldest first; those in flight as well if asked for.
    pub fn peek(&self, max: usize, include_in_flight: bool, mut f: impl FnMut(FifoInfo<'_>)) {
        let mut left = max;
        self.scan(|info| {
            let wanted = match info.state {
                FifoMessageState::Visible => true,
                FifoMessageState::Leased => include_in_flight,
                FifoMessageState::Delayed => false,
            };
            if wanted && left > 0 {
                left -= 1;
                f(info);
            }
            left > 0
        });
    }

    /// Shows every message, oldest first, until the callback returns false.
    pub fn scan(&self, mut f: impl FnMut(FifoInfo<'_>) -> bool) {
        let mut slot = self.oldest;
        while slot != NIL && f(self.info(slot)) {
            slot = self.slots[slot].newer;
        }
    }

    /// Shows the messages in the slots from `from` on, in no order, and says where to go on: at
    /// most `count` slots are looked at. A message stays in its slot as long as it is there.
    pub fn scan_slots(
        &self,
        from: u32,
        count: u32,
        mut f: impl FnMut(FifoInfo<'_>),
    ) -> Option<u32> {
        let (end, len) = (from.saturating_add(count), self.slots.len());
        let occupied = |slot: &u32| self.slots[*slot].is_occupied();
        (from..end.min(len)).filter(occupied).for_each(|slot| f(self.info(slot)));
        (end < len).then_some(end)
    }

    /// The message at `place`, if it is still there.
    pub fn message(&self, place: FifoSlotRef) -> Option<FifoInfo<'_>> {
        self.at(place).map(|_| self.info(place.slot))
    }

    /// The content of the message in `slot`, which must be occupied.
    #[inline]
    pub fn payload(&self, slot: u32) -> &Payload {
        &self.slots[slot].payload
    }

    /// The group of the message in `slot`, which must be occupied.
    #[inline]
    pub fn group(&self, slot: u32) -> &str {
        &self.groups[self.slots[slot].group].name
    }

    /// The content of the message in `slot` lies elsewhere now.
    pub fn set_payload(&mut self, slot: u32, payload: Payload) {
        debug_assert!(self.slots[slot].is_occupied());
        self.slots[slot].payload = payload;
    }

    /// How many deduplication keys are kept.
    pub fn dedup_len(&self) -> usize {
        self.dedup.len()
    }

    /// Every deduplication key that is kept, oldest first; the callback may give one a new
    /// location.
    pub fn for_each_dedup(&mut self, visit: impl FnMut(&DedupEntry) -> Option<u64>) {
        self.dedup.for_each(visit);
    }

    /// Shows deduplication keys in steps, as [`FifoState::scan_slots`] shows messages.
    pub fn scan_dedup(&self, from: u32, count: u32, f: impl FnMut(&DedupEntry)) -> Option<u32> {
        self.dedup.scan(from, count, f)
    }

    /// Bytes of memory in use, about, without the bodies.
    pub fn memory(&self) -> usize {
        self.slots.memory()
            + self.groups.memory()
            + self.dedup.memory()
            + self.recovered.memory()
            + self.attempts.len() * size_of::<(u128, [u64; 16])>()
    }

    fn info(&self, slot: u32) -> FifoInfo<'_> {
        let message = &self.slots[slot];
        let state = message.state();
        FifoInfo {
            place: FifoSlotRef { slot, generation: generation(message.seq) },
            seq: message.seq,
            group: &self.groups[message.group].name,
            payload: &message.payload,
            sent: message.sent(),
            flags: message.flags(),
            state,
            deliveries: message.deliveries,
            first_received: (message.deliveries > 0).then_some(message.first_received),
            due: (state == FifoMessageState::Leased).then_some(message.due),
        }
    }
}
