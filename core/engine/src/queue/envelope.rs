//! What travels with a body: group, ids, attributes and where the message came from.
//!
//! A plain message (the common case) has no envelope at all: its payload is its body and the slot's
//! `ENVELOPED` flag is off.
//!
//! ```text
//! envelope := present u8 | [payload u64, renderer u32, variant u64 if renderer is not 0]
//!             | [origin queue u32, seq u64]
//!             | [dead-letter source u32] | [sent u64] | [received u32, first u64]
//!             | [group] | [dedup id] | [attributes] | body
//! ([..] may be absent; texts and attributes are length-prefixed)
//! ```
//!
//! A message whose slot has the flag `SHARED` has neither attributes nor a body of its own: they
//! are in the shared payload that it names.
//!
//! ```text
//! shared payload := context | attributes | body     (context and attributes length-prefixed)
//! ```

use std::sync::Arc;

use trunkline_host::{Payload, Put, ReceivedBefore, Renderer, Shared, Take, damaged};
use trunkline_types::{Millis, ResourceId, Result, Seq};

/// Slot flag: the payload starts with an envelope.
pub(crate) const ENVELOPED: u8 = 1;
/// Slot flag: the message names a group, so on a standard queue it waits in the fair scheduler.
pub(crate) const GROUPED: u8 = 2;

/// Slot flag: attributes and body are in a shared payload.
pub(crate) const SHARED: u8 = 4;
/// The flags of a message that has nothing but its reference to a shared payload.
pub(crate) const SHARED_ALONE: u8 = ENVELOPED | SHARED;

const ORIGIN: u8 = 1;
const SOURCE: u8 = 2;
const GROUP: u8 = 4;
const DEDUP: u8 = 8;
const ATTRIBUTES: u8 = 16;
const SENT: u8 = 32;
const RECEIVED: u8 = 64;
const PAYLOAD: u8 = 128;

/// A payload, taken apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    /// Where attributes and body are, if the message shares them with others.
    pub shared: Option<Shared<'a>>,
    /// The queue and number under which the message was first sent, if not these ones.
    pub origin: Option<(ResourceId, Seq)>,
    /// The queue that gave the message up.
    pub source: Option<ResourceId>,
    /// When the message was first sent, where its age began anew.
    pub sent: Option<Millis>,
    /// The deliveries of earlier queues.
    pub received: Option<ReceivedBefore>,
    pub group: Option<&'a str>,
    pub dedup_id: Option<&'a str>,
    pub attributes: &'a [u8],
    pub body: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Which delivery of the message its queue's delivery number `own` is, and when the first one
    /// was, if its queue's own first one was at `first_received`.
    #[inline]
    pub fn receive_count(&self, own: u32, first_received: Millis) -> (u32, Millis) {
        match self.received {
            None => (own, first_received),
            Some(before) => (before.count.saturating_add(own), before.first),
        }
    }

    /// The slot flags of this payload.
    pub fn flags(&self) -> u8 {
        let grouped = if self.group.is_some() { GROUPED } else { 0 };
        let shared = if self.shared.is_some() { SHARED } else { 0 };
        if self.present() == 0 { 0 } else { ENVELOPED | grouped | shared }
    }

    /// What is stored behind the head.
    #[inline]
    pub fn own_body(&self) -> &'a [u8] {
        if self.shared.is_some() { &[] } else { self.body }
    }

    /// The same message with the content of a payload that is gone, as its own.
    pub fn with_copy(self) -> Self {
        Self { shared: None, ..self }
    }

    /// Everything before the body, to be written in front of it; nothing for a plain message.
    pub fn head(&self) -> Vec<u8> {
        let mut head = Vec::new();
        self.put_head(&mut head);
        head
    }

    /// The same, behind what `head` holds.
    pub fn put_head(&self, head: &mut Vec<u8>) {
        let present = self.present();
        if present == 0 {
            return;
        }
        head.reserve(64);
        head.put_u8(present);
        if let Some(shared) = self.shared {
            Reference { id: shared.payload.id(), renderer: shared.renderer }.put(head);
        }
        if let Some((queue, seq)) = self.origin {
            head.put_u32(queue.0);
            head.put_u64(seq);
        }
        if let Some(queue) = self.source {
            head.put_u32(queue.0);
        }
        if let Some(sent) = self.sent {
            head.put_u64(sent);
        }
        if let Some(before) = self.received {
            head.put_u32(before.count);
            head.put_u64(before.first);
        }
        for text in [self.group, self.dedup_id].into_iter().flatten() {
            head.put_bytes(text.as_bytes());
        }
        if present & ATTRIBUTES != 0 {
            head.put_bytes(self.attributes);
        }
    }

    /// Takes a payload with these slot flags apart. Of a shared one it gives what is the message's
    /// own; [`Envelope::read_shared`] gives all.
    #[inline]
    pub fn read(flags: u8, payload: &'a [u8]) -> Result<Self> {
        if flags & ENVELOPED == 0 {
            return Ok(Self { body: payload, ..Self::default() });
        }
        Self::read_whole(payload)
    }

    fn read_whole(payload: &'a [u8]) -> Result<Self> {
        let mut take = Take(payload);
        let present = take.u8()?;
        if present & PAYLOAD != 0 {
            Reference::take(&mut take)?;
        }
        let mut envelope = Self::default();
        if present & ORIGIN != 0 {
            envelope.origin = Some((ResourceId(take.u32()?), take.u64()?));
        }
        if present & SOURCE != 0 {
            envelope.source = Some(ResourceId(take.u32()?));
        }
        if present & SENT != 0 {
            envelope.sent = Some(take.u64()?);
        }
        if present & RECEIVED != 0 {
            envelope.received = Some(ReceivedBefore { count: take.u32()?, first: take.u64()? });
        }
        if present & GROUP != 0 {
            envelope.group = Some(take.text()?);
        }
        if present & DEDUP != 0 {
            envelope.dedup_id = Some(take.text()?);
        }
        if present & ATTRIBUTES != 0 {
            envelope.attributes = take.bytes()?;
        }
        envelope.body = take.rest();
        Ok(envelope)
    }

    /// Takes apart the `head` of a message that shares `payload`, whose content is `content`.
    pub fn read_shared(
        head: &'a [u8],
        payload: &'a Arc<Payload>,
        content: &'a [u8],
    ) -> Result<Self> {
        let Some(Reference { id, renderer }) = Reference::read(SHARED, head)? else {
            return Err(damaged("a message that names no shared payload"));
        };
        if id != payload.id() {
            return Err(damaged("a message that names another shared payload"));
        }
        let mut take = Take(content);
        let (context, attributes) = (take.bytes()?, take.bytes()?);
        let shared = Some(Shared { payload, renderer, context });
        Ok(Self { shared, attributes, body: take.rest(), ..Self::read_whole(head)? })
    }

    fn present(&self) -> u8 {
        let own_attributes = self.shared.is_none() && !self.attributes.is_empty();
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        bit(self.origin.is_some(), ORIGIN)
            | bit(self.source.is_some(), SOURCE)
            | bit(self.sent.is_some(), SENT)
            | bit(self.received.is_some(), RECEIVED)
            | bit(self.group.is_some(), GROUP)
            | bit(self.dedup_id.is_some(), DEDUP)
            | bit(own_attributes, ATTRIBUTES)
            | bit(self.shared.is_some(), PAYLOAD)
    }
}

