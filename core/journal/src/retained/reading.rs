//! Reading a retained log: sealed entries from their files, the others from the journal.
//!
//! Entries of one log lie close together in the journal, so they are read many at once: from the
//! batches that are still in memory, or else from the segment's file into one buffer.

use std::sync::Arc;

use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Result};

use super::file::SealedFile;
use super::format::Entry;
use super::log::{RetainedLog, Unsealed};
use super::record::RetainedRecord;
use crate::frame;
use crate::limits;
use crate::lsn::Lsn;
use crate::segment::damaged;
use crate::shared::Shared;
use crate::tail::PendingBatch;

/// Entries whose locations are looked up at once: at first, and at most.
const RUN_ENTRIES_MIN: usize = 16;
const RUN_ENTRIES_MAX: usize = 512;

impl RetainedLog {
    /// Calls `each` with the entries from `sequence` on, in order, until it returns false.
    pub fn read(&self, sequence: u64, each: &mut dyn FnMut(Entry<'_>) -> bool) -> Result<()> {
        let mut at = sequence.max(lock(&self.state).first);
        while self.read_sealed(&mut at, each)? && self.read_unsealed(&mut at, each)? {
            if at >= lock(&self.state).sealed {
                break;
            }
            // Entries were sealed while the ones before them were read.
        }
        Ok(())
    }

    /// Hands out sealed entries from `at` on; whether more are wanted.
    fn read_sealed(&self, at: &mut u64, each: &mut dyn FnMut(Entry<'_>) -> bool) -> Result<bool> {
        loop {
            let file = {
                let state = lock(&self.state);
                let index = state.files.partition_point(|file| file.footer.next <= *at);
                state.files.get(index).cloned()
            };
            let Some(file) = file else { return Ok(true) };
            *at = (*at).max(file.footer.first);
            let read = file.read(*at, &mut |entry| {
                *at = entry.sequence + 1;
                each(entry)
            });
            match read {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(_) if self.has_expired(&file) => *at = (*at).max(file.footer.next),
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands out entries that are in the journal only, from `at` on, until there are none or a part
    /// of them was sealed meanwhile; whether more are wanted.
    fn read_unsealed(&self, at: &mut u64, each: &mut dyn FnMut(Entry<'_>) -> bool) -> Result<bool> {
        let mut reader = UnsealedReader::new(self);
        let mut run = Vec::new();
        let mut count = RUN_ENTRIES_MIN;
        loop {
            self.unsealed_run(*at, count, &mut run);
            if run.is_empty() {
                return Ok(true);
            }
            for index in 0..run.len() {
                let Some(payload) = reader.payload(&run[index..])? else {
                    self.unsealed_run(*at, 1, &mut run);
                    match run.first() {
                        Some(entry) => return Err(reclaimed(entry)),
                        None => return Ok(true),
                    }
                };
                let (sequence, time) = (*at, run[index].time);
                *at += 1;
                if !each(Entry { sequence, time, payload }) {
                    return Ok(false);
                }
            }
            count = RUN_ENTRIES_MAX.min(count * 2);
        }
    }

    /// Fills `run` with up to `count` unsealed entries, the first of which has this number.
    fn unsealed_run(&self, sequence: u64, count: usize, run: &mut Vec<Unsealed>) {
        run.clear();
        let state = lock(&self.state);
        let Some(skipped) = sequence.checked_sub(state.sealed) else { return };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let end = state.unsealed.len().min(skipped.saturating_add(count));
        if skipped < end {
            run.extend(state.unsealed.range(skipped..end));
        }
    }

    /// Whether the entries of a file are gone, so that the file itself may be.
    pub(super) fn has_expired(&self, file: &SealedFile) -> bool {
        lock(&self.state).first > file.footer.first
    }

    /// The first entry whose time is not before `time`; the next sequence number if there is none.
    pub fn find_time(&self, time: u64) -> Result<u64> {
        let (files, unsealed, next) = {
            let state = lock(&self.state);
            let index = state.unsealed.iter().position(|entry| entry.time >= time);
            (state.files.clone(), index.map(|index| state.sealed + index as u64), state.next())
        };
        for file in files.iter().filter(|file| file.footer.max_time >= time) {
            match file.find_time(time) {
                Ok(Some(sequence)) => return Ok(sequence),
                Ok(None) => {}
                Err(_) if self.has_expired(file) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(unsealed.unwrap_or(next))
    }
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
    pub fn new(log: &'a RetainedLog) -> Self {
        let ahead = limits::READ_AHEAD_BYTES_MIN;
        Self { log: log.log, shared: &log.shared, source: Source::Nothing, ahead }
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
