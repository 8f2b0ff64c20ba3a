//! The FIFO queue against the naive one: every verb, virtual time, and restarts from a log whose
//! oldest records were carried to its tail.
//!
//! Verbs happen at even milliseconds and the retention is odd, so that a message never expires at
//! the moment in which a lease ends: which of the two comes first is not promised.
#![cfg(not(loom))]

mod fifo_support;

use fifo_support::naive::{Message, Naive};
use fifo_support::steps::{NAMES, Record, Step, replay, step};
use fifo_support::{FRONT, Handle, Rig, START};
use proptest::prelude::*;
use trunkline_queue::{
    DedupEntry, DeleteDecision, FifoMessageState, FifoRules, FifoState, Payload, Pick, SendDecision,
};
use trunkline_timer::Wheel;

struct Test {
    rig: Rig,
    naive: Naive,
    log: Vec<Record>,
    receipts: Vec<Handle>,
}

impl Test {
    fn new(in_flight_max: u32) -> Self {
        let rules = FifoRules {
            delay: 0,
            retention: 1_501,
            visibility: 300,
            dedup_window: 500,
            attempt_window: 400,
            visibility_max: 1_000,
            in_flight_max,
            dead_letter_after: None,
        };
        let (rig, naive) = (Rig::new(rules.clone()), Naive::new(rules));
        Self { rig, naive, log: Vec::new(), receipts: Vec::new() }
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let now = self.rig.now;
        match step {
            Step::Send { group, key } => self.send(*group, key.map(u128::from))?,
            Step::Receive { max, visibility, attempt } => {
                let attempt = attempt.map(|id| NAMES[usize::from(id)]);
                self.receive(*max, *visibility, attempt)?;
            }
            Step::Delete { receipt } => self.delete(*receipt)?,
            Step::Extend { receipt, visibility } => self.extend(*receipt, *visibility)?,
            Step::Advance { by } => {
                self.rig.advance(*by);
                let expired = self.naive.advance(now, now + by);
                self.check_expired(expired)?;
            }
            Step::SetDelay { to } => self.set_rules(|rules| rules.delay = *to)?,
            Step::SetRetention { to } => self.set_rules(|rules| rules.retention = *to)?,
            Step::SetDeadLetter { after } => self.set_rules(|r| r.dead_letter_after = *after)?,
            Step::Take { max } => self.take(*max)?,
            Step::Purge => self.purge(),
            Step::Restart { carried, dropped } => self.restart(*carried, *dropped)?,
        }
        self.check()
    }

    fn send(&mut self, group: u8, key: Option<u128>) -> Result<(), TestCaseError> {
        let now = self.rig.now;
        let expected = match key.and_then(|key| self.naive.duplicate(key, now)) {
            Some(first) => SendDecision::Duplicate(first),
            None => SendDecision::Admit(self.naive.next_seq),
        };
        self.rig.next_lsn = self.log.len() as u64;
        prop_assert_eq!(self.rig.send(NAMES[usize::from(group)], key), expected);
        let SendDecision::Admit(seq) = expected else { return Ok(()) };
        self.naive.next_seq += 1;
        self.naive.dedup.extend(key.map(|key| (key, seq, now)));
        self.naive.messages.push(Message {
            seq,
            group,
            sent: now,
            deliveries: 0,
            first_received: 0,
            due: None,
            changed: false,
        });
        self.naive.refresh(now);
        let (deliveries, first, due) = (0, 0, 0);
        self.log.push(Record::Held { seq, group, sent: now, key, deliveries, first, due });
        Ok(())
    }

