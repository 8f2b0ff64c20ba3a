//! Scans a segment from its start with large sequential reads. A batch is checked as a whole before
//! any of its records is used.

use trunkline_types::{Code, Error, Result};

use crate::frame::{self, ALIGNMENT, Batch, Defect, HEADER_BYTES, HEADER_BYTES_V1, Header};
use crate::limits;
use crate::lsn::Lsn;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::segment::damaged;
use crate::storage::File;

/// Zeros that are passed over at once; longer than a header.
const ZERO_BLOCK: usize = 4_096;

/// Reads batches of one segment in order.
pub(crate) struct Scanner<'a> {
    file: &'a dyn File,
    options: &'a Options,
    segment: u32,
    segment_bytes: u32,
    seed: u32,
    window: Window,
    at: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(
        file: &'a dyn File,
        segment: u32,
        segment_bytes: u32,
        seed: u32,
        options: &'a Options,
    ) -> Self {
        let window = Window { limit: segment_bytes as usize, ..Window::default() };
        Self { file, options, segment, segment_bytes, seed, window, at: 0 }
    }

    /// Continues at `offset`.
    pub(crate) fn skip_to(&mut self, offset: u32) {
        self.at = offset;
    }

    /// The end of the last good batch, where the next one starts.
    pub(crate) fn end(&self) -> Lsn {
        Lsn::new(self.segment, self.at)
    }

    /// The next batch, or the defect of the bytes there. An error is a failed read, or a file whose
    /// length has changed since the batch was written.
    pub(crate) fn next_batch(&mut self) -> Result<std::result::Result<Batch<'_>, Defect>> {
        let start = self.end();
        let head = self.window.bytes(self.file, start.offset(), HEADER_BYTES)?;
        let mut header = match Header::decode(head, self.seed) {
            Ok(header) if header.lsn == start || self.options.has(Mutant::AcceptStaleFrames) => {
                header
            }
            Ok(_) => return Ok(Err(Defect::Lsn)),
            Err(defect) => return Ok(Err(defect)),
        };
        self.check_length(&header)?;
        let bytes = self.window.bytes(self.file, start.offset(), header.length as usize)?;
        let checked = if self.options.has(Mutant::SkipChecksum) {
            frame::believe_records(bytes, &header)
        } else {
            frame::check_records(bytes, &header, self.seed)
        };
        header.lsn = start;
        if checked.is_ok() {
            self.at += header.length;
        }
        Ok(checked.map(|batch| batch.under(header)))
    }

    /// Calls `found` with every whole header in the rest of the file that names its own location.
    pub(crate) fn search_rest(
        &mut self,
        found: &mut dyn FnMut(Header) -> Result<()>,
    ) -> Result<()> {
        let mut at = self.at;
        while u64::from(at) + (HEADER_BYTES_V1 as u64) <= u64::from(self.segment_bytes) {
            let bytes = self.window.bytes(self.file, at, limits::READ_BYTES)?;
            // Only at the end of the file a shorter header has to be looked at.
            let is_last = at as usize + bytes.len() == self.segment_bytes as usize;
            let shortest = if is_last { HEADER_BYTES_V1 } else { HEADER_BYTES };
            if bytes.len() < shortest {
                break;
            }
            let mut index = 0;
            while index + shortest <= bytes.len() {
                if index.is_multiple_of(ZERO_BLOCK) && begins_with_zeros(&bytes[index..]) {
                    // A header may begin in the last of them.
                    index += ZERO_BLOCK - HEADER_BYTES;
                }
                let lsn = Lsn::new(self.segment, at + index as u32);
                if frame::names_lsn(&bytes[index..], lsn)
                    && let Ok(header) = Header::decode(&bytes[index..], self.seed)
                {
                    found(header)?;
                }
                index += ALIGNMENT;
            }
            at += index as u32;
        }
        Ok(())
    }

    /// A segment has its full length before anything is written to it, so another length in an
    /// intact header means that the file was cut.
    pub(crate) fn check_length(&self, header: &Header) -> Result<()> {
        if header.segment_bytes == self.segment_bytes {
            return Ok(());
        }
        let why = format!("the file had {} bytes when it was written", header.segment_bytes);
        Err(damaged(self.segment, self.segment_bytes, &why))
    }
}

/// Whether a whole block of zeros comes first. No header is zero up to its location, so the unused
/// part of a segment is passed over at the speed of memory.
fn begins_with_zeros(bytes: &[u8]) -> bool {
    bytes.first_chunk::<ZERO_BLOCK>().is_some_and(|block| {
        let (words, _) = block.as_chunks::<8>();
        words.iter().fold(0, |bits, word| bits | u64::from_ne_bytes(*word)) == 0
    })
}

/// A piece of a file in memory.
#[derive(Default)]
struct Window {
    /// Length of the file.
    limit: usize,
    buffer: Vec<u8>,
    start: u32,
    filled: usize,
}

impl Window {
    /// The bytes from `offset` on: `length`, or fewer at the end of the file.
    fn bytes(&mut self, file: &dyn File, offset: u32, length: usize) -> Result<&[u8]> {
        let inside = offset.checked_sub(self.start).map(|skip| skip as usize);
        if inside.is_none_or(|skip| skip + length > self.filled) {
            self.refill(file, offset, length)?;
        }
        let skip = (offset - self.start) as usize;
        let end = self.filled.min(skip + length);
        Ok(&self.buffer[skip.min(end)..end])
    }

    fn refill(&mut self, file: &dyn File, offset: u32, length: usize) -> Result<()> {
        let rest = self.limit.saturating_sub(offset as usize);
        let wanted = length.max(limits::READ_BYTES).min(rest);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        self.start = offset;
        self.filled = 0;
        self.filled = file.read_at(u64::from(offset), &mut self.buffer[..wanted])?;
        // IMPORTANT: never treat bytes that could not be read as bytes that were never written.
        if self.filled < wanted {
            return Err(Error::new(
                Code::StorageFailure,
                format!("a read at offset {offset} gave {} of {wanted} bytes", self.filled),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::storage::{MemoryStorage, Storage};

    #[test]
    fn a_header_behind_zeros_is_found_wherever_it_begins() {
        const SEGMENT_BYTES: u32 = 4 * ZERO_BLOCK as u32;
        let options = Options::default();
        let last = SEGMENT_BYTES - HEADER_BYTES as u32;
        for at in (0..=last).step_by(ALIGNMENT) {
            let header = Header {
                length: HEADER_BYTES as u32,
                segment_bytes: SEGMENT_BYTES,
                lsn: Lsn::new(7, at),
                synced: Lsn::from_u64(0),
                sequence: 1,
                epoch: 1,
                previous: 0,
                records_crc: 0,
                oldest: None,
            };
            let file = MemoryStorage::new().create("segment").unwrap();
            file.set_len(SEGMENT_BYTES.into()).unwrap();
            file.write_at(at.into(), &header.encode(9)).unwrap();
            let (mut scanner, mut found) =
                (Scanner::new(&*file, 7, SEGMENT_BYTES, 9, &options), Vec::new());
            let mut each = |header: Header| -> Result<()> {
                found.push(header.lsn);
                Ok(())
            };
            scanner.search_rest(&mut each).unwrap();
            assert_eq!(found, [Lsn::new(7, at)]);
        }
    }
}
