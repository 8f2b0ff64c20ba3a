//! Sending: whether a message enters the queue, and entering it.

use trunkline_types::{Millis, Seq};

use super::slot::FifoMessageState;
use super::{DedupEntry, FifoSlotRef, FifoState};
use crate::Payload;

/// What becomes of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendDecision {
    /// It enters under this number.
    Admit(Seq),
    /// This earlier message stands for it; nothing changes.
    Duplicate(Seq),
}

/// A message that enters the queue, in its whole state.
#[derive(Debug)]
pub struct Admitted<'a> {
    /// Its number. Larger than all before, except during recovery.
    pub seq: Seq,
    /// Its group.
    pub group: &'a str,
    /// The digest of its deduplication id, to be remembered from `sent` on.
    pub dedup_key: Option<u128>,
    /// When it was sent.
    pub sent: Millis,
    /// The caller's, kept with the message.
    pub flags: u8,
    /// Its content.
    pub payload: Payload,
    /// How often it was delivered.
    pub deliveries: u32,
    /// When it was first delivered; means something when it was.
    pub first_received: Millis,
    /// When its lease ends; 0 when it has none.
    pub due: Millis,
}

impl FifoState {
    /// Whether a message with this deduplication key enters.
    pub fn decide_send(&self, dedup_key: Option<u128>, now: Millis) -> SendDecision {
        let window = self.rules.dedup_window;
        match dedup_key.and_then(|key| self.dedup.find(key, now, window)) {
            Some(first) => SendDecision::Duplicate(first),
            None => SendDecision::Admit(self.next_seq),
        }
    }

    /// Enters a message. It is delayed if the queue has a delay and it was never delivered.
    ///
    /// During recovery a message that is there already takes the state given here.
    pub fn apply_sent(&mut self, message: Admitted<'_>) -> FifoSlotRef {
        let Admitted { seq, group, dedup_key, sent, .. } = message;
        assert!(
            self.is_recovering || seq >= self.next_seq,
            "message {seq} enters behind {}",
            self.next_seq
        );
        self.next_seq = self.next_seq.max(seq + 1);
        if let Some(key) = dedup_key {
            let location = match message.payload {
                Payload::At { lsn, .. } => lsn,
                Payload::Bytes(_) => 0,
            };
            self.apply_dedup(DedupEntry { key, seq, at: sent, location });
        }
        let known = if self.is_recovering { self.recovered.get(seq) } else { None };
        let slot = known.unwrap_or_else(|| self.enter(seq, group));
        self.fill(slot, message);
        if !self.is_recovering {
            self.link(slot);
        }
        FifoSlotRef { slot, generation: generation(seq) }
    }

    /// Remembers a deduplication key whose message may be gone.
    pub fn apply_dedup(&mut self, entry: DedupEntry) {
        let window = self.rules.dedup_window;
        if self.is_recovering {
            self.dedup.recall(entry, window);
        } else {
            self.dedup.remember(entry, window);
        }
    }

    /// Takes a slot and a place in the group for a message.
    fn enter(&mut self, seq: Seq, group: &str) -> u32 {
        let slot = self.slots.take();
        let group = self.groups.enter(group);
        self.groups[group].messages += 1;
        self.slots[slot].group = group;
        if self.is_recovering {
            self.recovered.insert(seq, slot);
        }
        slot
    }

    fn fill(&mut self, slot: u32, message: Admitted<'_>) {
        let Admitted { seq, sent, flags, payload, deliveries, first_received, due, .. } = message;
        let is_delayed = deliveries == 0 && self.rules.delay > 0;
        let slot = &mut self.slots[slot];
        slot.occupy(seq, sent, flags, payload);
        slot.deliveries = deliveries;
        slot.first_received = first_received;
        slot.due = due;
        // A lease or a delay that is over already ends with the next firing of the timers.
        slot.set_state(match due {
            0 if is_delayed => FifoMessageState::Delayed,
            0 => FifoMessageState::Visible,
            _ => FifoMessageState::Leased,
        });
    }
}

/// Two messages of one slot with the same generation are 2^32 messages apart.
pub(super) fn generation(seq: Seq) -> u32 {
    seq as u32
}
