//! Messages that leave a queue for another resource, and those that come from one: dead letters,
//! and messages that a redrive takes back. They go through the host ([`Host::deliver`]), which
//! knows the target by its id alone.
//!
//! One record takes the message away from one queue and adds it to the other, so a crash never
//! shows it in both or in neither. No two queues are locked at once: the source holds the message
//! apart (claimed or leased) while the target accepts it.

use trunkline_host::{Accepted, Also, Append, Host, Move, ReceivedBefore, Routed};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Millis, QueueKind, ResourceId, Result, Seq};

use crate::queue::envelope::Envelope;
use crate::queue::operation::SEND;
use crate::queue::{Kind, Outgoing, Queue, too_large};

/// A message that arrives from another resource.
pub(crate) struct Incoming<'a> {
    pub envelope: Envelope<'a>,
    pub sent: Millis,
    /// The resource it leaves, and its number there, if it moves.
    pub moved_from: Option<(ResourceId, Seq)>,
    /// What the sender appends in the same step.
    pub also: Option<&'a dyn Also>,
}

/// More bytes than a record of a message has beside its envelope and its body.
const HEAD_BYTES: usize = 128;

impl<'a> Incoming<'a> {
    /// The message as the queue stores it.
    fn moved(message: &Routed<'a>, moved: &Move) -> Self {
        let envelope = Envelope {
            origin: moved.origin,
            source: moved.source,
            sent: moved.first_sent,
            received: moved.received,
            shared: message.shared,
            group: message.group,
            dedup_id: message.dedup_id,
            attributes: message.attributes,
            body: message.body,
        };
        let moved_from = Some(moved.from);
        Self { envelope, sent: moved.sent, moved_from, also: message.also }
    }

    /// A new message, with what its sender appends in the same step.
    fn new(message: &Routed<'a>, now: Millis) -> Self {
        let Routed { body, attributes, group, dedup_id, also, .. } = *message;
        let envelope = Envelope { group, dedup_id, attributes, body, ..Envelope::default() };
        Self { envelope, sent: now, moved_from: None, also }
    }

    /// Keeps the message and what its sender appends together. A message above the largest batch
    /// of the journal is not kept together with anything: a crash in between has it sent again.
    pub fn reserve(&self, log: &mut Append<'_>) {
        if let Some(also) = self.also {
            let envelope = self.envelope.head().len() + self.envelope.body.len();
            log.reserve(2, HEAD_BYTES + envelope + also.bytes());
        }
    }

    /// Appends what the sender appends in the same step. Called right behind the message.
    pub fn append_also(&self, log: &mut Append<'_>) {
        if let Some(also) = self.also {
            also.append(log);
        }
    }
}

impl<'a> Envelope<'a> {
    /// The message on its way to another resource.
    pub fn routed(&self, moved: Move) -> Routed<'a> {
        Routed {
            body: self.body,
            attributes: self.attributes,
            shared: self.shared,
            group: self.group,
            dedup_id: self.dedup_id,
            moved: Some(moved),
            ..Routed::default()
        }
    }
}

impl Queue {
    /// Takes a message over: a new one as [`Queue::send`] does, one that moves in the step that
    /// removes it where it was.
    pub(crate) fn take_over(&self, message: &Routed<'_>) -> Result<Accepted> {
        let accepted = match (&message.moved, message.also) {
            (Some(moved), _) => self.add(&Incoming::moved(message, moved))?,
            (None, None) => self.send_routed(message)?,
            (None, Some(_)) => {
                self.check_routed(message)?;
                let call = self.host.admit_internal(SEND)?;
                self.add(&Incoming::new(message, call.now(&self.host)))?
            }
        };
        self.tell_listener();
        Ok(accepted)
    }

    /// Something was delivered here.
    pub(crate) fn tell_listener(&self) {
        if !self.has_listener.load(Ordering::Acquire) {
            return;
        }
        // Cloned: the listener may take its own locks.
        let listener = lock(&self.listener).clone();
        if let Some(listener) = listener {
            listener.signal();
        }
    }

