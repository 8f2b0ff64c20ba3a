//! The rules of a FIFO queue, as plain state: one thread, no clock, no disk, no names.
//!
//! ```text
//!              oldest ........................................ newest
//! group "a"    [leased] -> [visible] -> [delayed]              its first is leased: blocked
//! group "b"    [visible] -> [visible] -> [leased]              two deliverable messages
//! rotation     b                                               groups whose first is visible
//! ```
//!
//! A message is *visible*, *delayed* or *leased*. What a group can deliver is the run of visible
//! messages that starts with its oldest; so order is kept although the messages of one receive are
//! deleted, extended and returned one by one.
//!
//! Verbs come in two halves. `decide_*` only read; `apply_*` are the only ones that change, and
//! recovery calls the same ones (see `recovery.rs`). Time is an argument. What becomes due is found
//! by timers of the owner, as hints: [`FifoState::fire`] for a lease, [`FifoState::fire_front`] for
//! what goes by age; every decision looks at the times themselves, so a late timer delays but never
//! reorders, delivers twice or accepts an expired receipt.
//!
//! Invariants, checked by `fifo_model.rs` in the tests: a group's list is in order of `seq`; the
//! queue's list is in order of the time sent; every delayed message is at or behind `delayed_from`;
//! a group is in the rotation exactly while its first message is visible; a group without messages
//! is forgotten; the counts are the counts.

mod attempts;
mod dedup;
mod expiry;
mod groups;
mod index;
mod inspect;
mod lease;
mod order;
mod receive;
mod recovery;
mod send;
mod slab;
mod slot;

use trunkline_types::{Millis, Seq};

use crate::{Payload, SeqMap};
use attempts::Attempts;
use dedup::Dedup;
use groups::Groups;
use slab::{NIL, Slab};
use slot::{Slot, UNARMED};

pub use dedup::DedupEntry;
pub use expiry::FifoFired;
pub use inspect::FifoInfo;
pub use lease::{DeleteDecision, Refusal};
pub use receive::{Pick, ReceiveDecision};
pub use send::{Admitted, SendDecision};
pub use slot::FifoMessageState;

/// The rules of one queue, as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FifoRules {
    /// How long a message is held back after it was sent. Changing it affects messages that were
    /// never received.
    pub delay: Millis,
    /// Age at which a message vanishes.
    pub retention: Millis,
    /// Lease of a receive that names none.
    pub visibility: Millis,
    /// How long a deduplication key is remembered.
    pub dedup_window: Millis,
    /// How long a receive may be repeated.
    pub attempt_window: Millis,
    /// Longest lease, counted from the receive.
    pub visibility_max: Millis,
    /// Most messages in flight; a receive returns no more.
    pub in_flight_max: u32,
    /// Deliveries after which a message is a dead letter; `None` without a dead-letter queue.
    pub dead_letter_after: Option<u32>,
}

/// Where a message lies, for as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FifoSlotRef {
    /// The slot: what timer entries and `apply_*` name.
    pub slot: u32,
    /// Tells this message of the slot from others: the lower half of its sequence number.
    pub generation: u32,
}

/// How the queue stands. Exact once what is due has been fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FifoCounts {
    /// Neither in flight nor delayed; those of a blocked group count.
    pub visible: u64,
    /// Delivered, and neither deleted nor visible again.
    pub in_flight: u64,
    /// Held back by the delay.
    pub delayed: u64,
    /// Groups with a message in flight.
    pub groups_in_flight: u64,
}

/// A message that was taken out of the queue.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its number.
    pub seq: Seq,
    /// Its content, or where its content is.
    pub payload: Payload,
    /// Whether its group can deliver now and could not before: a waiting receiver can be woken.
    pub freed: bool,
}

