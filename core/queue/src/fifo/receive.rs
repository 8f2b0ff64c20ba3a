//! Receiving: which messages are delivered next, and leasing them.
//!
//! A receive takes what the group whose turn it is can deliver, then what the next groups can. It
//! only reads: a caller that fails before it applied loses no message and changes no order.

use trunkline_types::{Millis, Seq};

use super::attempts::{Attempt, Attempted};
use super::send::generation;
use super::slab::NIL;
use super::slot::{FifoMessageState, Slot};
use super::{FifoSlotRef, FifoState};

/// Dead letters that one receive finds at most, so that a group of a million of them does not hold
/// the queue; the caller moves them and asks again.
const DEAD_MAX: usize = 256;

/// A message that is to be delivered, or a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// Where it lies.
    pub place: FifoSlotRef,
    /// Its number.
    pub seq: Seq,
    /// Which delivery this is, counted from one; of a dead letter, how many there were.
    pub delivery: u32,
    /// When the lease ends. Not after `received`: the message stays visible.
    pub due: Millis,
    /// When it is delivered; of a repeated receive, when it was.
    pub received: Millis,
    /// When it was delivered first.
    pub first_received: Millis,
}

/// What a receive comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiveDecision {
    /// To be delivered, in this order: journal, then [`FifoState::apply_leased`] each.
    pub messages: Vec<Pick>,
    /// To be moved to the dead-letter queue: they were delivered as often as the rules allow.
    pub dead: Vec<Pick>,
    /// Whether this repeats an earlier receive: the same deliveries, leased anew.
    pub repeated: bool,
    /// Whether the search ended at its bound. With `messages` empty: move the dead, ask again.
    pub more: bool,
}

impl FifoState {
    /// The next up to `max` messages, in order. `visibility` zero delivers without a lease.
    pub fn decide_receive(
        &self,
        max: usize,
        visibility: Option<Millis>,
        attempt: Option<&str>,
        now: Millis,
    ) -> ReceiveDecision {
        let due = now.saturating_add(visibility.unwrap_or(self.rules.visibility));
        if let Some(messages) = attempt.and_then(|id| self.repeat(id, due, now)) {
            return ReceiveDecision { messages, repeated: true, ..ReceiveDecision::default() };
        }
        let free = u64::from(self.rules.in_flight_max).saturating_sub(self.counts.in_flight);
        let max = max.min(usize::try_from(free).unwrap_or(usize::MAX));
        self.pick(max, self.rules.dead_letter_after, due, now)
    }

    /// The next up to `max` messages for a task that takes them out of the queue: no bound on what
    /// is in flight, no dead letters. Follow with [`FifoState::apply_deleted`].
    pub fn decide_take(&self, max: usize, now: Millis) -> Vec<Pick> {
        self.pick(max, None, now, now).messages
    }

    /// Whether a receive would find a message (or a dead letter) now.
    pub fn has_deliverable(&self) -> bool {
        let has_capacity = self.counts.in_flight < u64::from(self.rules.in_flight_max);
        has_capacity && self.groups.first_ready() != NIL
    }

    /// A message was delivered: leased until `due`, or still visible if `due` is not after `at`.
    /// True if its group can deliver now and could not before.
    pub fn apply_leased(&mut self, slot: u32, delivery: u32, due: Millis, at: Millis) -> bool {
        let message = &mut self.slots[slot];
        debug_assert!(message.is_occupied());
        if message.deliveries == 0 {
            message.first_received = at;
        }
        message.deliveries = delivery;
        message.due = due;
        message.set_changed(false);
        let group = message.group;
        let state = if due > at { FifoMessageState::Leased } else { FifoMessageState::Visible };
        let freed = self.set_state(slot, state);
        if !self.is_recovering {
            // Delivered without a lease: the group had its turn all the same.
            self.groups.rotate(group);
        }
        freed
    }

    /// Remembers what a receive with an attempt id delivered, after it was applied. Not for a
    /// receive that repeated an earlier one: the window counts from the first.
    pub fn apply_attempt(&mut self, id: &str, now: Millis, messages: &[Pick]) {
        if messages.is_empty() {
            return;
        }
        let messages = messages.iter().map(|pick| Attempted {
            slot: pick.place.slot,
            seq: pick.seq,
            delivery: pick.delivery,
        });
        let attempt = Attempt { at: now, messages: messages.collect() };
        // More attempts than messages in flight cannot all be worth something.
        let limit = self.rules.in_flight_max as usize;
        self.attempts.drop_old(now, self.rules.attempt_window);
        self.attempts.remember(id, attempt, limit);
    }

    fn pick(
        &self,
        max: usize,
        dead_after: Option<u32>,
        due: Millis,
        now: Millis,
    ) -> ReceiveDecision {
        let mut picked = ReceiveDecision::default();
        let mut group = self.groups.first_ready();
        while group != NIL && picked.messages.len() < max {
            let mut slot = self.groups[group].first;
            while slot != NIL && picked.messages.len() < max {
                let message = &self.slots[slot];
                // Too old: as good as gone, it neither counts nor blocks.
                if !self.is_expired(message, now) {
                    if !self.is_deliverable(message, now) {
                        break;
                    }
                    if dead_after.is_some_and(|after| message.deliveries >= after) {
                        if picked.dead.len() == DEAD_MAX {
                            picked.more = true;
                            return picked;
                        }
                        picked.dead.push(pick_of(slot, message, message.deliveries, now, now));
                    } else {
                        let delivery = message.deliveries.saturating_add(1);
                        picked.messages.push(pick_of(slot, message, delivery, due, now));
                    }
                }
                slot = message.after;
            }
            group = self.groups.next_ready(group);
        }
        picked
    }

    /// The deliveries of an earlier attempt, if every one of them still stands as it was made.
    fn repeat(&self, id: &str, due: Millis, now: Millis) -> Option<Vec<Pick>> {
        let attempt = self.attempts.find(id, now, self.rules.attempt_window)?;
        let pick = |made: &Attempted| {
            let message = self.slots.get(made.slot)?;
            let stands = message.is_occupied()
                && message.seq == made.seq
                && message.deliveries == made.delivery
                && self.is_leased(message, now)
                && !message.is_changed()
                && !self.is_expired(message, now);
            stands.then(|| pick_of(made.slot, message, made.delivery, due, attempt.at))
        };
        attempt.messages.iter().map(pick).collect()
    }

    pub(super) fn is_expired(&self, message: &Slot, now: Millis) -> bool {
        message.sent().saturating_add(self.rules.retention) <= now
    }

    pub(super) fn is_leased(&self, message: &Slot, now: Millis) -> bool {
        message.state() == FifoMessageState::Leased && message.due > now
    }

    fn is_deliverable(&self, message: &Slot, now: Millis) -> bool {
        match message.state() {
            FifoMessageState::Visible => true,
            FifoMessageState::Leased => message.due <= now,
            FifoMessageState::Delayed => message.sent().saturating_add(self.rules.delay) <= now,
        }
    }
}

fn pick_of(slot: u32, message: &Slot, delivery: u32, due: Millis, received: Millis) -> Pick {
    let first_received = match message.deliveries {
        0 => received,
        _ => message.first_received,
    };
    let place = FifoSlotRef { slot, generation: generation(message.seq) };
    Pick { place, seq: message.seq, delivery, due, received, first_received }
}
