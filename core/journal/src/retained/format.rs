//! The bytes of a sealed file. Pure functions; any bytes may be decoded.
//!
//! ```text
//! file     | block ... | index entry ... | footer |
//! block    | crc 4 | length 4 | count 4 | zeros 4 | entry ... |
//! entry    | time 8 | length 4 | payload ... |
//! index    | offset 8 | first_sequence 8 | max_time 8 | length 4 | crc 4 |        = 32 bytes
//! footer   | "TKF2" 4 | crc 4 | log 8 | first 8 | next 8 | min_time 8 | max_time 8 |
//!          | index_offset 8 | index_count 4 | index_crc 4 | file_bytes 8 | zeros 8 | = 80 bytes
//! ```
//!
//! Every checksum starts from the seed of the folder, the log and the first sequence number of the
//! file; that of a block covers its offset too. So a file under another name, and a block at
//! another offset, are damage.

use std::sync::Arc;

use super::buffer::ReadBuffer;
use crate::checksum;
use crate::frame::{long, word};

/// Bytes of a block before its first entry.
pub const BLOCK_HEADER_BYTES: usize = 16;

/// Bytes of an entry before its payload.
pub const ENTRY_HEADER_BYTES: usize = 12;

/// Bytes of an index entry.
pub const INDEX_ENTRY_BYTES: usize = 32;

/// Bytes of the footer.
pub const FOOTER_BYTES: usize = 80;

const MAGIC: [u8; 4] = *b"TKF2";

/// The seed of a file's checksums.
pub fn file_seed(seed: u32, log: u64, first: u64) -> u32 {
    checksum::append(checksum::append(seed, &log.to_le_bytes()), &first.to_le_bytes())
}

/// What a sealed file says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// The log that the file belongs to.
    pub log: u64,
    /// The sequence number of the first entry.
    pub first: u64,
    /// The sequence number behind the last entry.
    pub next: u64,
    /// The earliest time of an entry.
    pub min_time: u64,
    /// The latest time of an entry.
    pub max_time: u64,
    /// Where the index starts.
    pub index_offset: u64,
    /// How many blocks there are.
    pub index_count: u32,
    /// Checksum over the index.
    pub index_crc: u32,
}

impl Footer {
    /// The length of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.index_offset
            + u64::from(self.index_count) * INDEX_ENTRY_BYTES as u64
            + FOOTER_BYTES as u64
    }

    /// The footer as bytes.
    pub fn encode(&self, seed: u32) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0u8; FOOTER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        let longs = [self.log, self.first, self.next, self.min_time, self.max_time];
        for (index, number) in longs.into_iter().chain([self.index_offset]).enumerate() {
            bytes[8 + index * 8..16 + index * 8].copy_from_slice(&number.to_le_bytes());
        }
        bytes[56..60].copy_from_slice(&self.index_count.to_le_bytes());
        bytes[60..64].copy_from_slice(&self.index_crc.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.file_bytes().to_le_bytes());
        let crc = checksum::append(file_seed(seed, self.log, self.first), &bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the footer of the file of `log` that starts at `first` and has `file_bytes`.
    pub fn decode(
        bytes: &[u8],
        seed: u32,
        log: u64,
        first: u64,
        file_bytes: u64,
    ) -> Option<Footer> {
        let bytes = bytes.get(..FOOTER_BYTES)?;
        let crc = checksum::append(file_seed(seed, log, first), &bytes[8..]);
        if bytes[..4] != MAGIC || word(bytes, 4) != crc {
            return None;
        }
        let footer = Footer {
            log: long(bytes, 8),
            first: long(bytes, 16),
            next: long(bytes, 24),
            min_time: long(bytes, 32),
            max_time: long(bytes, 40),
            index_offset: long(bytes, 48),
            index_count: word(bytes, 56),
            index_crc: word(bytes, 60),
        };
        let possible = (footer.log, footer.first) == (log, first)
            && footer.next > first
            && footer.min_time <= footer.max_time
            && footer.index_offset <= file_bytes
            && footer.index_count > 0
            && footer.file_bytes() == file_bytes;
        possible.then_some(footer)
    }
}

