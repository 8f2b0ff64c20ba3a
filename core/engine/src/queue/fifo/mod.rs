//! A FIFO queue at work: its state behind one mutex, its journal and its timers.
//!
//! Lock order: the queue's mutex, then the append lock. The mutex is held for the time of a
//! decision and its application, never while waiting for the disk, reading a body, or running a
//! caller's code.

mod receive;
mod relocation;

use std::sync::Arc;

use sha2::{Digest, Sha256};
use trunkline_host::{Append, Host, Location, Payload as Shareable, Shared, What};
use trunkline_journal::{Lsn, Ticket};
use trunkline_queue::{
    Admitted, DeleteDecision, FifoRules, FifoSlotRef, FifoState, Payload, Refusal, Removed,
    SendDecision,
};
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Field, Millis, Problem, QueueConfig, Receipt, Result, Seq};

use crate::queue::envelope::Envelope;
use crate::queue::message::{Outgoing, Sent, Statistics};
use crate::queue::record::{MessageRecord, Record};
use crate::queue::shared::with_reference;
use crate::queue::transfer::Incoming;
use crate::queue::{Fired, Queue, SLOT_RETENTION, attributes, too_large};

pub(crate) struct FifoQueue {
    state: Mutex<FifoState>,
    /// The state's next number, for who holds the append lock and so must not wait for the state.
    /// Written while both are held: a holder of the append lock sees the numbers of all records.
    next: AtomicU64,
}

impl FifoQueue {
    pub fn new(host: &Host, config: &QueueConfig, first: Seq) -> Self {
        // Any number that callers cannot guess will do.
        let hash_seed = host.key.digest(&[b"groups"]) as u64;
        let state = FifoState::new(rules(host, config), first, hash_seed);
        Self { state: Mutex::new(state), next: AtomicU64::new(first) }
    }

    pub fn send(&self, queue: &Queue, message: &Outgoing<'_>, now: Millis) -> Result<Sent> {
        let prepared = prepare(queue, message, now)?;
        let mut state = lock(&self.state);
        let mut log = queue.host.append_at(now)?;
        Ok(self.admit(queue, &mut state, &mut log, &prepared, None, now))
    }

    pub fn send_batch(
        &self,
        queue: &Queue,
        messages: &[Outgoing<'_>],
        now: Millis,
        each: &mut dyn FnMut(usize, Result<Sent>),
    ) -> Result<Option<Ticket>> {
        let prepared: Vec<_> =
            messages.iter().map(|message| prepare(queue, message, now)).collect();
        let mut results = Vec::with_capacity(messages.len());
        let ticket = {
            let mut state = lock(&self.state);
            let mut log = queue.host.append_at(now)?;
            results.extend(prepared.into_iter().map(|prepared| {
                prepared
                    .map(|prepared| self.admit(queue, &mut state, &mut log, &prepared, None, now))
            }));
            log.ticket()
        };
        // The caller's code runs without our locks.
        for (index, result) in results.into_iter().enumerate() {
            each(index, result);
        }
        Ok(ticket)
    }

    /// Decides, journals and applies one send. Content that is `shared` holds a reference for it; a
    /// duplicate leaves that to the caller.
    pub fn admit(
        &self,
        queue: &Queue,
        state: &mut FifoState,
        log: &mut Append<'_>,
        prepared: &Prepared<'_>,
        shared: Option<Shared<'_>>,
        now: Millis,
    ) -> Sent {
        let sent = |seq, duplicate, log: &Append<'_>| {
            // A duplicate waits for what it stands for, which may not be durable yet.
            Sent { queue: queue.id, seq, duplicate, ticket: log.ticket() }
        };
        let decide = |key| state.decide_send(Some(key), now);
        let decision = match (decide(prepared.key), prepared.other_key) {
            (SendDecision::Admit(_), Some(other)) => decide(other),
            (decision, _) => decision,
        };
        let seq = match decision {
            SendDecision::Duplicate(first) => {
                if queue.host.trace.is_on() {
                    queue.trace_duplicate(first, &prepared.dedup_id);
                }
                return sent(first, true, log);
            }
            SendDecision::Admit(seq) => seq,
        };
        let envelope = Envelope {
            shared,
            group: Some(prepared.group),
            dedup_id: Some(&prepared.dedup_id),
            attributes: prepared.attributes,
            body: prepared.body,
            ..Envelope::default()
        };
        let entering = Entering { seq, dedup: Some(prepared.key), sent: now, moved: None };
        self.enter(queue, state, log, &envelope, &entering);
        sent(seq, false, log)
    }

