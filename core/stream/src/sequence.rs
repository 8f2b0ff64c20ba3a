//! Sequence numbers as Kinesis clients know them: decimal numbers of 56 digits that grow within a
//! shard.
//!
//! A number is 47 hexadecimal digits, read as one integer. The layout is the one that kinesalite
//! found in the numbers of AWS:
//!
//! ```text
//!  2 | created, seconds | shard, low digit | index | behind | put, seconds | shard | 2
//!  1 |        9         |        1         |  16   |   2    |      9       |   8   | 1    digits
//! ```
//!
//! `index` counts the records of a shard from 1; 0 stands for the shard's start and
//! `7fff_ffff_ffff_ffff` for the end of a closed shard. `behind` is 00, or 01 for a place between
//! the record and the next one.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use trunkline_types::Millis;

use crate::{ShardId, decimal};

/// The place of one record in its stream.
///
/// Numbers of one shard compare as their records were put. Numbers of different shards compare too,
/// but the order means nothing.
///
/// ```
/// use trunkline_stream::{SequenceNumber, ShardId};
///
/// let number = SequenceNumber::of(ShardId(2), 1_700_000_000_000, 0, 1_700_000_001_500);
/// let text = number.to_string();
/// assert_eq!(text.len(), 56);
/// assert_eq!(text.parse(), Ok(number));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequenceNumber {
    /// The shard of the record.
    pub shard: ShardId,
    /// When the shard was created, in seconds.
    pub created: u64,
    /// The record's offset in its shard plus one; 0 for the start of the shard.
    pub index: u64,
    /// When the record was put, in seconds.
    pub put: u64,
    /// It names no record, but the place behind the one with this index.
    pub is_behind: bool,
}

/// Why a text is no sequence number of this stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceError {
    /// It is not `0`, nor a decimal number of at most 129 digits that starts with another digit.
    Malformed,
    /// It is a number, and no stream of this engine has given it out.
    Foreign,
}

/// The index behind every record of a closed shard.
const INDEX_END: u64 = i64::MAX as u64;
const SECONDS_MAX: u64 = (1 << 36) - 1;
const VERSION: u64 = 2;
const DIGITS_MAX: usize = 129;

impl SequenceNumber {
    /// The number of the record at `offset` of a shard.
    pub fn of(shard: ShardId, shard_created: Millis, offset: u64, put: Millis) -> Self {
        Self::new(shard, shard_created, (offset + 1).min(INDEX_END - 1), put)
    }

    /// The number before every record of a shard.
    pub fn start_of(shard: ShardId, shard_created: Millis) -> Self {
        Self::new(shard, shard_created, 0, shard_created)
    }

    /// The number behind every record of a closed shard.
    pub fn end_of(shard: ShardId, shard_created: Millis, closed: Millis) -> Self {
        Self::new(shard, shard_created, INDEX_END, closed)
    }

    /// The number of the place before the record at `offset`, and behind what comes before it.
    pub fn behind(shard: ShardId, shard_created: Millis, offset: u64, now: Millis) -> Self {
        Self { is_behind: true, ..Self::new(shard, shard_created, offset, now) }
    }

    fn new(shard: ShardId, created: Millis, index: u64, put: Millis) -> Self {
        let seconds = |time: Millis| (time / 1_000).min(SECONDS_MAX);
        Self { shard, created: seconds(created), index, put: seconds(put), is_behind: false }
    }

    /// The offset of the record that has this number, or that comes next behind it.
    pub fn offset(self) -> u64 {
        if self.is_behind { self.index } else { self.index.saturating_sub(1) }
    }

    /// The offset of the first record behind this number.
    pub fn next_offset(self) -> u64 {
        self.index
    }

