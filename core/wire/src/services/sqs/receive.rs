//! `ReceiveMessage`: one try, and what has to be known to try again.

use std::ops::Range;
use std::sync::Arc;

use trunkline_engine::attributes::{Attribute, decode};
use trunkline_engine::{Admitted, Awaited, Delivery, Engine, Queue, Receive, sequence_number};
use trunkline_types::{Millis, QueueKind};

use super::digest;
use super::errors::{from_engine, invalid_value};
use super::input::ReceiveInput;
use super::names::{SYSTEM, System, User};
use super::text::millis;
use super::{Context, Lookup, address, finish, text};
use crate::codec::object::Object;
use crate::codec::{encode_blob, json};
use crate::error::Result;
use crate::service::{Finished, Input, Outcome, Output, Wait};

/// About what a message takes in an answer beside its body.
const BESIDE_BODY_BYTES: usize = 512;
/// Most memory that is reserved for an output in advance.
const RESERVED_MAX: usize = 1_000_000;

/// A receive that may wait.
struct Poll {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    call: Admitted,
    max: usize,
    visibility: Option<Millis>,
    attempt_id: Option<String>,
    system: System,
    user: User,
    wait: Millis,
}

pub(super) fn start(context: &Context<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: ReceiveInput<'_> = input.read()?;
    let (queue, call) = match context.queue(input.queue_url.as_deref())? {
        Lookup::Ready(queue, call) => (queue, call),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let limits = context.call.engine.limits();
    let max = input.max_number_of_messages.unwrap_or(1);
    let most = limits.batch_entries_max;
    if !u32::try_from(max).is_ok_and(|max| (1..=most).contains(&max)) {
        let reason = format!("Must be between 1 and {most}, if provided.");
        return Err(invalid_value(max, "MaxNumberOfMessages", &reason));
    }
    let wait = match input.wait_time_seconds {
        None => queue.config().receive_wait,
        Some(seconds) => millis(seconds, limits.receive_wait_max).ok_or_else(|| {
            let most = limits.receive_wait_max / 1_000;
            let reason = format!("Must be >= 0 and <= {most}, if provided.");
            invalid_value(seconds, "WaitTimeSeconds", &reason)
        })?,
    };
    let visibility = match input.visibility_timeout {
        None => None,
        Some(seconds) => Some(super::lease::visibility(seconds, limits)?),
    };
    let attempt_id = input.receive_request_attempt_id.as_deref();
    if let Some(id) = attempt_id {
        text::check_id(id, "ReceiveRequestAttemptId", limits)?;
    }
    let system = System::read([
        input.attribute_names.as_deref(),
        input.message_system_attribute_names.as_deref(),
    ])?;
    Ok(Outcome::Wait(Box::new(Poll {
        engine: context.call.engine.clone(),
        max: max.unsigned_abs() as usize,
        visibility,
        attempt_id: attempt_id.map(str::to_owned),
        system,
        user: User::read(input.message_attribute_names.as_deref()),
        wait,
        queue,
        call,
    })))
}

impl Wait for Poll {
    fn attempt(&mut self) -> Result<Option<Finished>> {
        let request = Receive {
            max: self.max,
            visibility: self.visibility,
            attempt_id: self.attempt_id.as_deref(),
            wait: Some(self.wait),
        };
        let mut out = Vec::new();
        let mut bodies = Bodies::default();
        let received = self
            .queue
            .receive_admitted(&self.call, &request, |delivery| {
                out.extend_from_slice(if out.is_empty() { b"{\"Messages\":[" } else { b"," });
                self.write(&delivery, &mut bodies, &mut out);
            })
            .map_err(from_engine)?;
        if received.count == 0 {
            return Ok(None);
        }
        out.extend_from_slice(b"]}");
        bodies.fill_digests(&mut out);
        finish(&self.engine, &self.queue, received.ticket, out).map(Some)
    }

    fn resource(&self) -> Arc<dyn Awaited> {
        self.queue.clone()
    }

    fn patience(&self) -> Millis {
        self.wait
    }

    fn empty(&self) -> Output {
        Output::empty()
    }
}

impl Poll {
    fn write(&self, delivery: &Delivery<'_>, bodies: &mut Bodies, out: &mut Vec<u8>) {
        // Memory for all that were asked for, as if they were like the first.
        let more = if bodies.all.is_empty() { self.max } else { 1 };
        out.reserve(
            (delivery.body.len() + BESIDE_BODY_BYTES).saturating_mul(more).min(RESERVED_MAX),
        );
        let mut message = Object::open(out);
        let id = delivery.message_id(self.engine.key()).to_string();
        message.plain("MessageId", id.as_bytes());
        let receipt = self.queue.encode_receipt(&delivery.receipt);
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
struct Bodies {
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

    fn fill_digests(&self, out: &mut [u8]) {
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
