//! Identity: queues, messages and receipts.
//!
//! A message is named by its queue and its sequence number there. The 128-bit id a caller sees is
//! a keyed hash of the two, computed when asked for, so nothing is stored for it and a seed makes
//! it repeatable. A receipt names one delivery; its text carries a keyed tag, so forgeries and
//! receipts of other engines are refused without a look-up.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher13 as SipHasher128};

use crate::{Millis, Problem, Result};

/// A resource of one engine, of any kind. Never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(pub u32);

/// The place of a message in the order of its queue. Strictly increasing, not consecutive.
pub type Seq = u64;

/// The key behind ids and receipts: one an engine, kept with its data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdKey(pub u64, pub u64);

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(..)")
    }
}

/// The id of a message, a random-looking UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(pub [u8; 16]);

impl IdKey {
    /// The id of message `seq` that was first sent to `queue`.
    pub fn message_id(self, queue: ResourceId, seq: Seq) -> MessageId {
        let mut hasher = SipHasher128::new_with_keys(self.0, self.1);
        hasher.write_u32(queue.0);
        hasher.write_u64(seq);
        let mut bytes = hasher.finish128().as_bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        MessageId(bytes)
    }

    /// The bytes of the id of what has this number in a resource, whatever it is.
    pub fn id_of(self, resource: ResourceId, number: u64) -> [u8; 16] {
        self.message_id(resource, number).0
    }

    /// A keyed 128-bit digest of some bytes: stands for a caller's id in the dedup window.
    pub fn digest(self, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher128::new_with_keys(self.1, self.0);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }

    fn tag(self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, !self.1);
        hasher.write(bytes);
        hasher.finish()
    }
}

/// An id as text: a UUID in lower case.
pub fn id_text(id: [u8; 16]) -> String {
    MessageId(id).to_string()
}

/// Where the bytes of a UUID stand in its text.
const UUID_PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every receive makes one: one pass and one write, instead of formatting byte by byte.
        let mut text = [b'-'; 36];
        for (byte, place) in self.0.into_iter().zip(UUID_PLACES) {
            text[place] = HEX[usize::from(byte >> 4)];
            text[place + 1] = HEX[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// One delivery of one message. Plain data: [`Receipt::encode`] makes the text a caller holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The queue that delivered.
    pub queue: ResourceId,
    /// The incarnation of the engine that delivered: where `slot` and `generation` mean something.
    pub incarnation: u32,
    /// Where the message lies in memory during that incarnation.
    pub slot: u32,
    /// Tells this use of the slot from earlier and later ones.
    pub generation: u32,
    /// The message.
    pub seq: Seq,
    /// Which delivery of it, counted from one.
    pub delivery: u32,
    /// When it was delivered: a lease may be extended to a bound counted from here.
    pub received: Millis,
}

const RECEIPT_BYTES: usize = 36;
const TAGGED_BYTES: usize = RECEIPT_BYTES + 8;
const HEX: &[u8; 16] = b"0123456789abcdef";

impl Receipt {
    /// The receipt as text: 88 hexadecimal digits, the last 16 a tag under `key`.
    pub fn encode(&self, key: IdKey) -> String {
        let mut bytes = [0u8; TAGGED_BYTES];
        bytes[..RECEIPT_BYTES].copy_from_slice(&self.to_bytes());
        let tag = key.tag(&bytes[..RECEIPT_BYTES]);
        bytes[RECEIPT_BYTES..].copy_from_slice(&tag.to_le_bytes());
        let mut text = String::with_capacity(TAGGED_BYTES * 2);
        for byte in bytes {
            text.push(HEX[usize::from(byte >> 4)] as char);
            text.push(HEX[usize::from(byte & 15)] as char);
        }
        text
    }

    /// Reads a receipt that `queue` issued under `key`; anything else is `ReceiptHandleIsInvalid`.
    pub fn decode(text: &str, key: IdKey, queue: ResourceId) -> Result<Self> {
        let parsed = Self::parse(text, key);
        let is_foreign = parsed.is_some();
        parsed.filter(|receipt| receipt.queue == queue).ok_or_else(|| {
            // Callers may pass anything: the message must stay small.
            let receipt = text.chars().take(1_024).collect();
            Problem::BadReceipt { receipt, is_foreign }.into()
        })
    }

    fn parse(text: &str, key: IdKey) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != TAGGED_BYTES * 2 {
            return None;
        }
        let mut bytes = [0u8; TAGGED_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        let tag = u64::from_le_bytes(bytes[RECEIPT_BYTES..].try_into().ok()?);
        (tag == key.tag(&bytes[..RECEIPT_BYTES])).then(|| Self::from_bytes(&bytes))
    }

    fn to_bytes(self) -> [u8; RECEIPT_BYTES] {
        let mut bytes = [0u8; RECEIPT_BYTES];
        bytes[0..4].copy_from_slice(&self.queue.0.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.incarnation.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.slot.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.generation.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.seq.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.delivery.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.received.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; TAGGED_BYTES]) -> Self {
        let word = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        Self {
            queue: ResourceId(word(0)),
            incarnation: word(4),
            slot: word(8),
            generation: word(12),
            seq: long(16),
            delivery: word(24),
            received: long(28),
        }
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    const KEY: IdKey = IdKey(1, 2);

    fn receipt() -> Receipt {
        let (queue, seq, received) = (ResourceId(7), 1 << 40, 1 << 41);
        Receipt { queue, incarnation: 3, slot: 9, generation: 4, seq, delivery: 2, received }
    }

    #[test]
    fn a_receipt_survives_its_text() {
        let text = receipt().encode(KEY);
        assert_eq!(Receipt::decode(&text, KEY, ResourceId(7)), Ok(receipt()));
    }

    #[test]
    fn forged_foreign_and_damaged_receipts_are_refused() {
        let text = receipt().encode(KEY);
        for (bad, key, queue) in [
            (text.clone(), IdKey(1, 3), 7),
            (text.clone(), KEY, 8),
            (text.replacen('9', "8", 1), KEY, 7),
            (text[1..].to_owned(), KEY, 7),
            ("garbage".to_owned(), KEY, 7),
            (String::new(), KEY, 7),
            ("é".repeat(44), KEY, 7),
        ] {
            let error = Receipt::decode(&bad, key, ResourceId(queue)).expect_err("must be refused");
            assert_eq!(error.code(), Code::ReceiptHandleIsInvalid);
        }
    }

    #[test]
    fn ids_are_repeatable_version_4_uuids() {
        let id = KEY.message_id(ResourceId(1), 5).to_string();
        assert_eq!(id, KEY.message_id(ResourceId(1), 5).to_string());
        assert_ne!(id, KEY.message_id(ResourceId(1), 6).to_string());
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        let counted = MessageId(std::array::from_fn(|place| place as u8 * 0x11));
        assert_eq!(counted.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
