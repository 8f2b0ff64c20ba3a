//! What is put into a stream, as an entry of its shard's log: `| key_length 2 | key | data |`.

use trunkline_host::damaged;
use trunkline_types::{Code, Error, Limits, Result};

/// A record to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRecord<'a> {
    /// Records with the same partition key go to one shard, in the order in which they are put.
    pub key: &'a str,
    /// Takes the place of the partition key's hash.
    pub hash_key: Option<trunkline_stream::HashKey>,
    /// The data blob.
    pub data: &'a [u8],
}

/// The bytes before the key of an entry.
pub(super) fn key_length(key: &str) -> [u8; 2] {
    // `check` refuses longer keys.
    (key.len() as u16).to_le_bytes()
}

/// The key and the data of an entry.
pub(super) fn decode(payload: &[u8]) -> Result<(&str, &[u8])> {
    let parts = || {
        let (length, rest) = payload.split_first_chunk::<2>()?;
        rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
    };
    let (key, data) = parts().ok_or_else(|| damaged("an entry that is shorter than its key"))?;
    let key = std::str::from_utf8(key).map_err(|_| damaged("a key that is not UTF-8"))?;
    Ok((key, data))
}

/// Refuses a record that no stream takes.
#[inline]
pub(super) fn check(record: &NewRecord<'_>, limits: &Limits, bytes_max: u32) -> Result<()> {
    let (key, max) = (record.key, limits.partition_key_chars_max as usize);
    let is_long = key.len() > max && key.chars().count() > max;
    if key.is_empty() || is_long || key.len() > usize::from(u16::MAX) {
        return Err(bad_key(key, max));
    }
    let size = key.len() + record.data.len();
    if size > bytes_max as usize {
        return Err(too_large(size, bytes_max));
    }
    Ok(())
}

#[cold]
fn bad_key(key: &str, max: usize) -> Error {
    Error::new(
        Code::InvalidParameterValue,
        format!(
            "Value of {} characters for parameter key is invalid. Reason: A partition key has 1 to \
             {max} characters.",
            key.chars().count()
        ),
    )
}

#[cold]
fn too_large(size: usize, max: u32) -> Error {
    Error::new(
        Code::InvalidParameterValue,
        format!(
            "The record is too large. Reason: Data and key have {size} bytes together, and a \
             stream takes {max}; put less, or raise limits.stream_record_bytes_max or the \
             stream's own bound."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_its_bytes_and_damage_is_an_error() {
        let bytes = [&key_length("käse")[..], "käse".as_bytes(), b"data"].concat();
        assert_eq!(decode(&bytes), Ok(("käse", &b"data"[..])));
        for bad in [&b""[..], &b"\x05"[..], &b"\x05\x00key"[..], &b"\x01\x00\xff"[..]] {
            assert!(decode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn keys_are_counted_in_characters_and_records_in_bytes() {
        let limits = Limits::default();
        let bytes_max = limits.stream_record_bytes_max;
        let check = |record: &NewRecord<'_>, limits: &Limits| check(record, limits, bytes_max);
        let record = |key, data| NewRecord { key, hash_key: None, data };
        let (longest, longer) = ("ü".repeat(256), "ü".repeat(257));
        assert!(check(&record(&longest, b""), &limits).is_ok());
        for key in ["", &longer] {
            let refused = check(&record(key, b"data"), &limits).expect_err("it is refused");
            assert_eq!(refused.code(), Code::InvalidParameterValue);
        }
        let data = vec![0; limits.stream_record_bytes_max as usize];
        assert!(check(&record("k", &data[1..]), &limits).is_ok());
        assert!(check(&record("k", &data), &limits).is_err());
    }
}