/// The state of one FIFO queue.
///
/// ```
/// # use trunkline_queue::{Admitted, DeleteDecision, FifoRules, FifoState, Payload, SendDecision};
/// # let rules = FifoRules {
/// #     delay: 0, retention: 345_600_000, visibility: 30_000, dedup_window: 300_000,
/// #     attempt_window: 300_000, visibility_max: 43_200_000, in_flight_max: 120_000,
/// #     dead_letter_after: None,
/// # };
/// let mut queue = FifoState::new(rules, 1, 42);
/// let now = 1_000;
/// let SendDecision::Admit(seq) = queue.decide_send(Some(7), now) else { panic!("a new key") };
/// // Here an engine journals. Then:
/// queue.apply_sent(Admitted {
///     seq, group: "orders", dedup_key: Some(7), sent: now, flags: 0,
///     payload: Payload::Bytes(b"body"[..].into()), deliveries: 0, first_received: 0, due: 0,
/// });
/// assert_eq!(queue.decide_send(Some(7), now), SendDecision::Duplicate(seq));
///
/// let picked = queue.decide_receive(10, None, None, now);
/// let pick = picked.messages[0];
/// queue.apply_leased(pick.place.slot, pick.delivery, pick.due, now);
///
/// let decision = queue.decide_delete(pick.place, pick.delivery, now);
/// assert_eq!(decision, Ok(DeleteDecision::Delete));
/// queue.apply_deleted(pick.place.slot);
/// ```
#[derive(Debug)]
pub struct FifoState {
    rules: FifoRules,
    slots: Slab<Slot>,
    groups: Groups,
    counts: FifoCounts,
    next_seq: Seq,
    // The queue's list, in order of the time sent, and the place of the last insertion.
    oldest: u32,
    newest: u32,
    inserted: u32,
    delayed_from: u32,
    // The fire time of the earliest pending timer entry of the queue's front.
    front_armed: Millis,
    dedup: Dedup,
    attempts: Attempts,
    // What recovery brought, by number; receipts of an earlier run are looked up here.
    recovered: SeqMap,
    // While recovering, nothing is linked or counted.
    is_recovering: bool,
}

impl FifoState {
    /// An empty queue whose first message is `base`. `hash_seed` must not be known to callers who
    /// choose group names.
    pub fn new(rules: FifoRules, base: Seq, hash_seed: u64) -> Self {
        Self {
            rules,
            slots: Slab::default(),
            groups: Groups::new(hash_seed),
            counts: FifoCounts::default(),
            next_seq: base,
            oldest: NIL,
            newest: NIL,
            inserted: NIL,
            delayed_from: NIL,
            front_armed: UNARMED,
            dedup: Dedup::default(),
            attempts: Attempts::default(),
            recovered: SeqMap::new(),
            is_recovering: false,
        }
    }

    /// The rules as they are.
    pub fn rules(&self) -> &FifoRules {
        &self.rules
    }

    /// The number that the next message gets.
    pub fn next_seq(&self) -> Seq {
        self.next_seq
    }

    /// No message gets a number below `seq` from now on.
    pub fn raise_next_seq(&mut self, seq: Seq) {
        self.next_seq = self.next_seq.max(seq);
    }

    /// Replaces the rules. A changed delay affects the messages that were never received; ask
    /// [`FifoState::arm_front`] afterwards. True if a message may have become deliverable.
    pub fn set_rules(&mut self, rules: FifoRules, now: Millis) -> bool {
        let delay_grew = rules.delay > self.rules.delay;
        self.rules = rules;
        if self.is_recovering {
            return false;
        }
        if delay_grew {
            self.hold_back(now);
        }
        self.release_delayed(now)
    }

    /// Takes every message and the dedup window out of the queue, at once. The result holds what
    /// was in it, to be looked through and dropped while other threads use the queue.
    pub fn purge(&mut self) -> Purged {
        self.counts = FifoCounts::default();
        (self.oldest, self.newest, self.inserted) = (NIL, NIL, NIL);
        self.delayed_from = NIL;
        let rest = (
            self.groups.take(),
            std::mem::take(&mut self.dedup),
            std::mem::take(&mut self.attempts),
            std::mem::take(&mut self.recovered),
        );
        Purged { slots: std::mem::take(&mut self.slots), _rest: rest }
    }
}

/// What a purge took out of a queue.
#[derive(Debug)]
pub struct Purged {
    slots: Slab<Slot>,
    // Only held, so that freeing it is the caller's affair as well.
    _rest: (Groups, Dedup, Attempts, SeqMap),
}

impl Purged {
    /// How many messages there were.
    pub fn len(&self) -> usize {
        self.slots.live()
    }

    /// Whether the queue was empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their contents, in no order.
    pub fn payloads(&mut self) -> impl Iterator<Item = Payload> {
        self.slots.iter_mut().filter(|slot| slot.is_occupied()).map(Slot::vacate)
    }
}
