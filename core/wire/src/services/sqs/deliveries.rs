//! Messages as an answer shows them: those that are received, and those that are looked at.

use std::ops::Range;
use std::sync::Arc;

use trunkline_engine::attributes::{Attribute, decode};
use trunkline_engine::{Delivery, Engine, Queue, sequence_number};
use trunkline_types::QueueKind;

use super::names::{SYSTEM, System, User};
use super::{address, digest};
use crate::codec::object::Object;
use crate::codec::{encode_blob, json};

/// Writes messages of one queue, with the attributes that are asked for.
pub(super) struct Writer {
    pub engine: Arc<Engine>,
    pub queue: Arc<Queue>,
    pub system: System,
    pub user: User,
}

impl Writer {
    /// Writes one message. Its digest is put in by [`Bodies::fill_digests`].
    pub fn write(
        &self,
        delivery: &Delivery<'_>,
        receipt: &str,
        bodies: &mut Bodies,
        out: &mut Vec<u8>,
    ) {
        let mut message = Object::open(out);
        let id = delivery.message_id(self.engine.key()).to_string();
        message.plain("MessageId", id.as_bytes());
        message.plain("ReceiptHandle", receipt.as_bytes());
        let out = message.key("MD5OfBody");
        let place = out.len() + 1;
        out.push(b'"');
        out.extend_from_slice(&[b'0'; 32]);
        out.push(b'"');
        let out = message.key("Body");
        let start = out.len() + 1;
        // A program may send bytes that are no text, which the wire cannot carry: they become
        // U+FFFD. The digest is of the body that is handed out, or clients would refuse it.
        let body = String::from_utf8_lossy(delivery.body);
        json::write_text(&body, out);
        bodies.add(body.as_bytes(), start, place, out);
        let wanted = !self.system.is_empty() || self.user != User::None;
        if wanted {
            // A block that the engine kept is the block that was sent.
            let attributes = decode(delivery.attributes).unwrap_or_default();
            self.write_system(delivery, &attributes, &mut message);
            self.write_user(&attributes, &mut message);
        }
        message.close();
    }

    fn write_system(
        &self,
        delivery: &Delivery<'_>,
        attributes: &[Attribute],
        message: &mut Object<'_>,
    ) {
        if self.system.is_empty() {
            return;
        }
        let mut object = Object::open(message.key("Attributes"));
        for (bit, name) in SYSTEM.iter().enumerate().filter(|(bit, _)| self.system.has(*bit)) {
            let value = match bit {
                0 => Some(self.queue.name().account.clone()),
                1 => Some(delivery.sent.to_string()),
                2 => Some(delivery.receive_count.to_string()),
                3 => Some(delivery.first_received.to_string()),
                4 if self.queue.kind() == QueueKind::Fifo => Some(sequence_number(delivery.seq)),
                5 => delivery.dedup_id.map(str::to_owned),
                6 => delivery.group.map(str::to_owned),
                7 => attributes
                    .iter()
                    .find(|attribute| attribute.system && attribute.name == *name)
                    .map(|attribute| String::from_utf8_lossy(&attribute.value).into_owned()),
                8 => delivery.dead_letter_source.and_then(|source| {
                    let queue = self.engine.queue_by_id(source)?;
                    Some(address::arn(queue.name()))
                }),
                _ => None,
            };
            if let Some(value) = value {
                object.text(name, &value);
            }
        }
        object.close();
    }

    fn write_user(&self, attributes: &[Attribute], message: &mut Object<'_>) {
        let wanted = |a: &&Attribute| !a.system && self.user.has(&a.name);
        let mut found = attributes.iter().filter(wanted).peekable();
        if found.peek().is_none() {
            return;
        }
        // The digest covers what is returned, not what was sent; the block is sorted by name.
        let digest = digest::of_attributes(attributes.iter().filter(wanted));
        message.plain("MD5OfMessageAttributes", &digest);
        let mut object = Object::open(message.key("MessageAttributes"));
        for attribute in found {
            let mut value = Object::open(object.any_key(&attribute.name));
            if attribute.data_type.starts_with("Binary") {
                value.plain("BinaryValue", encode_blob(&attribute.value).as_bytes());
            } else {
                value.text("StringValue", &String::from_utf8_lossy(&attribute.value));
            }
            json::write_text(&attribute.data_type, value.key("DataType"));
            value.close();
        }
        object.close();
    }
}

/// The bodies of one answer, whose digests are made all at once and put in afterwards: a delivery's
/// bytes are only lent for the time it is written.
#[derive(Default)]
pub(super) struct Bodies {
    all: Vec<Body>,
    /// The bytes of those that the answer does not hold as they are.
    copied: Vec<u8>,
}

struct Body {
    is_copied: bool,
    /// Where its bytes are: in the answer, or among those that were copied.
    bytes: Range<usize>,
    /// Where its digest belongs in the answer.
    place: usize,
}

impl Bodies {
    /// Whether no message was written yet.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds a body that was written into `out` from `start` on.
    fn add(&mut self, body: &[u8], start: usize, place: usize, out: &[u8]) {
        let written = start..start + body.len();
        let is_copied = out.get(written.clone()) != Some(body);
        let bytes = if is_copied {
            self.copied.extend_from_slice(body);
            self.copied.len() - body.len()..self.copied.len()
        } else {
            written
        };
        self.all.push(Body { is_copied, bytes, place });
    }

    /// Puts the digests in.
    pub fn fill_digests(&self, out: &mut [u8]) {
        let bytes = |body: &Body| match body.is_copied {
            true => &self.copied[body.bytes.clone()],
            false => &out[body.bytes.clone()],
        };
        let bodies: Vec<&[u8]> = self.all.iter().map(bytes).collect();
        let digests = digest::of_bodies(&bodies);
        for (digest, Body { place, .. }) in digests.iter().zip(&self.all) {
            out[*place..*place + digest.len()].copy_from_slice(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_of_the_body_that_is_handed_out_however_it_is_escaped() {
        let sent: [&[u8]; 5] =
            [b"plain", b"with \"quotes\"", b"line\n", b"no \xef\xbf\xbd text", b""];
        let mut out = Vec::new();
        let mut bodies = Bodies::default();
        let mut places = Vec::new();
        for body in sent {
            places.push(out.len());
            out.extend_from_slice(&[b'0'; 32]);
            let start = out.len() + 1;
            json::write_text(&String::from_utf8_lossy(body), &mut out);
            bodies.add(body, start, places[places.len() - 1], &out);
        }
        bodies.fill_digests(&mut out);
        for (body, place) in sent.iter().zip(places) {
            assert_eq!(out[place..place + 32], digest::of_body(body), "{body:?}");
        }
    }
}
