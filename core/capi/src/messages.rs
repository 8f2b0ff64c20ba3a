//! Received messages as C reads them: plain structs whose pointers lead into memory that the
//! library owns until `trunkline_messages_free`.
//!
//! C gets pointers to the structs, never an array of them, so later versions may add fields. Memory
//! lies in vectors that are not touched any more once a pointer into them was taken.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::ptr;

use trunkline_engine::attributes;
use trunkline_engine::{Delivery, Error, Result, sequence_number};

use crate::handle::OpenQueue;

/// An attribute of a message.
#[repr(C)]
pub struct Attribute {
    /// Its name.
    pub name: *const c_char,
    /// "String", "Number" or "Binary", perhaps with a suffix behind a dot.
    pub data_type: *const c_char,
    /// Its value, behind which there is a NUL that does not count.
    pub value: *const c_void,
    /// The bytes of its value.
    pub value_length: usize,
}

/// A message that was received. Texts that do not apply are NULL.
#[repr(C)]
pub struct Message {
    /// The body as it was sent, behind which there is a NUL that does not count.
    pub body: *const c_void,
    /// The bytes of the body.
    pub body_length: usize,
    /// The id that the sender got.
    pub message_id: *const c_char,
    /// Names this delivery: for trunkline_delete, trunkline_extend and trunkline_release.
    pub receipt: *const c_char,
    /// FIFO: 20 digits that grow as text.
    pub sequence_number: *const c_char,
    /// The group it was sent with.
    pub group: *const c_char,
    /// The deduplication id it was sent with, or the hash that stood in for it.
    pub dedup_id: *const c_char,
    /// The name of the queue that gave the message up, if this is a dead letter.
    pub dead_letter_source: *const c_char,
    /// Which delivery of the message this is, from 1.
    pub receive_count: u64,
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: i64,
    /// When it was first received.
    pub first_received_ms: i64,
    /// Its attributes; NULL if there are none.
    pub attributes: *const Attribute,
    /// How many attributes there are.
    pub attribute_count: usize,
}

/// Messages that were received together: items[0] to items[count - 1].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Messages {
    /// The messages; NULL if there are none.
    pub items: *const *const Message,
    /// How many there are.
    pub count: usize,
    /// The library's own.
    pub owner: *mut c_void,
}

/// The memory behind messages that C holds.
#[derive(Default)]
pub(crate) struct Batch {
    messages: Vec<Held>,
    items: Vec<*const Message>,
    failure: Option<Error>,
}

struct Held {
    message: Message,
    // What the pointers of `message` lead to.
    _text: Vec<u8>,
    _attributes: Vec<Attribute>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub fn add(&mut self, open: &OpenQueue, delivery: &Delivery<'_>) {
        match hold(open, delivery) {
            Ok(held) => self.messages.push(held),
            Err(error) => self.failure = Some(error),
        }
    }

    /// The batch, if every message that was delivered is in it.
    pub fn checked(self) -> Result<Self> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Hands the memory to C.
    pub fn into_messages(mut self) -> Messages {
        if self.is_empty() {
            return Messages::EMPTY;
        }
        self.items = self.messages.iter().map(|held| &raw const held.message).collect();
        let (items, count) = (self.items.as_ptr(), self.items.len());
        Messages { items, count, owner: Box::into_raw(Box::new(self)).cast() }
    }
}

impl Messages {
    pub(crate) const EMPTY: Self = Self { items: ptr::null(), count: 0, owner: ptr::null_mut() };

    /// Takes the memory back.
    pub(crate) fn free(self) {
        if !self.owner.is_null() {
            // SAFETY: the header asks for messages that a receive has filled in, whose owner is a
            // `Batch` of `into_messages`; the caller's copy was emptied, so this happens once.
            drop(unsafe { Box::from_raw(self.owner.cast::<Batch>()) });
        }
    }
}

fn hold(open: &OpenQueue, delivery: &Delivery<'_>) -> Result<Held> {
    let mut text = Buffer(Vec::with_capacity(delivery.body.len() + 256));
    let body = text.put(delivery.body);
    let message_id = text.put(delivery.message_id(open.owner.engine.key()).to_string().as_bytes());
    let receipt = text.put(open.queue.encode_receipt(&delivery.receipt).as_bytes());
    let number = open.fifo.then(|| text.put(sequence_number(delivery.receipt.seq).as_bytes()));
    let group = delivery.group.map(|group| text.put(group.as_bytes()));
    let dedup_id = delivery.dedup_id.map(|id| text.put(id.as_bytes()));
    let source = delivery.dead_letter_source.and_then(|id| open.owner.engine.queue_by_id(id));
    let source = source.map(|queue| text.put(queue.name().name.as_bytes()));
    let listed = attributes::decode(delivery.attributes)?;
    let places: Vec<_> = listed
        .iter()
        .map(|one| {
            let name = text.put(one.name.as_bytes());
            (name, text.put(one.data_type.as_bytes()), text.put(&one.value), one.value.len())
        })
        .collect();

    // The text is complete, so it stays where it is.
    let at = |place: usize| text.0.as_ptr().wrapping_add(place);
    let chars = |place: Option<usize>| place.map_or(ptr::null(), |place| at(place).cast());
    let attributes: Vec<Attribute> = places
        .into_iter()
        .map(|(name, data_type, value, value_length)| Attribute {
            name: at(name).cast(),
            data_type: at(data_type).cast(),
            value: at(value).cast(),
            value_length,
        })
        .collect();
    let none = attributes.is_empty();
    let message = Message {
        body: at(body).cast(),
        body_length: delivery.body.len(),
        message_id: at(message_id).cast(),
        receipt: at(receipt).cast(),
        sequence_number: chars(number),
        group: chars(group),
        dedup_id: chars(dedup_id),
        dead_letter_source: chars(source),
        receive_count: delivery.receive_count.into(),
        sent_ms: signed(delivery.sent),
        first_received_ms: signed(delivery.first_received),
        attributes: if none { ptr::null() } else { attributes.as_ptr() },
        attribute_count: attributes.len(),
    };
    Ok(Held { message, _text: text.0, _attributes: attributes })
}

fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// Texts one behind the other, each with a closing NUL.
struct Buffer(Vec<u8>);

impl Buffer {
    /// Adds `bytes` and says where they begin.
    fn put(&mut self, bytes: &[u8]) -> usize {
        let place = self.0.len();
        self.0.extend_from_slice(bytes);
        self.0.push(0);
        place
    }
}
