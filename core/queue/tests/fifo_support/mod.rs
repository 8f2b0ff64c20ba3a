//! A FIFO queue as an engine would drive it: a clock, timers, and receipts as plain data.
#![allow(dead_code)]

pub mod naive;
pub mod steps;

use trunkline_queue::{
    Admitted, DeleteDecision, FifoRules, FifoSlotRef, FifoState, Payload, Pick, ReceiveDecision,
    Refusal, SendDecision,
};
use trunkline_timer::Wheel;

/// The timer slot of what goes by age.
pub const FRONT: u32 = u32::MAX;

pub const SECOND: u64 = 1_000;
pub const START: u64 = 1_766_000_000_000;

pub fn rules() -> FifoRules {
    FifoRules {
        delay: 0,
        retention: 345_600 * SECOND,
        visibility: 30 * SECOND,
        dedup_window: 300 * SECOND,
        attempt_window: 300 * SECOND,
        visibility_max: 43_200 * SECOND,
        in_flight_max: 120_000,
        dead_letter_after: None,
    }
}

/// What a receiver holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    pub place: FifoSlotRef,
    pub seq: u64,
    pub delivery: u32,
    pub received: u64,
}

impl From<&Pick> for Handle {
    fn from(pick: &Pick) -> Self {
        let Pick { place, seq, delivery, received, .. } = *pick;
        Self { place, seq, delivery, received }
    }
}

pub struct Rig {
    pub state: FifoState,
    pub wheel: Wheel<u32>,
    pub now: u64,
    /// Timer entries pushed so far.
    pub pushed: usize,
    /// Where the next message's record lies.
    pub next_lsn: u64,
    /// Numbers of messages that reached their retention.
    pub expired: Vec<u64>,
}

impl Rig {
    pub fn new(rules: FifoRules) -> Self {
        Self {
            state: FifoState::new(rules, 1, 7),
            wheel: Wheel::new(START),
            now: START,
            pushed: 0,
            next_lsn: 1,
            expired: Vec::new(),
        }
    }

    pub fn send(&mut self, group: &str, key: Option<u128>) -> SendDecision {
        let decision = self.state.decide_send(key, self.now);
        if let SendDecision::Admit(seq) = decision {
            self.next_lsn += 1;
            let payload = Payload::At { lsn: self.next_lsn - 1, len: 1 };
            self.state.apply_sent(admitted(seq, group, key, self.now, payload));
            self.arm_front();
        }
        decision
    }

    /// Sends without a deduplication key; returns the number.
    pub fn put(&mut self, group: &str) -> u64 {
        match self.send(group, None) {
            SendDecision::Admit(seq) => seq,
            SendDecision::Duplicate(_) => unreachable!("there is no key"),
        }
    }

    pub fn decide(
        &self,
        max: usize,
        visibility: Option<u64>,
        attempt: Option<&str>,
    ) -> ReceiveDecision {
        self.state.decide_receive(max, visibility, attempt, self.now)
    }

    pub fn receive_with(
        &mut self,
        max: usize,
        visibility: Option<u64>,
        attempt: Option<&str>,
    ) -> ReceiveDecision {
        let picked = self.decide(max, visibility, attempt);
        self.apply(&picked, attempt);
        picked
    }

    pub fn apply(&mut self, picked: &ReceiveDecision, attempt: Option<&str>) {
        for dead in &picked.dead {
            self.state.apply_deleted(dead.place.slot);
        }
        for pick in &picked.messages {
            self.state.apply_leased(pick.place.slot, pick.delivery, pick.due, self.now);
            self.arm(pick.place.slot, pick.due);
        }
        if let (Some(id), false) = (attempt, picked.repeated) {
            self.state.apply_attempt(id, self.now, &picked.messages);
            self.arm_front();
        }
    }

    /// Receives up to ten with the queue's own lease.
    pub fn receive(&mut self) -> Vec<Handle> {
        self.receive_with(10, None, None).messages.iter().map(Handle::from).collect()
    }

    /// Receives up to ten; their numbers.
    pub fn receive_seqs(&mut self) -> Vec<u64> {
        self.receive().iter().map(|handle| handle.seq).collect()
    }

    pub fn delete(&mut self, handle: Handle) -> Result<DeleteDecision, Refusal> {
        let decision = self.state.decide_delete(handle.place, handle.delivery, self.now)?;
        if decision == DeleteDecision::Delete {
            self.state.apply_deleted(handle.place.slot);
        }
        Ok(decision)
    }

    pub fn extend(&mut self, handle: Handle, visibility: u64) -> Result<(), Refusal> {
        let Handle { place, delivery, received, .. } = handle;
        let due = self.state.decide_extend(place, delivery, received, visibility, self.now)?;
        self.state.apply_visibility(place.slot, due, self.now);
        self.arm(place.slot, due);
        Ok(())
    }

    pub fn set_rules(&mut self, change: impl FnOnce(&mut FifoRules)) {
        let mut rules = self.state.rules().clone();
        change(&mut rules);
        self.state.set_rules(rules, self.now);
        self.arm_front();
        self.fire_due();
    }

    pub fn advance(&mut self, by: u64) {
        let end = self.now + by;
        while let Some(next) = self.wheel.next_due().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.fire_due();
        }
        self.now = end;
        self.fire_due();
    }

    pub fn fire_due(&mut self) {
        let Self { state, wheel, now, expired, .. } = self;
        wheel.expire(*now, |slot| {
            if slot != FRONT {
                return state.fire(slot, *now).again;
            }
            while let Some(removed) = state.expire(*now) {
                expired.push(removed.seq);
            }
            state.fire_front(*now).again
        });
    }

    pub fn arm(&mut self, slot: u32, at: u64) {
        if at > self.now && self.state.arm(slot, at) {
            self.wheel.insert(slot, at);
            self.pushed += 1;
        }
    }

    pub fn arm_front(&mut self) {
        if let Some(at) = self.state.arm_front() {
            self.wheel.insert(FRONT, at);
            self.pushed += 1;
        }
    }

    /// Visible, in flight, delayed.
    pub fn counts(&self) -> (u64, u64, u64) {
        let counts = self.state.counts();
        (counts.visible, counts.in_flight, counts.delayed)
    }
}

pub fn admitted(
    seq: u64,
    group: &str,
    dedup_key: Option<u128>,
    sent: u64,
    payload: Payload,
) -> Admitted<'_> {
    Admitted {
        seq,
        group,
        dedup_key,
        sent,
        flags: 0,
        payload,
        deliveries: 0,
        first_received: 0,
        due: 0,
    }
}
