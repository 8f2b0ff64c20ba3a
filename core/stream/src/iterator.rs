//! Shard iterators: where reading starts, and the token that says where it goes on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use trunkline_types::{IdKey, Millis};

use crate::sequence::SequenceNumber;
use crate::shard_id::ShardId;

/// Where reading of a shard starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record that is still there.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
    /// At the record with this number, or the next one behind it.
    At(SequenceNumber),
    /// Behind the record with this number.
    After(SequenceNumber),
    /// At the first record that was put at this time or later.
    AtTimestamp(Millis),
}

/// What of a shard's log can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The offset of the oldest record that is still there.
    pub trimmed: u64,
    /// The offset that the next record gets.
    pub next: u64,
}

impl Start {
    /// The offset at which reading starts. `first_at` finds the offset of the first record that
    /// was put at a time or later; it is asked for [`Start::AtTimestamp`] only.
    pub fn offset(self, bounds: Bounds, first_at: impl FnOnce(Millis) -> u64) -> u64 {
        let offset = match self {
            Self::TrimHorizon => bounds.trimmed,
            Self::Latest => bounds.next,
            Self::At(number) => number.offset(),
            Self::After(number) => number.next_offset(),
            Self::AtTimestamp(time) => first_at(time),
        };
        offset.clamp(bounds.trimmed, bounds.next)
    }
}

/// How long a shard iterator may be used, as on AWS.
pub const ITERATOR_LIFETIME: Millis = 300_000;

/// A place in a shard from which to read, handed to callers as an opaque token.
///
/// ```
/// use trunkline_stream::{ShardId, ShardIterator};
/// use trunkline_types::IdKey;
///
/// let (shard, offset) = (ShardId(0), 5);
/// let iterator = ShardIterator { stream: 7, shard, offset, issued: 1_000, nonce: 1 };
/// let token = iterator.encode(IdKey(1, 2));
/// assert_eq!(ShardIterator::decode(&token, IdKey(1, 2), 2_000), Ok(iterator));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardIterator {
    /// The stream's id in its engine.
    pub stream: u32,
    /// The shard.
    pub shard: ShardId,
    /// The offset of the next record to read.
    pub offset: u64,
    /// When the token was made.
    pub issued: Millis,
    /// Tells tokens of one place and time apart: AWS hands out a new one with every answer.
    pub nonce: u32,
}

/// Why a token is no shard iterator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IteratorError {
    /// This engine did not make it.
    Invalid,
    /// It was made more than [`ITERATOR_LIFETIME`] ago.
    Expired {
        /// When it was made.
        issued: Millis,
    },
}

const FIELD_BYTES: usize = 28;
const TAG_BYTES: usize = 16;
/// Clients that look at tokens expect those of AWS, which decode to 152 bytes at least.
const TOKEN_BYTES: usize = 152;

impl ShardIterator {
    /// The token: base64 of the fields and a tag under `key`.
    pub fn encode(&self, key: IdKey) -> String {
        let mut bytes = [0; TOKEN_BYTES];
        bytes[..FIELD_BYTES].copy_from_slice(&self.to_bytes());
        let tag = key.digest(&[CONTEXT, &bytes[..FIELD_BYTES]]);
        bytes[FIELD_BYTES..FIELD_BYTES + TAG_BYTES].copy_from_slice(&tag.to_le_bytes());
        BASE64.encode(bytes)
    }

    /// Reads a token that was made under `key`. AWS takes it between double quotes as well.
    pub fn decode(token: &str, key: IdKey, now: Millis) -> Result<Self, IteratorError> {
        let unquoted = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let iterator = Self::parse(unquoted.unwrap_or(token), key).ok_or(IteratorError::Invalid)?;
        if now > iterator.issued.saturating_add(ITERATOR_LIFETIME) {
            return Err(IteratorError::Expired { issued: iterator.issued });
        }
        Ok(iterator)
    }