/// The shared payload that a stored message names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    pub id: u64,
    pub renderer: Option<Renderer>,
}

impl Reference {
    /// Reads it from the head of a message with these slot flags, if it shares a payload.
    pub fn read(flags: u8, head: &[u8]) -> Result<Option<Self>> {
        if flags & SHARED == 0 {
            return Ok(None);
        }
        let mut take = Take(head);
        if take.u8()? & PAYLOAD == 0 {
            return Err(damaged("a message that names no shared payload"));
        }
        Self::take(&mut take).map(Some)
    }

    /// Writes the head of a message that has nothing else.
    pub fn put_head(&self, head: &mut Vec<u8>) {
        head.put_u8(PAYLOAD);
        self.put(head);
    }

    fn put(&self, head: &mut Vec<u8>) {
        head.put_u64(self.id);
        match self.renderer {
            Some(renderer) => renderer.put(head),
            None => head.put_u32(0),
        }
    }

    fn take(take: &mut Take<'_>) -> Result<Self> {
        let (id, resource) = (take.u64()?, ResourceId(take.u32()?));
        let renderer = match resource {
            // Ids of resources start at one.
            ResourceId(0) => None,
            resource => Some(Renderer { resource, variant: take.u64()? }),
        };
        Ok(Self { id, renderer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_body_has_no_envelope() {
        let envelope = Envelope { body: b"body", ..Envelope::default() };
        assert_eq!((envelope.flags(), envelope.head()), (0, Vec::new()));
        assert_eq!(Envelope::read(0, b"body"), Ok(envelope));
    }

    #[test]
    fn an_envelope_gives_back_what_it_was_made_of() {
        let envelope = Envelope {
            shared: None,
            origin: Some((ResourceId(3), 9)),
            source: Some(ResourceId(4)),
            sent: Some(7),
            received: Some(ReceivedBefore { count: 3, first: 8 }),
            group: Some("g"),
            dedup_id: Some("d"),
            attributes: b"attributes",
            body: b"body",
        };
        let payload = [envelope.head().as_slice(), envelope.body].concat();
        assert_eq!(envelope.flags(), ENVELOPED | GROUPED);
        assert_eq!(Envelope::read(envelope.flags(), &payload), Ok(envelope));
    }

    #[test]
    fn a_cut_envelope_is_an_error() {
        let envelope = Envelope { group: Some("group"), ..Envelope::default() };
        let head = envelope.head();
        for length in 0..head.len() {
            assert!(Envelope::read(ENVELOPED, &head[..length]).is_err());
        }
    }
}