    /// Journals and applies one message that was decided upon.
    fn enter(
        &self,
        queue: &Queue,
        state: &mut FifoState,
        log: &mut Append<'_>,
        envelope: &Envelope<'_>,
        entering: &Entering<'_>,
    ) {
        let Entering { seq, dedup, sent, moved } = *entering;
        let (flags, head, body) = (envelope.flags(), envelope.head(), envelope.own_body());
        if let Some(shared) = envelope.shared {
            queue.references.add(seq, shared.payload.clone());
        }
        let held = MessageRecord {
            queue: queue.id,
            seq,
            flags,
            sent,
            due: 0,
            deliveries: 0,
            first_received: 0,
            dedup,
            moved_from: moved.and_then(|moved| moved.moved_from),
            payload: &[],
        };
        let payload = match log.append_payload(&held, &[&head, body]) {
            Some(location) => Payload::At { lsn: location.lsn.to_u64(), len: location.len },
            None => Payload::Bytes([&head, body].concat().into_boxed_slice()),
        };
        let group = envelope.group.unwrap_or_default();
        state.apply_sent(Admitted {
            seq,
            group,
            dedup_key: dedup,
            sent,
            flags,
            payload,
            deliveries: 0,
            first_received: 0,
            due: 0,
        });
        self.next.store(state.next_seq(), Ordering::Release);
        if queue.host.trace.is_on() {
            queue.trace_entered(seq, moved);
        }
        arm_front(queue, state);
    }

    /// Takes a message over from another resource.
    pub fn accept(&self, queue: &Queue, incoming: &Incoming<'_>) -> Result<(Seq, Option<Ticket>)> {
        let mut state = lock(&self.state);
        let mut log = queue.host.append()?;
        let (seq, sent) = (state.next_seq(), incoming.sent);
        let entering = Entering { seq, dedup: None, sent, moved: Some(incoming) };
        let envelope = with_reference(&incoming.envelope);
        incoming.reserve(&mut log);
        self.enter(queue, &mut state, &mut log, &envelope, &entering);
        incoming.append_also(&mut log);
        Ok((seq, log.ticket()))
    }

    pub fn delete(&self, queue: &Queue, receipt: &Receipt, now: Millis) -> Result<Option<Ticket>> {
        let mut state = lock(&self.state);
        let Some(place) = place(queue, &state, receipt) else {
            return Ok(queue.host.append_at(now)?.ticket());
        };
        if state.decide_delete(place, receipt.delivery, now).map_err(Refusal::into_error)?
            == DeleteDecision::AlreadyGone
        {
            return Ok(queue.host.append_at(now)?.ticket());
        }
        let mut log = queue.host.append_at(now)?;
        let removed = state.apply_deleted(place.slot);
        note_removed(queue, &mut log, &removed, What::Deleted);
        Ok(log.ticket())
    }

    pub fn extend(
        &self,
        queue: &Queue,
        receipt: &Receipt,
        visibility: Millis,
        now: Millis,
    ) -> Result<Option<Ticket>> {
        let mut state = lock(&self.state);
        let place =
            place(queue, &state, receipt).ok_or_else(|| Refusal::NotInFlight.into_error())?;
        let due = state
            .decide_extend(place, receipt.delivery, receipt.received, visibility, now)
            .map_err(Refusal::into_error)?;
        let mut log = queue.host.append_at(now)?;
        log.append_delay(&Record::Extended { queue: queue.id, seq: receipt.seq, due });
        state.apply_visibility(place.slot, due, now);
        if due > now && state.arm(place.slot, due) {
            queue.arm(place.slot, due);
        }
        Ok(log.ticket())
    }