    /// Appends its text.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(Digits::of(self).as_bytes());
    }

    fn limbs(self) -> [u64; 3] {
        let shard = u64::from(self.shard.0);
        let mut number = [0; 3];
        for (value, bits) in [
            (VERSION, 4),
            (self.created, 36),
            (shard & 0xf, 4),
            (self.index, 64),
            (u64::from(self.is_behind), 8),
            (self.put, 36),
            (shard, 32),
            (VERSION, 4),
        ] {
            push(&mut number, value, bits);
        }
        number
    }

    fn from_limbs(mut number: [u64; 3]) -> Option<Self> {
        let version = pop(&mut number, 4);
        let shard = pop(&mut number, 32);
        let put = pop(&mut number, 36);
        let behind = pop(&mut number, 8);
        let index = pop(&mut number, 64);
        let low_digit = pop(&mut number, 4);
        let created = pop(&mut number, 36);
        // What is left has to be the version alone.
        let rest = number;
        let whole = version == VERSION && behind <= 1 && rest == [0, 0, VERSION];
        let shard_fits = shard <= i32::MAX as u64 && shard & 0xf == low_digit;
        (whole && shard_fits && index <= INDEX_END).then_some(Self {
            shard: ShardId(shard as u32),
            created,
            index,
            put,
            is_behind: behind == 1,
        })
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.limbs().cmp(&other.limbs())
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Ten to the nineteenth: the largest power of ten in 64 bits.
const CHUNK: u64 = 10_000_000_000_000_000_000;
/// The digits below it.
const CHUNK_DIGITS: usize = 19;

/// The decimal digits of a number, behind zeros.
struct Digits([u8; 3 * CHUNK_DIGITS]);

impl Digits {
    fn of(number: SequenceNumber) -> Self {
        let mut limbs = number.limbs();
        let mut text = [b'0'; 3 * CHUNK_DIGITS];
        // 188 bits have at most 57 digits, so three chunks hold all of them.
        for chunk in text.chunks_exact_mut(CHUNK_DIGITS).rev() {
            decimal::fill(chunk, divide(&mut limbs));
        }
        Self(text)
    }

    fn as_bytes(&self) -> &[u8] {
        // The version is never zero, so there always is a first digit.
        let zeros = self.0.iter().take_while(|digit| **digit == b'0').count();
        &self.0[zeros..]
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(Digits::of(*self).as_bytes()).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for SequenceNumber {
    type Err = SequenceError;

    fn from_str(text: &str) -> Result<Self, SequenceError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = text.len() > 1 && text.starts_with('0');
        if text.is_empty() || text.len() > DIGITS_MAX || !digits || leading_zero {
            return Err(SequenceError::Malformed);
        }
        let mut number = [0; 3];
        for digit in text.bytes() {
            if !multiply_add(&mut number, u64::from(digit - b'0')) {
                return Err(SequenceError::Foreign);
            }
        }
        Self::from_limbs(number).ok_or(SequenceError::Foreign)
    }
}

// Arithmetic on 192 bits, the most significant limb first.

/// Shifts `bits` bits of `value` in from below.
fn push(number: &mut [u64; 3], value: u64, bits: u32) {
    let shifted = |high: u64, low: u64| {
        if bits == 64 { low } else { high << bits | low >> (64 - bits) }
    };
    let [high, middle, low] = *number;
    let last = if bits == 64 { value } else { low << bits | value };
    *number = [shifted(high, middle), shifted(middle, low), last];
}

/// Shifts the lowest `bits` bits out.
fn pop(number: &mut [u64; 3], bits: u32) -> u64 {
    let [high, middle, low] = *number;
    if bits == 64 {
        *number = [0, high, middle];
        return low;
    }
    let carried = |from: u64, to: u64| from << (64 - bits) | to >> bits;
    *number = [high >> bits, carried(high, middle), carried(middle, low)];
    low & ((1 << bits) - 1)
}

/// Divides by [`CHUNK`] and returns the rest.
fn divide(number: &mut [u64; 3]) -> u64 {
    let mut rest = 0;
    for limb in number {
        if rest == 0 {
            // Most limbs need no division of 128 bits, which costs ten times as much.
            (*limb, rest) = (*limb / CHUNK, *limb % CHUNK);
            continue;
        }
        let dividend = u128::from(rest) << 64 | u128::from(*limb);
        *limb = (dividend / u128::from(CHUNK)) as u64;
        // The rest is below 64 bits, so the product may wrap.
        rest = (dividend as u64).wrapping_sub(limb.wrapping_mul(CHUNK));
    }
    rest
}

/// Multiplies by ten and adds; false when 192 bits do not hold the result.
fn multiply_add(number: &mut [u64; 3], digit: u64) -> bool {
    let mut carry = u128::from(digit);
    for limb in number.iter_mut().rev() {
        let product = u128::from(*limb) * 10 + carry;
        *limb = product as u64;
        carry = product >> 64;
    }
    carry == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CREATED: Millis = 1_700_000_000_000;

    #[test]
    fn a_number_has_the_layout_of_aws() {
        let number = SequenceNumber::of(ShardId(0x12), CREATED, 0, CREATED + 5_000);
        let [high, middle, low] = number.limbs();
        let parts = ["2", "06553f100", "2", "0000000000000001", "00", "06553f105", "00000012", "2"];
        assert_eq!(format!("{high:x}{middle:016x}{low:016x}"), parts.concat());
    }

    #[test]
    fn a_number_of_aws_is_understood() {
        // From the example of PutRecord in the Kinesis API reference.
        let text = "49543463076548007577105092703039560359975228518395019266";
        let number = SequenceNumber {
            shard: ShardId(0),
            created: 0x5420_50cd,
            index: 0x157d,
            put: 0x5420_bb34,
            is_behind: false,
        };
        assert_eq!(text.parse(), Ok(number));
        assert_eq!(number.to_string(), text);
    }

    #[test]
    fn start_records_and_end_follow_one_another() {
        let shard = ShardId(3);
        let numbers = [
            SequenceNumber::start_of(shard, CREATED),
            SequenceNumber::of(shard, CREATED, 0, CREATED),
            SequenceNumber::of(shard, CREATED, 1, CREATED),
            SequenceNumber::of(shard, CREATED, u64::MAX - 1, CREATED + 9_000),
            SequenceNumber::end_of(shard, CREATED, CREATED + 10_000),
        ];
        assert!(numbers.is_sorted());
        let texts = numbers.map(|number| number.to_string());
        assert!(texts.is_sorted(), "texts of equal length compare as their numbers: {texts:?}");
        assert_eq!((numbers[0].offset(), numbers[0].next_offset()), (0, 0));
        assert_eq!((numbers[2].offset(), numbers[2].next_offset()), (1, 2));
    }

    #[test]
    fn a_place_between_two_records_lies_between_their_numbers() {
        let shard = ShardId(3);
        let record = |offset| SequenceNumber::of(shard, CREATED, offset, CREATED);
        for offset in [0, 1, 5] {
            let place = SequenceNumber::behind(shard, CREATED, offset, CREATED);
            assert_eq!((place.offset(), place.next_offset()), (offset, offset));
            assert!(place < record(offset));
            assert!(offset == 0 || place > record(offset - 1));
            assert_eq!(place.to_string().parse(), Ok(place));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "-1", "+1", "01", "1e3", "١", &"1".repeat(130)] {
            assert_eq!(text.parse::<SequenceNumber>(), Err(SequenceError::Malformed), "{text:?}");
        }
        let own = SequenceNumber::of(ShardId(1), CREATED, 7, CREATED).to_string();
        let other_version = format!("{}9", &own[..own.len() - 1]);
        for text in ["0", "1", &"9".repeat(56), &"9".repeat(129), &other_version] {
            assert_eq!(text.parse::<SequenceNumber>(), Err(SequenceError::Foreign), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_number_survives_its_text(
            shard in 0u32..=0x7fff_ffff,
            created in 0u64..=SECONDS_MAX,
            index in 0u64..=INDEX_END,
            is_behind: bool,
            put in 0u64..=SECONDS_MAX,
        ) {
            let shard = ShardId(shard);
            let number = SequenceNumber { shard, created, index, put, is_behind };
            prop_assert_eq!(number.to_string().parse(), Ok(number));
        }
    }
}
