//! The records of retained logs in the journal. They follow the kind byte of the caller:
//!
//! ```text
//! entry    | 1 | log 8 | sequence 8 | time 8 | payload ... |
//! sealed   | 2 | log 8 | first 8 | next 8 |
//! removed  | 3 | log 8 |
//! ```

use trunkline_types::{Code, Error, Result};

use crate::frame::long;

/// The first sequence number of every log.
pub(super) const FIRST_SEQUENCE: u64 = 1;

/// Larger sequence numbers are never reached, and arithmetic with smaller ones never overflows.
const SEQUENCE_MAX: u64 = 1 << 62;

/// Bytes of an entry's record before its payload, without the kind byte of the caller.
pub(super) const ENTRY_HEAD_BYTES: usize = 25;

const ENTRY: u8 = 1;
const SEALED: u8 = 2;
const REMOVED: u8 = 3;

/// One record, borrowed from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetainedRecord<'a> {
    /// An entry of a log.
    Entry {
        /// The log.
        log: u64,
        /// The sequence number of the entry.
        sequence: u64,
        /// When it was appended.
        time: u64,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// The entries from `first` up to `next` are in sealed files; those before `first` are gone.
    Sealed {
        /// The log.
        log: u64,
        /// The first entry that is there.
        first: u64,
        /// The first entry that is not sealed.
        next: u64,
    },
    /// The log is gone.
    Removed {
        /// The log.
        log: u64,
    },
}

/// What precedes the payload of an entry, `kind` first.
#[inline]
pub(super) fn entry_head(
    kind: u8,
    log: u64,
    sequence: u64,
    time: u64,
) -> [u8; 1 + ENTRY_HEAD_BYTES] {
    let mut head = [0; 1 + ENTRY_HEAD_BYTES];
    (head[0], head[1]) = (kind, ENTRY);
    head[2..10].copy_from_slice(&log.to_le_bytes());
    head[10..18].copy_from_slice(&sequence.to_le_bytes());
    head[18..].copy_from_slice(&time.to_le_bytes());
    head
}

impl<'a> RetainedRecord<'a> {
    /// The log that the record belongs to.
    pub fn log(&self) -> u64 {
        match *self {
            Self::Entry { log, .. } | Self::Sealed { log, .. } | Self::Removed { log } => log,
        }
    }

    /// Appends the record, without the payload of an entry.
    pub fn encode_head(&self, out: &mut Vec<u8>) {
        let (tag, numbers) = match *self {
            Self::Entry { log, sequence, time, .. } => (ENTRY, [log, sequence, time]),
            Self::Sealed { log, first, next } => (SEALED, [log, first, next]),
            Self::Removed { log } => (REMOVED, [log, 0, 0]),
        };
        out.push(tag);
        let count = if tag == REMOVED { 1 } else { 3 };
        for number in &numbers[..count] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// Reads a record. Accepts any bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let number = |index: usize| {
            let at = 1 + index * 8;
            bytes.get(at..at + 8).map(|bytes| long(bytes, 0)).ok_or_else(damaged)
        };
        let sequence = |index: usize| {
            let sequence = number(index)?;
            if sequence <= SEQUENCE_MAX { Ok(sequence) } else { Err(damaged()) }
        };
        let exact = |length: usize| if bytes.len() == length { Ok(()) } else { Err(damaged()) };
        match bytes.first() {
            Some(&ENTRY) => Ok(Self::Entry {
                log: number(0)?,
                sequence: sequence(1)?,
                time: number(2)?,
                payload: &bytes[ENTRY_HEAD_BYTES..],
            }),
            Some(&SEALED) => {
                exact(ENTRY_HEAD_BYTES)?;
                Ok(Self::Sealed { log: number(0)?, first: sequence(1)?, next: sequence(2)? })
            }
            Some(&REMOVED) => {
                exact(9)?;
                Ok(Self::Removed { log: number(0)? })
            }
            _ => Err(damaged()),
        }
    }
}

#[cold]
fn damaged() -> Error {
    Error::new(
        Code::CorruptJournal,
        "a record of a retained log has a shape that is never written; restore the data folder \
         from a copy",
    )
}
