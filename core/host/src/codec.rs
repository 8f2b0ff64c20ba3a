//! Little-endian reading and writing for records and envelopes. Reading never panics.

use trunkline_types::{Code, Error, Result};

/// A record that knows its bytes. The first one is its kind.
pub trait Encode {
    /// Appends the record's bytes to `out`.
    fn encode(&self, out: &mut Vec<u8>);
}

/// Appends fixed-size numbers and length-prefixed bytes to a buffer.
pub trait Put {
    /// One byte.
    fn put_u8(&mut self, value: u8);
    /// Four bytes.
    fn put_u32(&mut self, value: u32);
    /// Eight bytes; at most 2^60.
    fn put_u64(&mut self, value: u64);
    /// Sixteen bytes.
    fn put_u128(&mut self, value: u128);
    /// A number in as few bytes as it needs: seven bits each, the lowest first (LEB128).
    fn put_varint(&mut self, value: u64);
    /// A length of four bytes, and that many bytes.
    fn put_bytes(&mut self, bytes: &[u8]);
}

impl Put for Vec<u8> {
    #[inline]
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }
    #[inline]
    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_le_bytes());
    }
    #[inline]
    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_le_bytes());
    }
    #[inline]
    fn put_u128(&mut self, value: u128) {
        self.extend_from_slice(&value.to_le_bytes());
    }
    #[inline]
    fn put_varint(&mut self, value: u64) {
        let mut rest = value;
        while rest >= 0x80 {
            self.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.push(rest as u8);
    }
    #[inline]
    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put_u32(bytes.len() as u32);
        self.extend_from_slice(bytes);
    }
}

/// A cursor over the bytes of one record.
pub struct Take<'a>(pub &'a [u8]);

/// Times and sequence numbers stay below this, so that no sum of a few of them overflows.
const NUMBER_MAX: u64 = 1 << 60;

impl<'a> Take<'a> {
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or_else(short)?;
        self.0 = tail;
        Ok(*head)
    }
    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    /// Four bytes as a number.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    /// Eight bytes as a number.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        let number = u64::from_le_bytes(self.array()?);
        if number > NUMBER_MAX {
            return Err(damaged("a number larger than any that is written"));
        }
        Ok(number)
    }
    /// Sixteen bytes as a number.
    #[inline]
    pub fn u128(&mut self) -> Result<u128> {
        Ok(u128::from_le_bytes(self.array()?))
    }
    /// A number as [`Put::put_varint`] writes it.
    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged("a number larger than any that is written"))
    }
    /// Bytes behind their length.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.u32()? as usize;
        let (head, tail) = self.0.split_at_checked(length).ok_or_else(short)?;
        self.0 = tail;
        Ok(head)
    }
    /// The same, as text.
    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| damaged("text that is not UTF-8"))
    }
    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

#[cold]
fn short() -> Error {
    damaged("fewer bytes than its kind needs")
}

/// The error for a record whose checksum is right and whose content is not.
#[cold]
pub fn damaged(what: &str) -> Error {
    Error::new(
        Code::CorruptJournal,
        format!("A journal record holds {what}. Run `trunkline verify` on the data folder."),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_any_size_survives_its_bytes() {
        for (value, bytes) in [(0, 1), (127, 1), (128, 2), (1 << 62, 9), (u64::MAX, 10)] {
            let mut out = Vec::new();
            out.put_varint(value);
            assert_eq!(out.len(), bytes);
            assert_eq!(Take(&out).varint().unwrap(), value);
            assert!(Take(&out[..bytes - 1]).varint().is_err());
        }
        assert!(Take(&[0xff; 11]).varint().is_err());
    }
}