    fn receive(
        &mut self,
        max: usize,
        visibility: Option<u64>,
        attempt: Option<&str>,
    ) -> Result<(), TestCaseError> {
        let now = self.rig.now;
        let picked = self.rig.decide(max, visibility, attempt);
        prop_assert_eq!(&picked, &self.rig.decide(max, visibility, attempt), "not repeatable");
        let due = now + visibility.unwrap_or(self.naive.rules.visibility);
        let seqs: Vec<u64> = picked.messages.iter().map(|pick| pick.seq).collect();
        let repeated = attempt.and_then(|id| self.naive.repeat(id, now));
        prop_assert_eq!(picked.repeated, repeated.is_some());
        if let Some((at, made)) = repeated {
            let actual: Vec<_> =
                picked.messages.iter().map(|pick| (pick.seq, pick.delivery)).collect();
            prop_assert_eq!(actual, made);
            prop_assert!(picked.messages.iter().all(|pick| pick.received == at && pick.due == due));
        } else {
            self.check_order(max, &picked.messages, &picked.dead)?;
            prop_assert!(
                picked.messages.iter().all(|pick| pick.received == now && pick.due == due)
            );
        }
        for pick in &picked.messages {
            let message = self.naive.get(pick.seq).expect("picked").clone();
            let first = if message.deliveries == 0 { now } else { message.first_received };
            prop_assert_eq!(pick.first_received, first);
            let expected = message.deliveries + u32::from(!picked.repeated);
            prop_assert_eq!(pick.delivery, expected);
        }
        self.rig.apply(&picked, attempt);
        self.lease(&picked.messages, &picked.dead);
        if let (Some(id), false, false) = (attempt, picked.repeated, seqs.is_empty()) {
            let made = picked.messages.iter().map(|pick| (pick.seq, pick.delivery)).collect();
            self.naive.remember_attempt(id, now, made);
        }
        Ok(())
    }

    /// Applies a receive to the naive queue and to the log.
    fn lease(&mut self, messages: &[Pick], dead: &[Pick]) {
        let now = self.rig.now;
        for dead in dead {
            self.naive.messages.retain(|message| message.seq != dead.seq);
            self.naive.refresh(now);
            self.log.push(Record::Deleted { seq: dead.seq });
        }
        for pick in messages {
            let Pick { seq, delivery, due, first_received, .. } = *pick;
            let message = self.naive.get_mut(seq).expect("picked");
            message.deliveries = delivery;
            message.first_received = first_received;
            message.due = Some(due).filter(|due| *due > now);
            message.changed = false;
            let group = message.group;
            self.naive.refresh(now);
            self.naive.rotate(group);
            self.log.push(Record::Leased { seq, delivery, due, at: now });
            self.receipts.push(Handle::from(pick));
        }
    }

    fn check_order(
        &self,
        max: usize,
        messages: &[Pick],
        dead: &[Pick],
    ) -> Result<(), TestCaseError> {
        let in_flight = self.naive.counts(self.rig.now).1;
        let free = u64::from(self.naive.rules.in_flight_max).saturating_sub(in_flight);
        let max = max.min(free as usize);
        let group_of = |pick: &Pick| self.naive.get(pick.seq).map(|message| message.group);
        // A group that shows only by dead letters was seen before the last one that delivered.
        let seen = |group: u8| {
            let at = |picks: &[Pick]| picks.iter().position(|pick| group_of(pick) == Some(group));
            at(messages).map(|at| at + 1).or(at(dead).map(|_| 0)).unwrap_or(usize::MAX)
        };
        let dead_after = self.naive.rules.dead_letter_after;
        let expected = self.naive.next(max, dead_after, self.rig.now, seen);
        let seqs = |picks: &[Pick]| picks.iter().map(|pick| pick.seq).collect::<Vec<_>>();
        let mut actual = (seqs(messages), seqs(dead));
        let mut expected = expected;
        // Between groups of one stamp the dead letters may be told in either order.
        actual.1.sort_unstable();
        expected.1.sort_unstable();
        prop_assert_eq!(actual, expected, "ready {:?}", self.naive.ready);
        Ok(())
    }

    fn delete(&mut self, receipt: usize) -> Result<(), TestCaseError> {
        let Some(handle) = self.pick_receipt(receipt) else { return Ok(()) };
        let now = self.rig.now;
        let expected = match self.naive.get(handle.seq) {
            None => Ok(DeleteDecision::AlreadyGone),
            Some(message) if message.due.is_some() && message.deliveries == handle.delivery => {
                Ok(DeleteDecision::Delete)
            }
            Some(_) => Err(trunkline_queue::Refusal::Expired),
        };
        prop_assert_eq!(self.rig.delete(handle), expected);
        if expected == Ok(DeleteDecision::Delete) {
            self.naive.messages.retain(|message| message.seq != handle.seq);
            self.naive.refresh(now);
            self.log.push(Record::Deleted { seq: handle.seq });
        }
        Ok(())
    }

