//! The header of a batch: format 2, which is written, and format 1, which is still read.
//!
//! ```text
//! format 2, 56 bytes
//! | "TKB2" 4 | crc 4 | length 4 | segment_bytes 4 | lsn 8 | synced 8 | sequence 8 | epoch 8 |
//! | previous 4 | records_crc 4 |
//!
//! format 1, 40 bytes
//! | "TKB1" 4 | crc 4 | length 4 | oldest 4 | lsn 8 | synced 8 | segment_bytes 4 | records_crc 4 |
//! ```

use crate::checksum;

use super::{ALIGNMENT, Defect, long, word};
use crate::lsn::Lsn;

/// Bytes of the header of a batch.
pub const HEADER_BYTES: usize = 56;

/// Bytes of the header of a batch in format 1.
pub const HEADER_BYTES_V1: usize = 40;

const MAGIC: [u8; 4] = *b"TKB2";
const MAGIC_V1: [u8; 4] = *b"TKB1";

/// The offset of the LSN, the same in both formats.
const LSN_AT: usize = 16;

/// The header of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the batch, this header included.
    pub length: u32,
    /// Length of the file that holds the batch.
    pub segment_bytes: u32,
    /// The location of the batch: segment and offset.
    pub lsn: Lsn,
    /// How far the journal was known to be durable when the batch was written.
    pub synced: Lsn,
    /// Counts the batches of the journal, from 1. Zero in format 1.
    pub sequence: u64,
    /// The opening of the journal that wrote the batch. Zero in format 1.
    pub epoch: u64,
    /// The checksum of the header of the batch before. Zero in format 1.
    pub previous: u32,
    /// Checksum over the headers of all records.
    pub records_crc: u32,
    /// Format 1 only: the oldest segment that was still needed.
    pub oldest: Option<u32>,
}

impl Header {
    /// The header as bytes, in format 2.
    pub fn encode(&self, seed: u32) -> [u8; HEADER_BYTES] {
        let mut bytes = [0u8; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.segment_bytes.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.lsn.to_u64().to_le_bytes());
        bytes[24..32].copy_from_slice(&self.synced.to_u64().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.previous.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.records_crc.to_le_bytes());
        let crc = checksum::append(seed, &bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header from the start of `bytes`. The caller compares its LSN.
    pub fn decode(bytes: &[u8], seed: u32) -> Result<Header, Defect> {
        let magic = bytes.get(..4).ok_or(Defect::Short)?;
        let is_v1 = magic == MAGIC_V1;
        if !is_v1 && magic != MAGIC {
            return Err(Defect::Magic);
        }
        let length = if is_v1 { HEADER_BYTES_V1 } else { HEADER_BYTES };
        let bytes = bytes.get(..length).ok_or(Defect::Short)?;
        if checksum_of(bytes) != checksum::append(seed, &bytes[8..]) {
            return Err(Defect::Header);
        }
        let header = if is_v1 { Self::fields_v1(bytes) } else { Self::fields(bytes) };
        header.is_possible().then_some(header).ok_or(Defect::Header)
    }

    fn fields(bytes: &[u8]) -> Header {
        Header {
            length: word(bytes, 8),
            segment_bytes: word(bytes, 12),
            lsn: Lsn::from_u64(long(bytes, LSN_AT)),
            synced: Lsn::from_u64(long(bytes, 24)),
            sequence: long(bytes, 32),
            epoch: long(bytes, 40),
            previous: word(bytes, 48),
            records_crc: word(bytes, 52),
            oldest: None,
        }
    }

    fn fields_v1(bytes: &[u8]) -> Header {
        Header {
            length: word(bytes, 8),
            segment_bytes: word(bytes, 32),
            lsn: Lsn::from_u64(long(bytes, LSN_AT)),
            synced: Lsn::from_u64(long(bytes, 24)),
            sequence: 0,
            epoch: 0,
            previous: 0,
            records_crc: word(bytes, 36),
            oldest: Some(word(bytes, 12)),
        }
    }

    /// Whether the fields are within the bounds that every written header keeps.
    fn is_possible(&self) -> bool {
        let length = self.length as usize;
        let end = u64::from(self.lsn.offset()) + u64::from(self.length);
        let linked = match self.oldest {
            Some(oldest) => (1..=self.lsn.segment()).contains(&oldest),
            None => self.sequence > 0 && self.epoch > 0 && self.lsn.segment() > 0,
        };
        length >= self.bytes()
            && length.is_multiple_of(ALIGNMENT)
            && (self.lsn.offset() as usize).is_multiple_of(ALIGNMENT)
            && end <= u64::from(self.segment_bytes)
            && self.synced <= self.lsn
            && linked
    }

    /// Bytes of this header: the records start behind them.
    pub fn bytes(&self) -> usize {
        if self.oldest.is_some() { HEADER_BYTES_V1 } else { HEADER_BYTES }
    }

    /// Where the next batch of the segment starts.
    pub fn end(&self) -> Lsn {
        Lsn::new(self.lsn.segment(), self.lsn.offset() + self.length)
    }
}

/// The checksum that an encoded header carries: the link that the next batch names.
pub fn checksum_of(header: &[u8]) -> u32 {
    word(header, 4)
}

/// Whether `bytes` look like a batch that was written for `lsn`, intact or not.
pub(crate) fn names_lsn(bytes: &[u8], lsn: Lsn) -> bool {
    bytes.len() >= HEADER_BYTES_V1 && long(bytes, LSN_AT) == lsn.to_u64()
}
