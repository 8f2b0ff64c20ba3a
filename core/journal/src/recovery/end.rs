//! Decides whether reading stopped at the end of the journal or at damage. It is damage when
//!
//! - the control file names a durable position behind it,
//! - a whole header behind it says that the journal was durable beyond it,
//! - a file holds batches of a later segment: files were swapped,
//! - a whole header names another length of its file: the file was cut.
//!
//! Otherwise it is the end, and bytes behind it were never acknowledged as durable.

use trunkline_types::{Code, Error, Result};

use super::Recovery;
use crate::frame::{HEADER_BYTES, Header};
use crate::lsn::Lsn;
use crate::scan::Scanner;
use crate::segment::{damaged, length_of};

impl Recovery<'_> {
    pub(super) fn check_end(&self) -> Result<()> {
        let durable = self.state.map_or(Lsn::default(), |state| state.durable.end);
        for number in self.end.segment()..=self.newest() {
            if let Some(wrong) = self.check_stop(number, durable)? {
                return Err(wrong);
            }
            self.search_rest(number)?;
        }
        if self.end < durable {
            return Err(damaged(self.end.segment(), self.end.offset(), &lost(durable)));
        }
        Ok(())
    }

    /// Looks at the bytes where reading stopped in segment `number`.
    fn check_stop(&self, number: u32, durable: Lsn) -> Result<Option<Error>> {
        let offset = if number == self.end.segment() { self.end.offset() } else { 0 };
        let bytes = self.header_bytes(number, offset)?;
        let found = Header::decode(&bytes, self.seed).ok().map(|header| header.lsn);
        let lost_here = Lsn::new(number, offset) < durable && self.end < durable;
        let why = match found {
            // A recycled file holds batches of earlier segments, never of later ones.
            Some(other) if other.segment() > number || (lost_here && other.segment() != number) => {
                format!(
                    "it holds a batch of segment {}, so the file was replaced by another one",
                    other.segment()
                )
            }
            _ if lost_here && bytes.iter().all(|byte| *byte == 0) => {
                // A segment may end early. Then the one behind it is the one that is damaged.
                if number < durable.segment() && !self.starts_in_place(number + 1)? {
                    return Ok(None);
                }
                format!("zeros follow, but {}", lost(durable))
            }
            _ if lost_here => lost(durable),
            _ => return Ok(None),
        };
        Ok(Some(damaged(number, offset, &why)))
    }

    /// The bytes at `offset` of segment `number`, as far as a header goes.
    pub(super) fn header_bytes(&self, number: u32, offset: u32) -> Result<Vec<u8>> {
        let file = self.open(number)?;
        let rest = length_of(number, &*file)?.saturating_sub(offset) as usize;
        let mut bytes = vec![0u8; HEADER_BYTES.min(rest)];
        if file.read_at(u64::from(offset), &mut bytes)? < bytes.len() {
            let message = format!("a read at offset {offset} of segment {number} was short");
            return Err(Error::new(Code::StorageFailure, message));
        }
        Ok(bytes)
    }

    fn starts_in_place(&self, number: u32) -> Result<bool> {
        let header = Header::decode(&self.header_bytes(number, 0)?, self.seed);
        Ok(header.is_ok_and(|header| header.lsn == Lsn::new(number, 0)))
    }

    /// Looks through the rest of segment `number` for headers that prove damage.
    fn search_rest(&self, number: u32) -> Result<()> {
        let end = self.end;
        let file = self.open(number)?;
        let segment_bytes = length_of(number, &*file)?;
        let mut scanner = Scanner::new(&*file, number, segment_bytes, self.seed, self.options);
        scanner.skip_to(if number == end.segment() { end.offset() } else { 0 });
        scanner.search_rest(&mut |header| {
            if header.synced > end {
                return Err(damaged(end.segment(), end.offset(), &lost(header.synced)));
            }
            if header.segment_bytes != segment_bytes {
                let why = format!("the file had {} bytes before", header.segment_bytes);
                return Err(damaged(number, segment_bytes, &why));
            }
            Ok(())
        })
    }
}

pub(super) fn lost(durable: Lsn) -> String {
    format!("the journal was durable up to {durable}, so a batch is damaged or missing here")
}