    fn extend(&mut self, receipt: usize, visibility: u64) -> Result<(), TestCaseError> {
        let Some(handle) = self.pick_receipt(receipt) else { return Ok(()) };
        let now = self.rig.now;
        let within = now - handle.received + visibility <= self.naive.rules.visibility_max;
        let expected = within
            && self.naive.get(handle.seq).is_some_and(|message| {
                message.due.is_some() && message.deliveries == handle.delivery
            });
        prop_assert_eq!(self.rig.extend(handle, visibility).is_ok(), expected);
        if expected {
            let message = self.naive.get_mut(handle.seq).expect("it is there");
            message.due = Some(now + visibility).filter(|due| *due > now);
            message.changed = true;
            self.naive.refresh(now);
            self.log.push(Record::Extended { seq: handle.seq, due: now + visibility, now });
        }
        Ok(())
    }

    fn set_rules(&mut self, change: impl Fn(&mut FifoRules)) -> Result<(), TestCaseError> {
        self.rig.set_rules(&change);
        change(&mut self.naive.rules);
        let expired = self.naive.advance(self.rig.now, self.rig.now);
        self.check_expired(expired)
    }

    fn take(&mut self, max: usize) -> Result<(), TestCaseError> {
        let now = self.rig.now;
        let taken = self.rig.state.decide_take(max, now);
        let seqs: Vec<u64> = taken.iter().map(|pick| pick.seq).collect();
        let group_of = |seq: u64| self.naive.get(seq).map(|message| message.group);
        let seen = |group: u8| {
            seqs.iter().position(|seq| group_of(*seq) == Some(group)).unwrap_or(usize::MAX)
        };
        prop_assert_eq!(&seqs, &self.naive.next(max, None, now, seen).0);
        for pick in &taken {
            self.rig.state.apply_deleted(pick.place.slot);
        }
        self.lease(&[], &taken);
        Ok(())
    }

    fn purge(&mut self) {
        let purged = self.rig.state.purge();
        assert_eq!(purged.len(), self.naive.messages.len());
        self.naive.messages.clear();
        self.naive.dedup.clear();
        self.naive.attempts.clear();
        self.naive.refresh(self.rig.now);
        self.log.push(Record::Purged);
    }

    /// Carries what lives in the first records to the tail, drops them (or was stopped before it
    /// did), and replays what there is.
    fn restart(&mut self, carried: usize, dropped: bool) -> Result<(), TestCaseError> {
        let carried = if self.log.is_empty() { 0 } else { carried % (self.log.len() + 1) };
        self.carry(carried as u64);
        let log = self.log.split_off(if dropped { carried } else { 0 });
        let now = self.rig.now;
        let mut state = FifoState::new(self.naive.rules.clone(), 1, 8);
        state.begin_recovery();
        for (place, record) in log.iter().enumerate() {
            replay(&mut state, record, place as u64);
        }
        let mut wheel = Wheel::new(now);
        state.end_recovery(now, |slot, at| wheel.insert(slot, at));
        if let Some(at) = state.arm_front() {
            wheel.insert(FRONT, at);
        }
        state.raise_next_seq(self.naive.next_seq);
        self.log = log;
        (self.rig.state, self.rig.wheel) = (state, wheel);
        for handle in &mut self.receipts {
            if let Some(place) = self.rig.state.slot_of(handle.seq) {
                handle.place = place;
            } else {
                // As the engine answers for a number that is gone: a place that holds nothing.
                handle.place.slot = u32::MAX - 5;
            }
        }
        self.naive.attempts.clear();
        self.naive.ready.clear();
        self.naive.refresh(now);
        // After a restart groups stand in the order of their first messages.
        let ready = std::mem::take(&mut self.naive.ready);
        for (group, _) in ready {
            self.naive.ready.push((group, 0));
            self.naive.rotate(group);
        }
        Ok(())
    }