    fn send_routed(&self, message: &Routed<'_>) -> Result<Accepted> {
        let Routed { body, attributes, group, dedup_id, delay, .. } = *message;
        let outgoing = Outgoing { body, attributes, group, dedup_id, delay };
        // Faults strike the calls of users, not what the engine delivers.
        let sent = self.send_admitted(&self.host.admit_internal(SEND)?, &outgoing)?;
        let (seq, duplicate, ticket) = (sent.seq, sent.duplicate, sent.ticket);
        Ok(Accepted { resource: self.id, seq, duplicate, ticket })
    }

    /// Whether this queue may take a new message that is added by itself, without [`Queue::send`]:
    /// its sender sends it once, so there is no deduplication, and no delay.
    fn check_routed(&self, message: &Routed<'_>) -> Result<()> {
        self.check_present()?;
        let max = self.rules.message_bytes_max();
        if message.body.len() + message.attributes.len() > max {
            return Err(too_large(max));
        }
        match (self.kind(), message.group) {
            (QueueKind::Fifo, None) => Err(Error::new(
                Code::MissingParameter,
                "A FIFO queue needs a group for every message. Name the group of the target.",
            )),
            _ => Ok(()),
        }
    }

    fn add(&self, incoming: &Incoming<'_>) -> Result<Accepted> {
        self.check_present()?;
        let (seq, ticket) = match self.inner() {
            Kind::Standard(standard) => standard.accept(self, incoming)?,
            Kind::Fifo(fifo) => fifo.accept(self, incoming)?,
        };
        self.wake(1);
        Ok(Accepted { resource: self.id, seq, duplicate: false, ticket })
    }
}

/// A message that was delivered as often as its queue allows.
pub(crate) struct Exhausted<'a> {
    pub seq: Seq,
    pub envelope: Envelope<'a>,
    pub sent: Millis,
    pub deliveries: u32,
    pub first_received: Millis,
}

/// Gives a message to the dead-letter queue of `queue`; `false` when there is none to take it, or
/// no space on the disk, so that the message is delivered once more rather than lost.
pub(crate) fn dead_letter(queue: &Queue, message: &Exhausted<'_>, now: Millis) -> Result<bool> {
    let Some(target) = queue.dead_letter_target() else { return Ok(false) };
    if queue.host.is_full() {
        return Ok(false);
    }
    // The age of a FIFO message starts anew in the dead-letter queue, that of a standard one does
    // not; what the receiver is told of its sending stays in both.
    let first_sent = message.envelope.sent.unwrap_or(message.sent);
    let (sent, kept) = match queue.inner() {
        Kind::Standard(_) => (message.sent, None),
        Kind::Fifo(_) => (now, Some(first_sent)),
    };
    let (count, first) = message.envelope.receive_count(message.deliveries, message.first_received);
    let moved = Move {
        from: (queue.id, message.seq),
        sent,
        origin: message.envelope.origin.or(Some((queue.id, message.seq))),
        source: Some(queue.id),
        first_sent: kept,
        received: Some(ReceivedBefore { count, first }),
    };
    is_delivered(queue.host.deliver(target, &message.envelope.routed(moved)))
}

