//! Hash keys: where a partition key falls in the space from 0 to 2^128 - 1, and ranges of it.

use std::fmt;

use md5::{Digest, Md5};

/// A position in the hash space of a stream.
///
/// ```
/// use trunkline_stream::HashKey;
///
/// assert_eq!(HashKey::of("a").0, 16_955_237_001_963_240_173_058_271_559_858_726_497);
/// assert_eq!("42".parse(), Ok(HashKey(42)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashKey(pub u128);

/// Why a text is no explicit hash key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKeyError {
    /// It is not `0`, nor a decimal number of at most 39 digits that starts with another digit.
    Malformed,
    /// It is 2^128 or more.
    TooLarge,
}

impl HashKey {
    /// The hash key of a partition key: its MD5 digest as a big-endian number.
    pub fn of(partition_key: &str) -> Self {
        Self(u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into()))
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for HashKey {
    type Err = HashKeyError;

    fn from_str(text: &str) -> Result<Self, HashKeyError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = text.len() > 1 && text.starts_with('0');
        if text.is_empty() || text.len() > 39 || !digits || leading_zero {
            return Err(HashKeyError::Malformed);
        }
        // Nothing but the size is left to be wrong.
        text.parse().map(HashKey).map_err(|_| HashKeyError::TooLarge)
    }
}

/// A range of hash keys, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKeyRange {
    /// The first hash key.
    pub start: HashKey,
    /// The last hash key.
    pub end: HashKey,
}

impl HashKeyRange {
    /// The whole hash space.
    pub const ALL: Self = Self { start: HashKey(0), end: HashKey(u128::MAX) };

    /// The hash space in `count` ranges of equal width; the last one takes the rest.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn uniform(count: u32) -> impl Iterator<Item = Self> {
        let width = width_of(count);
        (0..count).map(move |index| {
            let start = width.wrapping_mul(u128::from(index));
            let last = index + 1 == count;
            let end = if last { u128::MAX } else { start.wrapping_add(width).wrapping_sub(1) };
            Self { start: HashKey(start), end: HashKey(end) }
        })
    }

    /// Whether `key` lies in the range.
    pub fn contains(&self, key: HashKey) -> bool {
        self.start <= key && key <= self.end
    }

    /// The hash key that splits the range into halves.
    pub fn middle(&self) -> HashKey {
        HashKey(self.start.0 + (self.end.0 - self.start.0) / 2 + 1)
    }

    /// Whether `other` begins right behind this range.
    pub fn is_followed_by(&self, other: &Self) -> bool {
        self.end.0.checked_add(1) == Some(other.start.0)
    }
}

/// 2^128 / `count`, rounded down; 0 stands for 2^128 itself.
fn width_of(count: u32) -> u128 {
    assert!(count > 0, "a stream has at least one shard");
    let count = u128::from(count);
    let (quotient, rest) = (u128::MAX / count, u128::MAX % count);
    if rest + 1 == count { quotient.wrapping_add(1) } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(count: u32) -> Vec<String> {
        HashKeyRange::uniform(count).map(|range| range.start.to_string()).collect()
    }

    #[test]
    fn ranges_are_those_of_aws() {
        assert_eq!(starts(1), ["0"]);
        assert_eq!(starts(2), ["0", "170141183460469231731687303715884105728"]);
        assert_eq!(
            starts(4),
            [
                "0",
                "85070591730234615865843651857942052864",
                "170141183460469231731687303715884105728",
                "255211775190703847597530955573826158592",
            ]
        );
    }

    #[test]
    fn ranges_cover_everything_once() {
        for count in [1, 2, 3, 5, 7, 64, 1_000, 9_999] {
            let ranges: Vec<_> = HashKeyRange::uniform(count).collect();
            assert_eq!(ranges.first().map(|range| range.start), Some(HashKey(0)));
            assert_eq!(ranges.last().map(|range| range.end), Some(HashKey(u128::MAX)));
            assert!(ranges.windows(2).all(|pair| pair[0].is_followed_by(&pair[1])), "{count}");
        }
    }

    #[test]
    fn keys_are_hashed_as_by_aws() {
        let hash = |key| HashKey::of(key).to_string();
        assert_eq!(hash("1"), "261578874264819908609102035485573088411");
        assert_eq!(hash("partition-key"), "171922231538597478840392253176536055210");
    }

    #[test]
    fn explicit_keys_are_checked() {
        let max = "340282366920938463463374607431768211455";
        assert_eq!(max.parse(), Ok(HashKey(u128::MAX)));
        let over = "340282366920938463463374607431768211456";
        assert_eq!(over.parse::<HashKey>(), Err(HashKeyError::TooLarge));
        for text in ["", "01", "-1", "+1", "1.0", "1000000000000000000000000000000000000000"] {
            assert_eq!(text.parse::<HashKey>(), Err(HashKeyError::Malformed), "{text:?}");
        }
    }
}
