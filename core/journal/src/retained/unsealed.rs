//! Entries that are in the journal only, and how they are read: many at once, because those of one
//! log lie close together. They come from the batches that are still in memory, or else from the
//! segment's file into one buffer.

use std::sync::Arc;

use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Result};

use super::record::RetainedRecord;
use crate::frame;
use crate::limits;
use crate::lsn::Lsn;
use crate::segment::damaged;
use crate::shared::Shared;
use crate::tail::PendingBatch;

/// Where a record lies in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Where the record starts.
    pub lsn: Lsn,
    /// Bytes of its payload.
    pub len: u32,
}

/// An entry that is in the journal only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsealed {
    pub(super) time: u64,
    pub(super) at: Location,
}

/// Reads entries that are in the journal only, one after the other, and reads ahead of them.
pub(super) struct UnsealedReader<'a> {
    log: u64,
    shared: &'a Shared,
    source: Source,
    /// Bytes that are read ahead at most the next time.
    ahead: usize,
}

/// A part of the journal.
enum Source {
    Nothing,
    /// A batch that was written lately and is still in memory.
    Batch(Arc<PendingBatch>),
    /// The bytes from a position on.
    Bytes {
        start: Lsn,
        bytes: Vec<u8>,
        is_from_disk: bool,
    },
}

impl Source {
    /// The bytes from `lsn` on, if all of `frame_bytes` are there.
    fn frames(&self, lsn: Lsn, frame_bytes: usize) -> Option<&[u8]> {
        let frames = match self {
            Self::Nothing => None,
            Self::Batch(batch) => batch.frames(lsn),
            Self::Bytes { start, bytes, .. } if start.segment() == lsn.segment() => {
                bytes.get(lsn.offset().checked_sub(start.offset())? as usize..)
            }
            Self::Bytes { .. } => None,
        };
        frames.filter(|frames| frames.len() >= frame_bytes)
    }
}

impl<'a> UnsealedReader<'a> {
    pub fn new(log: u64, shared: &'a Shared) -> Self {
        let ahead = limits::READ_AHEAD_BYTES_MIN;
        Self { log, shared, source: Source::Nothing, ahead }
    }

    /// The payload of the first of `entries`; those behind it are read ahead. `None` if its segment
    /// was reclaimed meanwhile.
    pub fn payload(&mut self, entries: &[Unsealed]) -> Result<Option<&[u8]>> {
        let Some(at) = entries.first().map(|entry| entry.at) else { return Ok(None) };
        let (lsn, shared) = (at.lsn, self.shared);
        let frame_bytes = frame::RECORD_HEADER_BYTES + at.len as usize;
        if self.source.frames(lsn, frame_bytes).is_none() && !self.load(entries)? {
            return Ok(None);
        }
        let frames = self.source.frames(lsn, frame_bytes).unwrap_or_default();
        let record = match self.source {
            Source::Bytes { is_from_disk: true, .. } => {
                frame::decode_record(frames, lsn, shared.seed)
            }
            _ => frame::unchecked_record(frames),
        };
        let record = match record {
            Ok(record) => record,
            // The segment may have been reclaimed, and its file reused, meanwhile.
            Err(_) if lock(&shared.table).file(lsn.segment())?.is_none() => return Ok(None),
            Err(defect) => {
                let why = format!("{defect:?} of a record");
                return Err(damaged(lsn.segment(), lsn.offset(), &why));
            }
        };
        match RetainedRecord::decode(record.get(1..).unwrap_or_default())? {
            RetainedRecord::Entry { payload, .. } => Ok(Some(payload)),
            _ => Err(Error::new(
                Code::CorruptJournal,
                format!("the record at {lsn} is no entry of retained log {}", self.log),
            )),
        }
    }

    /// Goes to the part of the journal that holds the first of `entries`. False: its segment was
    /// reclaimed.
    fn load(&mut self, entries: &[Unsealed]) -> Result<bool> {
        let start = entries[0].at.lsn;
        if let Some(batch) = lock(&self.shared.recent).find(start) {
            self.source = Source::Batch(batch);
            return Ok(true);
        }
        let mut bytes = match std::mem::replace(&mut self.source, Source::Nothing) {
            Source::Bytes { bytes, .. } => bytes,
            _ => Vec::new(),
        };
        bytes.clear();
        let written = self.shared.written.settled();
        if start >= written {
            let tail = lock(&self.shared.tail);
            if let Some(frames) = tail.frames(start) {
                let length = span(entries, self.ahead).min(frames.len());
                bytes.extend_from_slice(&frames[..length]);
                self.source = Source::Bytes { start, bytes, is_from_disk: false };
                return Ok(true);
            }
            // Written since the first check: look into the file.
        }
        let Some(file) = lock(&self.shared.table).file(start.segment())? else {
            return Ok(false);
        };
        // IMPORTANT: what is not written yet is read ahead from no file.
        let is_written = |entry: &Unsealed| entry.at.lsn < written;
        let count = entries.iter().take_while(|entry| is_written(entry)).count().max(1);
        bytes.resize(span(&entries[..count], self.ahead), 0);
        self.ahead = limits::READ_AHEAD_BYTES_MAX.min(self.ahead * 2);
        let count = file.read_at(u64::from(start.offset()), &mut bytes)?;
        bytes.truncate(count);
        self.source = Source::Bytes { start, bytes, is_from_disk: true };
        Ok(true)
    }
}

/// The bytes from the first of `entries` up to the end of the last that is worth reading with it.
fn span(entries: &[Unsealed], most: usize) -> usize {
    let start = entries[0].at.lsn;
    let mut end = 0;
    for Unsealed { at, .. } in entries {
        let Some(offset) = at.lsn.offset().checked_sub(start.offset()) else { break };
        let (offset, length) = (offset as usize, frame::RECORD_HEADER_BYTES + at.len as usize);
        let is_near = at.lsn.segment() == start.segment()
            && (end == 0 || offset + length <= most && offset <= end + limits::READ_AHEAD_GAP);
        if !is_near {
            break;
        }
        end = offset + length;
    }
    end
}

#[cold]
pub(super) fn reclaimed(entry: &Unsealed) -> Error {
    Error::new(
        Code::InternalError,
        format!("the segment of an unsealed entry at {} was reclaimed", entry.at.lsn),
    )
}
