//! The records of a request with their data, which is decoded into one buffer. Its memory is used
//! again by the next request of the thread: a buffer for each record, or one for each request,
//! costs more than to decode it.

use std::cell::Cell;
use std::ops::Range;

use super::input::PutRecordsEntry;
use crate::codec::append_decoded;
use crate::codec::typed::Encoded;
use crate::error::Result;
use crate::limits::DECODED_BYTES_KEPT;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The data that was decoded, and where that of each record is; `None` for what needs no decoding.
pub(super) struct Decoded {
    bytes: Vec<u8>,
    ranges: Vec<Option<Range<usize>>>,
}

/// A record of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub data: Option<&'a [u8]>,
    pub partition_key: Option<&'a str>,
    pub explicit_hash_key: Option<&'a str>,
}

impl Decoded {
    /// Decodes the data of all records.
    pub fn of(entries: &[PutRecordsEntry<'_>]) -> Result<Self> {
        let mut decoded = Self::default();
        for entry in entries {
            decoded.push(match &entry.data {
                Some(Encoded::Base64(text)) => Some(text.as_bytes()),
                _ => None,
            })?;
        }
        Ok(decoded)
    }

    /// Decodes the data of the next record, if there is any to decode.
    pub fn push(&mut self, text: Option<&[u8]>) -> Result<()> {
        let start = self.bytes.len();
        if let Some(text) = text {
            append_decoded(text, &mut self.bytes)?;
        }
        self.ranges.push(text.map(|_| start..self.bytes.len()));
        Ok(())
    }

    /// The records, which were decoded here.
    pub fn entries<'a>(&'a self, entries: &'a [PutRecordsEntry<'_>]) -> Vec<Entry<'a>> {
        let entry = |(entry, range): (&'a PutRecordsEntry<'_>, &Option<Range<usize>>)| Entry {
            data: match (&entry.data, range) {
                (Some(Encoded::Plain(bytes)), _) => Some(&**bytes),
                (_, range) => range.clone().and_then(|range| self.bytes.get(range)),
            },
            partition_key: entry.partition_key.as_deref(),
            explicit_hash_key: entry.explicit_hash_key.as_deref(),
        };
        entries.iter().zip(&self.ranges).map(entry).collect()
    }
}

impl Default for Decoded {
    fn default() -> Self {
        let mut bytes = BUFFER.take();
        bytes.clear();
        Self { bytes, ranges: Vec::new() }
    }
}

impl Drop for Decoded {
    fn drop(&mut self) {
        if self.bytes.capacity() <= DECODED_BYTES_KEPT {
            BUFFER.set(std::mem::take(&mut self.bytes));
        }
    }
}