/// Whether a target took a message; one that was removed meanwhile did not.
pub(crate) fn is_delivered(delivered: Result<Accepted>) -> Result<bool> {
    match delivered {
        Ok(_) => Ok(true),
        Err(error) if is_gone(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error.code(), Code::QueueDoesNotExist | Code::ResourceNotFoundException)
}

/// What became of an attempt to move one message back.
pub(crate) enum Taken {
    /// One message was moved.
    Moved,
    /// No message is visible.
    Nothing,
    /// The message says nothing of where it came from.
    NoTarget,
    /// The queue it should go to does not exist.
    TargetGone,
}

/// Redrives the first visible message of `source` to the queue that `target` names for it, as a new
/// message there.
pub(crate) fn take_back(
    host: &Host,
    source: &Queue,
    target: impl Fn(Option<ResourceId>) -> Option<ResourceId>,
    now: Millis,
) -> Result<Taken> {
    let mut taken = Taken::Nothing;
    let mut give = |seq: Seq, envelope: &Envelope<'_>| -> Result<bool> {
        let Some(target) = target(envelope.source) else {
            taken = Taken::NoTarget;
            return Ok(false);
        };
        let moved = Move::anew((source.id, seq), now);
        let is_moved = is_delivered(host.deliver(target, &envelope.routed(moved)))?;
        taken = if is_moved { Taken::Moved } else { Taken::TargetGone };
        Ok(is_moved)
    };
    match source.inner() {
        Kind::Standard(standard) => standard.take(source, &mut give)?,
        Kind::Fifo(fifo) => fifo.take(source, now, &mut give)?,
    }
    Ok(taken)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::*;
    use crate::{Clock, Engine, OpenOptions, Outgoing, fifo_queue, queue_name, standard_queue};

    fn open(path: &Path) -> Arc<Engine> {
        let clock = Arc::new(Clock::virtual_at(1_700_000_000_000));
        let options = OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(path) };
        Engine::open(OpenOptions { background: false, ..options }).unwrap()
    }

    fn send(queue: &Queue, body: &[u8]) {
        let (group, dedup_id) = match queue.inner() {
            Kind::Standard(_) => (None, None),
            Kind::Fifo(_) => (Some("g"), Some(std::str::from_utf8(&body[..5]).unwrap())),
        };
        queue.send(&Outgoing { body, group, dedup_id, ..Outgoing::default() }).unwrap();
    }

    /// Redrives the first message of `source`; compaction is asked for when the move is on record
    /// and the message has not yet left the source.
    fn move_while_compacting(engine: &Arc<Engine>, source: &Queue, target: &Queue) {
        let (told, compacted) = mpsc::channel();
        let mut give = |seq: Seq, envelope: &Envelope<'_>| -> Result<bool> {
            let moved = Move::anew((source.id, seq), source.host.now());
            target.take_over(&envelope.routed(moved))?;
            let (engine, told) = (engine.clone(), told.clone());
            std::thread::spawn(move || told.send(engine.compact_oldest()));
            // Compaction has to wait for the end of the move: it does not come in between.
            let waited = compacted.recv_timeout(Duration::from_millis(50));
            assert!(waited.is_err(), "compacted in the middle");
            Ok(true)
        };
        match source.inner() {
            Kind::Standard(standard) => standard.take(source, &mut give).unwrap(),
            Kind::Fifo(fifo) => fifo.take(source, source.host.now(), &mut give).unwrap(),
        }
        compacted.recv().unwrap().unwrap();
    }

    #[test]
    fn compaction_in_the_middle_of_a_move_brings_nothing_back() {
        for (name, config) in [("plain", standard_queue()), ("q.fifo", fifo_queue())] {
            let folder = tempfile::tempdir().unwrap();
            {
                let engine = open(folder.path());
                let source = engine.create_queue(queue_name(name), config, b"").unwrap();
                let target = engine.create_queue(queue_name("target"), standard_queue(), b"");
                for number in 0..30 {
                    send(&source, format!("{number:05} {number:0900}").as_bytes());
                }
                engine.flush().unwrap();
                move_while_compacting(&engine, &source, &target.unwrap());
                assert_eq!(source.statistics().unwrap().visible, 29);
                engine.close().unwrap();
            }
            let engine = open(folder.path());
            let source = engine.find_queue(&queue_name(name)).unwrap().unwrap();
            let there = source.statistics().unwrap();
            assert_eq!(there.visible + there.in_flight, 29, "{name}: it is in both");
        }
    }
}