    pub fn statistics(&self) -> Statistics {
        let state = lock(&self.state);
        let counts = state.counts();
        Statistics {
            visible: counts.visible,
            in_flight: counts.in_flight,
            delayed: counts.delayed,
            groups_in_flight: counts.groups_in_flight,
            oldest_sent: state.oldest_sent(),
            ..Statistics::default()
        }
    }

    pub fn purge(&self, queue: &Queue, now: Millis) -> Result<Option<Ticket>> {
        let mut purged;
        let ticket = {
            let mut state = lock(&self.state);
            let mut log = queue.host.append_at(now)?;
            let before = state.next_seq();
            queue.record_purge(&mut log, before, now);
            purged = (state.purge(), queue.references.take_all());
            log.ticket()
        };
        release_all(queue, purged.0.payloads(), purged.1)?;
        Ok(ticket)
    }

    /// Lets go of every message of a queue that is gone.
    pub fn empty(&self, queue: &Queue) -> Result<()> {
        let (mut purged, references) = {
            let mut state = lock(&self.state);
            queue.trace_purged(state.next_seq(), "with its queue");
            (state.purge(), queue.references.take_all())
        };
        release_all(queue, purged.payloads(), references)
    }

    pub fn rules_changed(&self, queue: &Queue, now: Millis) {
        let mut state = lock(&self.state);
        state.set_rules(rules(&queue.host, &queue.config()), now);
        arm_front(queue, &mut state);
    }

    pub fn has_visible(&self) -> bool {
        lock(&self.state).has_deliverable()
    }

    pub fn next_seq(&self) -> Seq {
        self.next.load(Ordering::Acquire)
    }

    /// A timer entry fired.
    pub fn fire(&self, queue: &Queue, slot: u32, now: Millis) -> Fired {
        let mut state = lock(&self.state);
        let fired = if slot == SLOT_RETENTION {
            let freed = expire(queue, &mut state, now);
            let fired = state.fire_front(now);
            Fired { again: fired.again, visible: fired.visible || freed }
        } else {
            let fired = state.fire(slot, now);
            if let (true, Some(seq)) = (queue.host.trace.is_on(), fired.returned) {
                queue.trace_returned(seq, true);
            }
            Fired { again: fired.again, visible: fired.visible }
        };
        drop(state);
        fired
    }

    /// Locks the state: before the append lock, and several queues' in the order of their ids.
    pub fn lock(&self) -> MutexGuard<'_, FifoState> {
        lock(&self.state)
    }
}

struct Entering<'a> {
    seq: Seq,
    dedup: Option<u128>,
    sent: Millis,
    moved: Option<&'a Incoming<'a>>,
}

/// What can be worked out about a message before the queue is locked.
pub(crate) struct Prepared<'a> {
    group: &'a str,
    dedup_id: std::borrow::Cow<'a, str>,
    attributes: &'a [u8],
    body: &'a [u8],
    key: u128,
    /// The key under the other scope, while messages are remembered that were sent under it.
    other_key: Option<u128>,
}

/// Whether the queue takes this message: decided before it is locked.
pub(crate) fn check(queue: &Queue, message: &Outgoing<'_>) -> Result<()> {
    let max = queue.rules.message_bytes_max();
    if message.body.len() + message.attributes.len() > max
        && message.body.len() + attributes::size(message.attributes)? > max
    {
        return Err(too_large(max));
    }
    if message.group.is_none() {
        return Err(Problem::Missing(Field::Group).into());
    }
    if let Some(delay) = message.delay.filter(|delay| *delay != 0) {
        return Err(Problem::DelayOfMessage(delay).into());
    }
    if message.dedup_id.is_none() && !queue.rules.content_based_dedup() {
        return Err(Problem::NoDedupId.into());
    }
    Ok(())
}

