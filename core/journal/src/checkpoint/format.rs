//! The bytes of a checkpoint. Pure functions; any bytes may be decoded.
//!
//! ```text
//! file     | chunk ... | segment ... | footer |
//! chunk    | crc 4 | length 4 | record ... |
//! record   | length 4 | payload ... |
//! segment  | number 4 | bytes 4 | used 4 |
//! footer   | "TKP2" 4 | crc 4 | end 8 | sequence 8 | checksum 4 | batch_bytes 4 | chunk_bytes 8 |
//!          | records 8 | segments 4 | segments_crc 4 |                            = 56 bytes
//! ```
//!
//! Every checksum starts from the seed of the folder, continued over `end`; that of a chunk covers
//! its offset too.

use crate::checksum;

use crate::control::Position;
use crate::frame::{long, word};
use crate::lsn::Lsn;
use crate::segment::Segment;

/// Bytes of the footer.
pub const FOOTER_BYTES: usize = 56;

/// Bytes of a chunk before its first record.
pub const CHUNK_HEADER_BYTES: usize = 8;

/// Bytes of a segment in the table.
pub const SEGMENT_BYTES: usize = 12;

const MAGIC: [u8; 4] = *b"TKP2";

/// What a checkpoint says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// The position that the checkpoint stands for: replay starts there.
    pub position: Position,
    /// Bytes of all chunks.
    pub chunk_bytes: u64,
    /// How many records there are.
    pub records: u64,
    /// How many segments the table has.
    pub segments: u32,
    /// Checksum over the table.
    pub segments_crc: u32,
}

/// The seed of a checkpoint's checksums.
pub fn file_seed(seed: u32, end: Lsn) -> u32 {
    checksum::append(seed, &end.to_u64().to_le_bytes())
}

impl Footer {
    /// The footer as bytes.
    pub fn encode(&self, seed: u32) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0u8; FOOTER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.position.end.to_u64().to_le_bytes());
        bytes[16..24].copy_from_slice(&self.position.sequence.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.position.checksum.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.position.batch_bytes.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.chunk_bytes.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.records.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.segments.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.segments_crc.to_le_bytes());
        let crc = checksum::append(file_seed(seed, self.position.end), &bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the footer of the checkpoint at `end` whose file has `file_bytes`.
    pub fn decode(bytes: &[u8], seed: u32, end: Lsn, file_bytes: u64) -> Option<Footer> {
        let bytes = bytes.get(..FOOTER_BYTES)?;
        let crc = checksum::append(file_seed(seed, end), &bytes[8..]);
        if bytes[..4] != MAGIC || word(bytes, 4) != crc || long(bytes, 8) != end.to_u64() {
            return None;
        }
        let position = Position {
            end,
            sequence: long(bytes, 16),
            checksum: word(bytes, 24),
            batch_bytes: word(bytes, 28),
        };
        let footer = Footer {
            position,
            chunk_bytes: long(bytes, 32),
            records: long(bytes, 40),
            segments: word(bytes, 48),
            segments_crc: word(bytes, 52),
        };
        let table = u64::from(footer.segments) * SEGMENT_BYTES as u64;
        let total = footer.chunk_bytes.checked_add(table + FOOTER_BYTES as u64);
        (total == Some(file_bytes) && position.sequence > 0).then_some(footer)
    }
}

/// The table of segments as bytes.
pub fn encode_segments(segments: &[Segment]) -> Vec<u8> {
    let numbers = segments.iter().flat_map(|segment| [segment.number, segment.bytes, segment.used]);
    numbers.flat_map(u32::to_le_bytes).collect()
}

/// Reads the table of segments.
pub fn decode_segments(bytes: &[u8], footer: &Footer, seed: u32) -> Option<Vec<Segment>> {
    let crc = checksum::append(file_seed(seed, footer.position.end), bytes);
    if bytes.len() != footer.segments as usize * SEGMENT_BYTES || crc != footer.segments_crc {
        return None;
    }
    let segments = bytes.chunks_exact(SEGMENT_BYTES).map(|bytes| Segment {
        number: word(bytes, 0),
        bytes: word(bytes, 4),
        used: word(bytes, 8),
    });
    Some(segments.collect())
}

/// Completes a chunk that starts with `CHUNK_HEADER_BYTES` reserved bytes.
pub fn seal_chunk(chunk: &mut [u8], offset: u64, file_seed: u32) {
    let length = chunk.len() as u32;
    chunk[4..8].copy_from_slice(&length.to_le_bytes());
    let crc = checksum::append(checksum::append(file_seed, &offset.to_le_bytes()), &chunk[4..]);
    chunk[0..4].copy_from_slice(&crc.to_le_bytes());
}

/// Checks the chunk at the start of `bytes`, which lies at `offset`; returns its records and its
/// length.
pub fn check_chunk(bytes: &[u8], offset: u64, file_seed: u32) -> Option<(&[u8], usize)> {
    let length = word(bytes.get(..CHUNK_HEADER_BYTES)?, 4) as usize;
    let chunk = bytes.get(..length).filter(|chunk| chunk.len() >= CHUNK_HEADER_BYTES)?;
    let crc = checksum::append(checksum::append(file_seed, &offset.to_le_bytes()), &chunk[4..]);
    (word(chunk, 0) == crc).then_some((&chunk[CHUNK_HEADER_BYTES..], length))
}

/// Takes the first record off the records of a chunk.
pub fn next_record<'a>(records: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = word(records.get(..4)?, 0) as usize;
    let (record, rest) = records[4..].split_at_checked(length)?;
    *records = rest;
    Some(record)
}