    fn parse(token: &str, key: IdKey) -> Option<Self> {
        // Longer texts are not worth decoding.
        if token.len() > TOKEN_BYTES.div_ceil(3) * 4 {
            return None;
        }
        let bytes: [u8; TOKEN_BYTES] = BASE64.decode(token).ok()?.try_into().ok()?;
        let (fields, rest) = bytes.split_at(FIELD_BYTES);
        let (tag, padding) = rest.split_at(TAG_BYTES);
        let genuine = key.digest(&[CONTEXT, fields]).to_le_bytes() == tag;
        (genuine && padding.iter().all(|byte| *byte == 0)).then(|| Self::from_bytes(fields))?
    }

    fn to_bytes(self) -> [u8; FIELD_BYTES] {
        let mut bytes = [0; FIELD_BYTES];
        bytes[..4].copy_from_slice(&self.stream.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.shard.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.issued.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let long = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Self {
            stream: word(0)?,
            shard: ShardId(word(4)?),
            offset: long(8)?,
            issued: long(16)?,
            nonce: word(24)?,
        })
    }
}

/// Keeps tags of shard iterators apart from every other digest under the same key.
const CONTEXT: &[u8] = b"shard iterator";

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: IdKey = IdKey(3, 4);
    const CREATED: Millis = 1_700_000_000_000;

    fn iterator() -> ShardIterator {
        ShardIterator { stream: 7, shard: ShardId(2), offset: 41, issued: CREATED, nonce: 9 }
    }

    #[test]
    fn a_token_lasts_five_minutes() {
        let token = iterator().encode(KEY);
        let last = CREATED + ITERATOR_LIFETIME;
        assert_eq!(ShardIterator::decode(&token, KEY, last), Ok(iterator()));
        assert_eq!(ShardIterator::decode(&format!("\"{token}\""), KEY, last), Ok(iterator()));
        let expired = Err(IteratorError::Expired { issued: CREATED });
        assert_eq!(ShardIterator::decode(&token, KEY, last + 1), expired);
        let bytes = BASE64.decode(token).expect("it is base64").len();
        assert!((152..=280).contains(&bytes));
    }

    #[test]
    fn forged_and_damaged_tokens_are_refused() {
        let token = iterator().encode(KEY);
        let next = ShardIterator { nonce: 10, ..iterator() }.encode(KEY);
        assert_ne!(token, next);
        let flipped = format!("{}{}", if token.starts_with('A') { 'B' } else { 'A' }, &token[1..]);
        for bad in ["", "\"", "abc", "====", &token[1..], &flipped, &"A".repeat(100_000)] {
            let short: String = bad.chars().take(20).collect();
            let invalid = Err(IteratorError::Invalid);
            assert_eq!(ShardIterator::decode(bad, KEY, CREATED), invalid, "{short}");
        }
        let other_key = ShardIterator::decode(&token, IdKey(3, 5), CREATED);
        assert_eq!(other_key, Err(IteratorError::Invalid));
    }

    #[test]
    fn each_start_finds_its_offset() {
        let bounds = Bounds { trimmed: 10, next: 20 };
        let number = |offset| SequenceNumber::of(ShardId(0), CREATED, offset, CREATED);
        let first = SequenceNumber::start_of(ShardId(0), CREATED);
        for (start, expected) in [
            (Start::TrimHorizon, 10),
            (Start::Latest, 20),
            (Start::At(number(15)), 15),
            (Start::After(number(15)), 16),
            (Start::After(number(19)), 20),
            // Trimmed meanwhile.
            (Start::At(number(3)), 10),
            (Start::At(first), 10),
            (Start::After(first), 10),
            (Start::AtTimestamp(CREATED + 5), 12),
        ] {
            assert_eq!(start.offset(bounds, |_| 12), expected, "{start:?}");
        }
        // The number before all records: nothing is skipped behind it.
        assert_eq!(Start::After(first).offset(Bounds { trimmed: 0, next: 5 }, |_| 0), 0);
    }
}
