//! A standard queue at work: the lock-free log, its journal and its timers.
//!
//! In memory `send`, `receive` and `delete` of messages without a group take no lock. With a
//! journal every transition happens under the append lock, so that log order is the order of
//! transitions. A message with a group goes through the fair scheduler, which has its own lock.

mod exhausted;
mod fair;
mod fan_out;
mod message;
mod receive;
mod relocation;
mod restore;
mod retention;

use std::cell::Cell;

use trunkline_host::{Append, Location, Shared, What};
use trunkline_journal::{Lsn, Ticket};
use trunkline_queue::{
    Extend, FairScheduler, Info, NewBody, SeqMap, SharedBody, SlotRef, StandardLog, Visibility,
};
use trunkline_types::sync::Mutex;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use trunkline_types::{Error, Field, Millis, Problem, Receipt, Result, Seq};

use crate::queue::envelope::{Envelope, GROUPED};
use crate::queue::message::{Outgoing, Sent, Statistics};
use crate::queue::record::{MessageRecord, Record};
use crate::queue::shared::with_reference;
use crate::queue::transfer::Incoming;
use crate::queue::{Queue, attributes, too_large};

thread_local! {
    /// The memory of the head of an envelope.
    static HEAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(crate) struct StandardQueue {
    log: StandardLog,
    /// Messages with a group, and how many of them are visible: zero spares each verb the lock.
    fair: Mutex<FairScheduler>,
    fair_waiting: AtomicUsize,
    /// Whether there ever was a message with a group.
    has_tenants: AtomicBool,
    /// Whose turn it is: the log's or the fair scheduler's.
    turn: AtomicBool,
    /// Where messages of earlier runs that were delivered then lie now, for their old receipts.
    recovered: Mutex<SeqMap>,
    /// When the retention of the oldest message is looked at next; 0 when nothing is planned.
    front: AtomicU64,
}

impl StandardQueue {
    pub fn new(first: Seq) -> Self {
        Self {
            log: StandardLog::new(first),
            fair: Mutex::default(),
            fair_waiting: AtomicUsize::new(0),
            has_tenants: AtomicBool::new(false),
            turn: AtomicBool::new(false),
            recovered: Mutex::default(),
            front: AtomicU64::new(0),
        }
    }

    #[inline]
    pub fn send(&self, queue: &Queue, message: &Outgoing<'_>, now: Millis) -> Result<Sent> {
        if let Some(seq) = self.send_plain(queue, message, now) {
            return Ok(Sent { queue: queue.id, seq, duplicate: false, ticket: None });
        }
        let mut log = queue.host.append_at(now)?;
        let seq = self.admit(queue, &mut log, message, None, now)?;
        Ok(Sent { queue: queue.id, seq, duplicate: false, ticket: log.ticket() })
    }

    pub fn send_batch(
        &self,
        queue: &Queue,
        messages: &[Outgoing<'_>],
        now: Millis,
        each: &mut dyn FnMut(usize, Result<Sent>),
    ) -> Result<Option<Ticket>> {
        if messages.iter().all(|message| is_plain(queue, message)) {
            let mut index = 0;
            self.log.append_all(now, 0, messages.iter().map(|message| message.body), |seq| {
                if queue.host.trace.is_on() {
                    queue.trace_entered(seq, None);
                }
                each(index, Ok(Sent { queue: queue.id, seq, duplicate: false, ticket: None }));
                index += 1;
            });
            self.plan_retention(queue, now);
            return Ok(None);
        }
        let mut results = Vec::with_capacity(messages.len());
        let ticket = {
            let mut log = queue.host.append_at(now)?;
            for message in messages {
                results.push(self.admit(queue, &mut log, message, None, now));
            }
            log.ticket()
        };
        // The caller's code runs without our lock.
        for (index, result) in results.into_iter().enumerate() {
            let sent = |seq| Sent { queue: queue.id, seq, duplicate: false, ticket };
            each(index, result.map(sent));
        }
        Ok(ticket)
    }

    /// The usual case in memory, a body and nothing else: the same decision and application as in
    /// `admit`, without what they would have to look for.
    #[inline]
    pub fn send_plain(&self, queue: &Queue, message: &Outgoing<'_>, now: Millis) -> Option<Seq> {
        if !is_plain(queue, message) {
            return None;
        }
        let seq = self.log.append(now, 0, message.body);
        self.entered(queue, seq, now);
        Some(seq)
    }

    /// The same for a body that messages of other queues share.
    #[inline]
    pub fn send_shared(&self, queue: &Queue, body: &SharedBody, now: Millis) -> Option<Seq> {
        let message = Outgoing { body: body.bytes(), ..Outgoing::default() };
        if !is_plain(queue, &message) {
            return None;
        }
        let seq = self.log.append_shared(now, 0, body);
        self.entered(queue, seq, now);
        Some(seq)
    }

    #[inline]
    fn entered(&self, queue: &Queue, seq: Seq, now: Millis) {
        if queue.host.trace.is_on() {
            queue.trace_entered(seq, None);
        }
        self.plan_retention(queue, now);
    }

    /// See [`StandardLog::look_ahead`].
    #[inline]
    pub fn look_ahead(&self) -> u64 {
        self.log.look_ahead() ^ self.front.load(Ordering::Relaxed)
    }

    /// Decides, journals and applies one send. Content that is `shared` holds a reference for it.
    pub fn admit(
        &self,
        queue: &Queue,
        log: &mut Append<'_>,
        message: &Outgoing<'_>,
        shared: Option<Shared<'_>>,
        now: Millis,
    ) -> Result<Seq> {
        if shared.is_none()
            && let Some(seq) = self.send_plain(queue, message, now)
        {
            return Ok(seq);
        }
        check(queue, message)?;
        let delay = message.delay.unwrap_or_else(|| queue.rules.delay());
        let visibility = visibility(delay, message.group, now);
        let envelope = Envelope {
            shared,
            group: message.group,
            attributes: message.attributes,
            body: message.body,
            ..Envelope::default()
        };
        let place = self.put(queue, log, &envelope, now, visibility, None);
        self.plan_retention(queue, now);
        Ok(place.1)
    }

    /// Journals and applies one message that was decided upon.
    #[inline]
    fn put(
        &self,
        queue: &Queue,
        log: &mut Append<'_>,
        envelope: &Envelope<'_>,
        sent: Millis,
        visibility: Visibility,
        moved: Option<&Incoming<'_>>,
    ) -> (SlotRef, Seq) {
        let (flags, body) = (envelope.flags(), envelope.own_body());
        // Kept from message to message: a fan-out makes one for each queue.
        let mut head = if flags == 0 { Vec::new() } else { HEAD.take() };
        head.clear();
        envelope.put_head(&mut head);
        let reserved = self.log.reserve(head.len() + body.len(), !log.is_on());
        let seq = reserved.seq();
        if let Some(shared) = envelope.shared {
            queue.references.add(seq, shared.payload.clone());
        }
        let due = match visibility {
            Visibility::Delayed(due) | Visibility::HeldAfter(due) => due,
            Visibility::Ready | Visibility::Held => 0,
        };
        let held = MessageRecord {
            queue: queue.id,
            seq,
            flags,
            sent,
            due,
            deliveries: 0,
            first_received: 0,
            dedup: None,
            moved_from: moved.and_then(|moved| moved.moved_from),
            payload: &[],
        };
        let place = match log.append_payload(&held, &[&head, body]) {
            Some(location) => {
                let body = NewBody::At { lsn: location.lsn.to_u64(), len: location.len };
                reserved.publish(sent, flags, body, visibility)
            }
            None if head.is_empty() => {
                reserved.publish(sent, flags, NewBody::Inline(&[body]), visibility)
            }
            None => {
                let parts: [&[u8]; 2] = [&head, body];
                reserved.publish(sent, flags, NewBody::Inline(&parts), visibility)
            }
        };
        if flags != 0 {
            HEAD.set(head);
        }
        if queue.host.trace.is_on() {
            queue.trace_entered(seq, moved);
        }
        if flags & GROUPED != 0 {
            self.has_tenants.store(true, Ordering::Release);
        }
        match visibility {
            Visibility::Ready => {}
            Visibility::Held => self.enter_lane(envelope.group, place),
            Visibility::Delayed(due) | Visibility::HeldAfter(due) => {
                self.arm(queue, place.slot, due);
            }
        }
        (place, seq)
    }

    /// Takes a message over from another resource.
    pub fn accept(&self, queue: &Queue, incoming: &Incoming<'_>) -> Result<(Seq, Option<Ticket>)> {
        let mut log = queue.host.append()?;
        let envelope = with_reference(&incoming.envelope);
        let sent = incoming.sent;
        let delay = if incoming.moved_from.is_none() { queue.rules.delay() } else { 0 };
        let visibility = visibility(delay, incoming.envelope.group, sent);
        incoming.reserve(&mut log);
        let (place, seq) = self.put(queue, &mut log, &envelope, sent, visibility, Some(incoming));
        incoming.append_also(&mut log);
        self.watch_out_of_order(queue, place.slot, incoming.sent);
        Ok((seq, log.ticket()))
    }

    #[inline]
    pub fn delete(&self, queue: &Queue, receipt: &Receipt) -> Result<Option<Ticket>> {
        let Some(place) = self.place(queue, receipt) else { return Ok(None) };
        if !queue.host.is_journaled() && !self.has_tenants() && !queue.references.is_used() {
            // Nothing to let go of: no location in a journal, no tenant, no shared payload.
            if self.log.delete(place) && queue.host.trace.is_on() {
                queue.trace_gone(receipt.seq, What::Deleted);
            }
            return Ok(None);
        }
        self.delete_and_let_go(queue, place)
    }

    #[inline(never)]
    fn delete_and_let_go(&self, queue: &Queue, place: SlotRef) -> Result<Option<Ticket>> {
        let mut log = queue.host.append()?;
        let info = self.log.info(place);
        if let (true, Some(info)) = (self.log.delete(place), info) {
            self.forget(queue, &mut log, &info);
            if queue.host.trace.is_on() {
                queue.trace_gone(info.seq, What::Deleted);
            }
        }
        Ok(log.ticket())
    }

    pub fn extend(
        &self,
        queue: &Queue,
        receipt: &Receipt,
        visibility: Millis,
        now: Millis,
    ) -> Result<Option<Ticket>> {
        let place = self.place(queue, receipt).ok_or_else(gone)?;
        let mut log = queue.host.append_at(now)?;
        let due = now + visibility;
        match self.log.extend(place, due, now) {
            Extend::Gone => return Err(gone()),
            // The lease has ended: AWS answers with success and does nothing.
            Extend::NotInFlight => return Ok(log.ticket()),
            Extend::Changed => self.arm(queue, place.slot, due),
            Extend::Visible => {
                self.return_to_lane(queue, place);
            }
        }
        let seq = receipt.seq;
        log.append_delay(&Record::Extended { queue: queue.id, seq, due });
        Ok(log.ticket())
    }

    pub fn statistics(&self) -> Statistics {
        let counts = self.log.counts();
        Statistics {
            visible: u64::from(counts.visible),
            in_flight: u64::from(counts.in_flight),
            delayed: u64::from(counts.delayed),
            oldest_sent: self.log.oldest_sent(),
            ..Statistics::default()
        }
    }

    pub fn purge(&self, queue: &Queue, now: Millis) -> Result<Option<Ticket>> {
        let mut log = queue.host.append_at(now)?;
        self.clear(queue, &mut log);
        let before = self.next_seq();
        queue.record_purge(&mut log, before, now);
        Ok(log.ticket())
    }

    /// Lets go of every message of a queue that is gone.
    pub fn empty(&self, queue: &Queue) -> Result<()> {
        self.clear(queue, &mut queue.host.append()?);
        queue.trace_purged(self.next_seq(), "with its queue");
        Ok(())
    }

    fn clear(&self, queue: &Queue, log: &mut Append<'_>) {
        let mut all = Vec::new();
        self.log.scan(|info| {
            all.push(info);
            true
        });
        for info in all {
            if self.log.delete(info.place) {
                queue.references.release(info.seq, log);
                location_of(&info).into_iter().for_each(|location| log.release(location));
            }
        }
        if self.has_tenants() {
            self.with_scheduler(|scheduler| *scheduler = FairScheduler::default());
        }
    }

    pub fn has_visible(&self) -> bool {
        self.log.counts().visible > 0
    }

    pub fn next_seq(&self) -> Seq {
        self.log.next_seq()
    }

    /// Notes that a message is gone, and lets go of what belonged to it.
    fn forget(&self, queue: &Queue, log: &mut Append<'_>, info: &Info) {
        log.append(&Record::Deleted { queue: queue.id, seq: info.seq });
        self.let_go(queue, log, info);
    }

    /// Lets go of what belonged to a message that is gone.
    fn let_go(&self, queue: &Queue, log: &mut Append<'_>, info: &Info) {
        queue.references.release(info.seq, log);
        location_of(info).into_iter().for_each(|location| log.release(location));
        self.leave_lane(info);
    }

    #[inline]
    fn arm(&self, queue: &Queue, slot: u32, at: Millis) {
        if self.log.arm(slot, at) {
            queue.arm(slot, at);
        }
    }
}

/// How a message begins that is sent at `now`.
fn visibility(delay: Millis, group: Option<&str>, now: Millis) -> Visibility {
    match (delay, group) {
        (0, None) => Visibility::Ready,
        (0, Some(_)) => Visibility::Held,
        (delay, None) => Visibility::Delayed(now + delay),
        (delay, Some(_)) => Visibility::HeldAfter(now + delay),
    }
}

/// Whether a message is the usual case in memory: a body and nothing else, to be seen at once.
#[inline]
pub(crate) fn is_plain(queue: &Queue, message: &Outgoing<'_>) -> bool {
    let Outgoing { body, attributes, group, dedup_id, delay } = *message;
    !queue.host.is_journaled()
        && attributes.is_empty()
        && group.is_none()
        && dedup_id.is_none()
        && delay.unwrap_or_else(|| queue.rules.delay()) == 0
        && body.len() <= queue.rules.message_bytes_max()
}

/// Where a message lies in the journal.
fn location_of(info: &Info) -> Option<Location> {
    info.at.map(|(lsn, len)| Location { lsn: Lsn::from_u64(lsn), len })
}

/// Whether the queue takes this message.
#[inline]
pub(crate) fn check(queue: &Queue, message: &Outgoing<'_>) -> Result<()> {
    let max = queue.rules.message_bytes_max();
    if message.body.len() + message.attributes.len() > max {
        check_size(message, max)?;
    }
    match message.dedup_id {
        Some(id) => Err(dedup_on_standard(id)),
        None => Ok(()),
    }
}

/// The exact size of a message that may be too large: attributes are counted as SQS counts them.
#[cold]
fn check_size(message: &Outgoing<'_>, max: usize) -> Result<()> {
    let size = message.body.len() + attributes::size(message.attributes)?;
    if size > max { Err(too_large(max)) } else { Ok(()) }
}

#[cold]
fn dedup_on_standard(id: &str) -> Error {
    Problem::NotForThisKind { field: Field::DedupId, value: id.to_owned() }.into()
}

#[cold]
fn gone() -> Error {
    Problem::NotInFlight.into()
}