pub(crate) fn prepare<'a>(
    queue: &Queue,
    message: &Outgoing<'a>,
    now: Millis,
) -> Result<Prepared<'a>> {
    check(queue, message)?;
    let group = message.group.unwrap_or_default();
    let dedup_id: std::borrow::Cow<'a, str> = match message.dedup_id {
        Some(id) => id.into(),
        None => sha256_hex(message.body).into(),
    };
    let id: &[u8] = dedup_id.as_bytes();
    let key = |by_group| match by_group {
        true => queue.host.key.digest(&[id, group.as_bytes()]),
        false => queue.host.key.digest(&[id]),
    };
    let by_group = queue.rules.dedup_by_group();
    let other_key = (now < queue.rules.other_scope_until()).then(|| key(!by_group));
    let key = key(by_group);
    let Outgoing { attributes, body, .. } = *message;
    Ok(Prepared { group, dedup_id, attributes, body, key, other_key })
}

fn sha256_hex(body: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(body) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn rules(host: &Host, config: &QueueConfig) -> FifoRules {
    FifoRules {
        delay: config.delay,
        retention: config.retention,
        visibility: config.visibility,
        dedup_window: host.limits.dedup_window,
        attempt_window: host.limits.attempt_window,
        visibility_max: host.limits.visibility_max,
        in_flight_max: host.limits.fifo_in_flight_max,
        dead_letter_after: config.dead_letter.map(|dead| dead.max_receive_count),
    }
}

/// Where the message of a receipt lies now, if it is there at all.
fn place(queue: &Queue, state: &FifoState, receipt: &Receipt) -> Option<FifoSlotRef> {
    let place = match receipt.incarnation == queue.host.incarnation {
        true => FifoSlotRef { slot: receipt.slot, generation: receipt.generation },
        false => state.slot_of(receipt.seq)?,
    };
    state.message(place).filter(|info| info.seq == receipt.seq).map(|info| info.place)
}

fn arm_front(queue: &Queue, state: &mut FifoState) {
    if let Some(at) = state.arm_front() {
        queue.arm(SLOT_RETENTION, at);
    }
}

/// Removes what has reached its age; whether a group became free by it.
fn expire(queue: &Queue, state: &mut FifoState, now: Millis) -> bool {
    let mut freed = false;
    while state.decide_expire(now).is_some() {
        // A poisoned journal cannot note it; the message then expires again after reopening.
        let Ok(mut log) = queue.host.append_at(now) else { break };
        if let Some(removed) = state.expire(now) {
            note_removed(queue, &mut log, &removed, What::Expired);
            freed |= removed.freed;
        }
    }
    freed
}

/// Notes that a message is gone, and lets go of its location.
fn note_removed(queue: &Queue, log: &mut Append<'_>, removed: &Removed, what: What) {
    if queue.host.trace.is_on() {
        queue.trace_gone(removed.seq, what);
    }
    log.append(&Record::Deleted { queue: queue.id, seq: removed.seq });
    queue.references.release(removed.seq, log);
    location_of(&removed.payload).into_iter().for_each(|location| log.release(location));
}

fn location_of(payload: &Payload) -> Option<Location> {
    match payload {
        Payload::Bytes(_) => None,
        Payload::At { lsn, len } => Some(Location { lsn: Lsn::from_u64(*lsn), len: *len }),
    }
}

fn release_all(
    queue: &Queue,
    payloads: impl Iterator<Item = Payload>,
    references: impl Iterator<Item = Arc<Shareable>>,
) -> Result<()> {
    // Freed in portions, so that senders get the append lock in between.
    const PORTION: usize = 1_024;
    let mut locations = payloads.filter_map(|payload| location_of(&payload)).peekable();
    while locations.peek().is_some() {
        let mut log = queue.host.append()?;
        locations.by_ref().take(PORTION).for_each(|location| log.release(location));
    }
    let mut references = references.peekable();
    while references.peek().is_some() {
        let mut log = queue.host.append()?;
        references.by_ref().take(PORTION).for_each(|payload| payload.release(1, &mut log));
    }
    Ok(())
}
