//! The id of a shard: a counter that a stream never uses twice.

use std::fmt;
use std::str::FromStr;

use crate::decimal;

/// A shard of a stream. Its text is `shardId-` and twelve digits.
///
/// ```
/// use trunkline_stream::ShardId;
///
/// assert_eq!(ShardId(7).to_string(), "shardId-000000000007");
/// // AWS takes the short forms as well.
/// assert_eq!("shardId-7".parse(), Ok(ShardId(7)));
/// assert_eq!("7".parse(), Ok(ShardId(7)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u32);

/// The largest counter that a sequence number can carry.
const SHARD_MAX: u32 = 0x7fff_ffff;

const PREFIX: &str = "shardId-";
const DIGITS: usize = 12;

impl ShardId {
    /// Appends its text.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(PREFIX.as_bytes());
        out.extend_from_slice(&self.digits());
    }

    fn digits(self) -> [u8; DIGITS] {
        let mut digits = [b'0'; DIGITS];
        decimal::fill(&mut digits, u64::from(self.0));
        digits
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        f.write_str(std::str::from_utf8(&self.digits()).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for ShardId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix(PREFIX).unwrap_or(text);
        // `u32::from_str` takes a sign, which no shard id has.
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        digits.parse().ok().filter(|id| *id <= SHARD_MAX).map(ShardId).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_are_no_shard_ids() {
        for text in ["", "shardId-", "shardId--1", "+1", "shardid-1", "shardId-4294967296", "1 "] {
            assert_eq!(text.parse::<ShardId>(), Err(()), "{text:?}");
        }
    }
}