    fn carry(&mut self, before: u64) {
        let mut records = Vec::new();
        let mut moved = Vec::new();
        let tail = self.log.len() as u64;
        self.rig.state.scan(|info| {
            let Payload::At { lsn, .. } = *info.payload else { unreachable!("always a place") };
            if lsn < before {
                moved.push((info.place.slot, tail + records.len() as u64));
                let group = NAMES.iter().position(|name| *name == info.group).expect("known");
                records.push(Record::Held {
                    seq: info.seq,
                    group: group as u8,
                    sent: info.sent,
                    key: None,
                    deliveries: info.deliveries,
                    first: info.first_received.unwrap_or(0),
                    due: info.due.unwrap_or(0),
                });
            }
            true
        });
        for (slot, lsn) in moved {
            self.rig.state.set_payload(slot, Payload::At { lsn, len: 1 });
        }
        self.rig.state.for_each_dedup(|entry| {
            if entry.location >= before {
                return None;
            }
            let DedupEntry { key, seq, at, .. } = *entry;
            records.push(Record::Remembered { key, seq, at });
            Some(tail + records.len() as u64 - 1)
        });
        self.log.extend(records);
    }

    fn pick_receipt(&self, receipt: usize) -> Option<Handle> {
        // The newest ones are the interesting ones.
        let recent = self.receipts.len().min(12);
        let back = receipt.checked_rem(recent)?;
        Some(self.receipts[self.receipts.len() - 1 - back])
    }

    fn check_expired(&mut self, expected: Vec<u64>) -> Result<(), TestCaseError> {
        // Recorded, or a longer retention and a restart would bring them back.
        self.log.extend(expected.iter().map(|seq| Record::Deleted { seq: *seq }));
        prop_assert_eq!(std::mem::take(&mut self.rig.expired), expected);
        Ok(())
    }

    /// Everything that can be seen of the two queues is the same.
    fn check(&self) -> Result<(), TestCaseError> {
        let (state, naive, now) = (&self.rig.state, &self.naive, self.rig.now);
        let counts = state.counts();
        prop_assert_eq!(
            (counts.visible, counts.in_flight, counts.delayed, counts.groups_in_flight),
            naive.counts(now)
        );
        let oldest = naive.messages.iter().map(|message| message.sent).min();
        prop_assert_eq!(state.oldest_sent(), oldest);
        let mut seen = Vec::new();
        state.scan(|info| {
            seen.push((info.seq, info.group.to_owned(), info.sent, info.deliveries, info.due));
            let delayed = naive.get(info.seq).is_some_and(|m| naive.is_delayed(m, now));
            assert_eq!(info.state == FifoMessageState::Delayed, delayed, "message {}", info.seq);
            true
        });
        let expected: Vec<_> = naive
            .messages
            .iter()
            .map(|m| {
                let group = NAMES[usize::from(m.group)].to_owned();
                (m.seq, group, m.sent, m.deliveries, m.due)
            })
            .collect();
        let (mut in_steps, mut next) = (Vec::new(), Some(0));
        while let Some(from) = next {
            next = state.scan_slots(from, 3, |info| in_steps.push(info.seq));
        }
        in_steps.sort_unstable();
        let mut all: Vec<_> = naive.messages.iter().map(|m| m.seq).collect();
        all.sort_unstable();
        prop_assert_eq!(in_steps, all);
        prop_assert_eq!(seen, expected);
        let has_capacity = counts.in_flight < u64::from(naive.rules.in_flight_max);
        prop_assert_eq!(state.has_deliverable(), has_capacity && !naive.ready.is_empty());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_queue_does_what_the_naive_one_does(
        in_flight_max in prop_oneof![2u32..8, Just(1_000)],
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut test = Test::new(in_flight_max);
        prop_assert_eq!(test.rig.now, START);
        for step in &steps {
            test.run(step)?;
        }
    }
}
