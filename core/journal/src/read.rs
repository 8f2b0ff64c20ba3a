//! Reads single records and whole segments.

use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Result};

use crate::frame::{self, RECORD_HEADER_BYTES};
use crate::lsn::Lsn;
use crate::recovery::Replay;
use crate::scan::Scanner;
use crate::segment::damaged;
use crate::shared::Shared;

/// Bytes that are read at first when the length of a record is unknown.
const GUESSED_BYTES: usize = 4_096;

impl Shared {
    /// Appends the payload of the record at `lsn` to `out`. False: its segment was reclaimed, and
    /// it is not among those that are kept in memory.
    pub(crate) fn read(&self, lsn: Lsn, hint: Option<usize>, out: &mut Vec<u8>) -> Result<bool> {
        if lsn >= self.written.settled() {
            let tail = lock(&self.tail);
            if let Some(payload) = tail.payload(lsn) {
                out.extend_from_slice(payload);
                return Ok(true);
            }
            // Written since the first check, or no record at all: look into the file.
        }
        let recent = lock(&self.recent).find(lsn);
        if let Some(payload) = recent.as_ref().and_then(|batch| batch.payload(lsn, self.seed)) {
            out.extend_from_slice(payload);
            return Ok(true);
        }
        self.read_file(lsn, hint, out)
    }

    fn read_file(&self, lsn: Lsn, hint: Option<usize>, out: &mut Vec<u8>) -> Result<bool> {
        let Some(file) = lock(&self.table).file(lsn.segment())? else { return Ok(false) };
        let start = out.len();
        let mut wanted = RECORD_HEADER_BYTES + hint.unwrap_or(GUESSED_BYTES);
        let outcome = loop {
            out.resize(start + wanted, 0);
            let count = file.read_at(u64::from(lsn.offset()), &mut out[start..])?;
            out.truncate(start + count);
            let needed = frame::record_length(&out[start..])
                .map_or(usize::MAX, |length| RECORD_HEADER_BYTES + length);
            if needed <= wanted || count < wanted || needed - wanted > self.bytes_behind(lsn) {
                break frame::decode_record(&out[start..], lsn, self.seed).map(<[u8]>::len);
            }
            wanted = needed;
        };
        match outcome {
            Ok(length) => {
                out.drain(start..start + RECORD_HEADER_BYTES);
                out.truncate(start + length);
                Ok(true)
            }
            Err(defect) => {
                out.truncate(start);
                // The segment may have been reclaimed, and its file reused, meanwhile.
                if lock(&self.table).file(lsn.segment())?.is_none() {
                    return Ok(false);
                }
                Err(damaged(lsn.segment(), lsn.offset(), &format!("{defect:?} of a record")))
            }
        }
    }

    /// Bytes from `lsn` to the end of its segment: the longest possible record there.
    fn bytes_behind(&self, lsn: Lsn) -> usize {
        let table = lock(&self.table);
        let segment = table.all().iter().find(|segment| segment.number == lsn.segment());
        segment.map_or(0, |segment| segment.bytes.saturating_sub(lsn.offset()) as usize)
    }

    /// Calls `each` with every written record of segment `number`, in order.
    pub(crate) fn scan_segment(&self, number: u32, each: Replay<'_>) -> Result<()> {
        let (segment, file) = {
            let mut table = lock(&self.table);
            let segment = table.all().iter().find(|segment| segment.number == number).copied();
            let (Some(segment), Some(file)) = (segment, table.file(number)?) else {
                return Err(Error::new(
                    Code::ResourceNotFoundException,
                    format!("segment {number} was reclaimed, or was never written"),
                ));
            };
            (segment, file)
        };
        let mut scanner = Scanner::new(&*file, number, segment.bytes, self.seed, &self.options);
        while scanner.end().offset() < segment.used {
            let offset = scanner.end().offset();
            let batch = scanner
                .next_batch()?
                .map_err(|defect| damaged(number, offset, &format!("{defect:?} of a batch")))?;
            for (lsn, payload) in batch.records() {
                each(lsn, payload)?;
            }
        }
        Ok(())
    }
}