/// One block in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// Where the block starts.
    pub offset: u64,
    /// The sequence number of its first entry.
    pub first: u64,
    /// The latest time of an entry in this block and all blocks before.
    pub max_time: u64,
    /// Bytes of the block.
    pub length: u32,
    /// The checksum of the block.
    pub crc: u32,
}

impl IndexEntry {
    /// The entry as bytes.
    pub fn encode(&self) -> [u8; INDEX_ENTRY_BYTES] {
        let mut bytes = [0u8; INDEX_ENTRY_BYTES];
        bytes[0..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.first.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.max_time.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.length.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.crc.to_le_bytes());
        bytes
    }
}

/// The checksum of the index of the file of `log` that starts at `first`.
pub fn index_crc(index: &[u8], seed: u32, log: u64, first: u64) -> u32 {
    checksum::append(file_seed(seed, log, first), index)
}

/// Reads the index of the file with this footer; `None` if it is damaged.
pub fn decode_index(bytes: &[u8], footer: &Footer, seed: u32) -> Option<Vec<IndexEntry>> {
    let crc = index_crc(bytes, seed, footer.log, footer.first);
    let expected = footer.index_count as usize * INDEX_ENTRY_BYTES;
    if bytes.len() != expected || crc != footer.index_crc {
        return None;
    }
    let entries = bytes.chunks_exact(INDEX_ENTRY_BYTES).map(|bytes| IndexEntry {
        offset: long(bytes, 0),
        first: long(bytes, 8),
        max_time: long(bytes, 16),
        length: word(bytes, 24),
        crc: word(bytes, 28),
    });
    let entries: Vec<IndexEntry> = entries.collect();
    let mut offset = 0;
    for entry in &entries {
        let possible = entry.offset == offset && (footer.first..footer.next).contains(&entry.first);
        if !possible {
            return None;
        }
        offset += u64::from(entry.length);
    }
    (offset == footer.index_offset).then_some(entries)
}

/// One entry of a log, borrowed from the block that it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its sequence number, without gaps in a log.
    pub sequence: u64,
    /// When it was appended, in milliseconds.
    pub time: u64,
    /// Its bytes.
    pub payload: &'a [u8],
    /// The buffer that `payload` lies in, if it may be kept.
    pub buffer: Option<&'a Arc<ReadBuffer>>,
}

/// Adds an entry to the content of a block.
pub fn push_entry(block: &mut Vec<u8>, time: u64, payload: &[u8]) {
    block.extend_from_slice(&time.to_le_bytes());
    block.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    block.extend_from_slice(payload);
}

/// Completes a block that starts with `BLOCK_HEADER_BYTES` reserved bytes; returns its checksum.
pub fn seal_block(block: &mut [u8], count: u32, offset: u64, file_seed: u32) -> u32 {
    let length = block.len() as u32;
    block[4..8].copy_from_slice(&length.to_le_bytes());
    block[8..12].copy_from_slice(&count.to_le_bytes());
    let crc = checksum::append(checksum::append(file_seed, &offset.to_le_bytes()), &block[4..]);
    block[0..4].copy_from_slice(&crc.to_le_bytes());
    crc
}

/// Checks the block that the index names and returns its entries; `None` if it is damaged.
pub fn decode_block<'a>(
    bytes: &'a [u8],
    index: &IndexEntry,
    file_seed: u32,
) -> Option<Vec<Entry<'a>>> {
    if bytes.len() != index.length as usize || bytes.len() < BLOCK_HEADER_BYTES {
        return None;
    }
    let start = checksum::append(file_seed, &index.offset.to_le_bytes());
    let crc = checksum::append(start, &bytes[4..]);
    if crc != index.crc || word(bytes, 0) != crc || word(bytes, 4) != index.length {
        return None;
    }
    let mut entries = Vec::new();
    let mut rest = &bytes[BLOCK_HEADER_BYTES..];
    for number in 0..u64::from(word(bytes, 8)) {
        let head = rest.get(..ENTRY_HEADER_BYTES)?;
        let length = word(head, 8) as usize;
        let payload = rest.get(ENTRY_HEADER_BYTES..)?.get(..length)?;
        entries.push(Entry {
            sequence: index.first.checked_add(number)?,
            time: long(head, 0),
            payload,
            buffer: None,
        });
        rest = &rest[ENTRY_HEADER_BYTES + length..];
    }
    rest.is_empty().then_some(entries)
}
