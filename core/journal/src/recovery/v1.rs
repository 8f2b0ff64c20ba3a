//! Rules of format 1, which has no control file: every header names the oldest segment, and the
//! first batch of a segment says where the one before ended.

use trunkline_types::Result;

use super::Recovery;
use crate::folder::FIRST_SEGMENT;
use crate::frame::Header;
use crate::lsn::Lsn;
use crate::scan::Scanner;
use crate::segment::{damaged, length_of, missing};

impl Recovery<'_> {
    /// The first segment to read: the `oldest` of the newest segment that starts with a whole
    /// batch. Segments have no gaps.
    pub(super) fn first_needed_v1(&self) -> Result<u32> {
        let Some(first) = self.numbers.first().copied() else {
            return Err(missing(FIRST_SEGMENT));
        };
        for (expected, number) in (first..).zip(&self.numbers) {
            if expected != *number {
                return Err(missing(expected));
            }
        }
        for number in self.numbers.iter().rev() {
            let file = self.open(*number)?;
            let length = length_of(*number, &*file)?;
            let mut scanner = Scanner::new(&*file, *number, length, self.seed, self.options);
            if let Ok(batch) = scanner.next_batch()? {
                return Ok(first.max(batch.header.oldest.unwrap_or(first)));
            }
        }
        Ok(first)
    }

    /// The oldest segment that is needed, which has to be there.
    pub(super) fn oldest_v1(&self) -> Result<u32> {
        let first = self.numbers[0];
        match self.last.as_ref().map(|last| last.oldest.unwrap_or(first)) {
            Some(oldest) if oldest < first => Err(missing(oldest)),
            Some(oldest) => Ok(oldest),
            None if first == FIRST_SEGMENT => Ok(first),
            None => Err(damaged(first, 0, "no batch is left in it")),
        }
    }
}

pub(super) fn check_follows(header: &Header, end: Lsn) -> Result<()> {
    if header.synced == end {
        return Ok(());
    }
    let why = format!("the next segment says that it ended at {}", header.synced);
    Err(damaged(end.segment(), end.offset(), &why))
}
