//! Messages of one queue whose content lies in shared payloads.
//!
//! Each such message holds one reference, which is here under its number until the message is gone.
//! The thread that takes the entry out gives the reference back, so it is given back once, however
//! many threads end the message. Slots do not grow for it, and other messages do not pay for it.
//!
//! Lock order: the append lock and a queue's mutex come before this one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use trunkline_host::mutant::{self, Mutant};
use trunkline_host::{Append, Content, Payload, Payloads, Rendered, Shared};
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, Result, Seq};

use super::Queue;
use super::envelope::{Envelope, SHARED};

/// The references of one queue, in order of the messages' numbers. Entries that were taken out are
/// empty until they come to the front, or are as many as the others.
#[derive(Default)]
pub(crate) struct References {
    /// Whether there ever was one: queues without any take no lock.
    used: AtomicBool,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    sorted: VecDeque<(Seq, Option<Arc<Payload>>)>,
    empty: usize,
}

impl References {
    /// Notes the reference of a message, which was counted by [`Payload::refer`].
    pub fn add(&self, seq: Seq, payload: Arc<Payload>) {
        self.used.store(true, Ordering::Release);
        lock(&self.entries).add(seq, payload);
    }

    /// Whether there ever was a message with a shared payload.
    #[inline]
    pub fn is_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }

    /// The payload of a message that is there.
    pub fn get(&self, seq: Seq) -> Option<Arc<Payload>> {
        let entries = lock(&self.entries);
        let at = entries.find(seq).ok()?;
        entries.sorted[at].1.clone()
    }

    /// Gives back the reference of a message that is gone, if it holds one.
    #[inline]
    pub fn release(&self, seq: Seq, log: &mut Append<'_>) {
        if self.is_used() {
            self.release_used(seq, log);
        }
    }

    #[cold]
    fn release_used(&self, seq: Seq, log: &mut Append<'_>) {
        let payload = lock(&self.entries).take(seq);
        payload.into_iter().for_each(|payload| payload.release(1, log));
    }

    /// Whether the message `seq` refers to `payload`.
    pub fn holds(&self, seq: Seq, payload: &Arc<Payload>) -> bool {
        self.get(seq).is_some_and(|held| held == *payload)
    }

    /// Takes out all references: the caller gives them back.
    pub fn take_all(&self) -> impl Iterator<Item = Arc<Payload>> + use<> {
        let entries = std::mem::take(&mut *lock(&self.entries));
        entries.sorted.into_iter().filter_map(|(_, payload)| payload)
    }

    /// The payload of each message, for tests that count references again.
    pub fn all(&self) -> Vec<(Seq, u64)> {
        let entries = lock(&self.entries);
        let id =
            |(seq, payload): &(Seq, Option<Arc<Payload>>)| Some((*seq, payload.as_ref()?.id()));
        entries.sorted.iter().filter_map(id).collect()
    }
}

impl Entries {
    fn find(&self, seq: Seq) -> std::result::Result<usize, usize> {
        self.sorted.binary_search_by_key(&seq, |(number, _)| *number)
    }

    fn add(&mut self, seq: Seq, payload: Arc<Payload>) {
        // Numbers come nearly in order, so nothing or little is moved.
        match self.sorted.back() {
            Some((last, _)) if *last >= seq => match self.find(seq) {
                Ok(at) => {
                    if self.sorted[at].1.replace(payload).is_none() {
                        self.empty -= 1;
                    }
                }
                Err(at) => self.sorted.insert(at, (seq, Some(payload))),
            },
            _ => self.sorted.push_back((seq, Some(payload))),
        }
    }

    fn take(&mut self, seq: Seq) -> Option<Arc<Payload>> {
        let at = self.find(seq).ok()?;
        let taken = self.sorted[at].1.take()?;
        self.empty += 1;
        while self.sorted.front().is_some_and(|(_, payload)| payload.is_none()) {
            self.sorted.pop_front();
            self.empty -= 1;
        }
        if self.empty > 32 && self.empty * 2 > self.sorted.len() {
            self.sorted.retain(|(_, payload)| payload.is_some());
            self.empty = 0;
        }
        if self.sorted.is_empty() {
            self.sorted.shrink_to(64);
        }
        Some(taken)
    }
}

/// Shows the whole envelope of message `seq` to `see`; what it shares with others is fetched.
/// `None` when the message is gone.
#[inline]
pub(crate) fn with_envelope<T>(
    queue: &Queue,
    seq: Seq,
    flags: u8,
    payload: &[u8],
    see: impl FnOnce(&Envelope<'_>) -> Result<T>,
) -> Result<Option<T>> {
    match flags & SHARED {
        0 => see(&Envelope::read(flags, payload)?).map(Some),
        _ => with_content(queue, seq, payload, see),
    }
}

/// Shows message `seq` to `see` as its receivers get it: rendered, if the message names who renders
/// it. What cannot be rendered is shown as it was published, so that it never blocks its queue.
#[inline]
pub(crate) fn with_rendering<T>(
    queue: &Queue,
    message: &Shown<'_>,
    see: impl FnOnce(&Envelope<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let Shown { seq, flags, payload, .. } = *message;
    with_envelope(queue, seq, flags, payload, |envelope| match envelope.shared {
        Some(Shared { renderer: Some(renderer), context, .. }) => {
            let Envelope { body, attributes, origin, .. } = *envelope;
            let origin = origin.unwrap_or((queue.id, seq));
            let (accepted, attempt) = (message.sent, message.attempt);
            let content = Content { body, attributes, context, origin, accepted, attempt };
            match queue.host.render(renderer, &content) {
                Ok(Rendered { body, attributes: changed, .. }) => {
                    let attributes = changed.as_deref().unwrap_or(attributes);
                    see(&Envelope { body: &body, attributes, ..*envelope })
                }
                Err(_) => see(envelope),
            }
        }
        _ => see(envelope),
    })
}

/// A message that is shown to receivers.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub seq: Seq,
    pub flags: u8,
    pub payload: &'a [u8],
    pub sent: Millis,
    pub attempt: u32,
}

/// A message that is about to enter another queue, with a reference for it. Its content becomes its
/// own if the payload is gone: it was deleted where it was, while it was being moved.
pub(crate) fn with_reference<'a>(envelope: &Envelope<'a>) -> Envelope<'a> {
    match envelope.shared {
        Some(_) if mutant::has(Mutant::MoveWithoutReference) => *envelope,
        Some(shared) if !shared.payload.refer() => envelope.with_copy(),
        _ => *envelope,
    }
}

/// Counts the references of replayed messages again.
pub(crate) struct Restoring<'a> {
    pub references: &'a References,
    pub payloads: &'a Payloads,
    /// The payloads of messages, by number.
    pub named: HashMap<Seq, u64>,
}

impl Restoring<'_> {
    /// A message with these slot flags was replayed.
    pub fn message(&self, seq: Seq, flags: u8) {
        if flags & SHARED == 0 {
            return;
        }
        let payload = self.named.get(&seq).and_then(|id| self.payloads.restore_reference(*id));
        payload.into_iter().for_each(|payload| self.references.add(seq, payload));
    }
}

#[cold]
fn with_content<T>(
    queue: &Queue,
    seq: Seq,
    head: &[u8],
    see: impl FnOnce(&Envelope<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let Some(payload) = queue.references.get(seq) else { return Ok(None) };
    let mut buffer = Vec::new();
    match payload.content(&queue.host, &mut buffer)? {
        Some(content) => see(&Envelope::read_shared(head, &payload, content)?).map(Some),
        None => Ok(None),
    }
}
