//! The bytes of a batch and of its records. Pure functions; every byte is covered by a checksum or
//! compared with its only allowed value.
//!
//! ```text
//! batch    | header 56 | record ...
//! record   | length 4 | crc 4 | payload ... | zeros up to a multiple of 8 |
//! ```
//!
//! - The checksum of a header covers its other fields, so a header can be trusted without the
//!   records. `records_crc` covers the 8 header bytes of every record in order. The `crc` of a
//!   record covers its LSN, its length and its payload. So one pass checks everything, and a single
//!   record can be checked when it is read back alone.
//! - Every checksum starts from the seed of the folder and covers the LSN. So a batch of another
//!   folder, a stale batch in a recycled file, and bytes in a user's message are never accepted.
//! - `previous` is the header checksum of the batch before, which covers that whole batch. So the
//!   batches form a chain, from the superblock on.
//! - `synced` is how far the journal was known to be durable. A damaged batch before that is
//!   corruption; only a batch after it can be a torn tail.

mod header;

use crate::checksum;

use crate::lsn::Lsn;

pub(crate) use header::names_lsn;
pub use header::{HEADER_BYTES, HEADER_BYTES_V1, Header, checksum_of};

/// Bytes of a record before its payload.
pub const RECORD_HEADER_BYTES: usize = 8;

/// Batches and records start at multiples of this.
pub const ALIGNMENT: usize = 8;

/// Why bytes are no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// There are fewer bytes than the batch says, or than a header needs.
    Short,
    /// The bytes do not start as a batch does.
    Magic,
    /// The header is damaged.
    Header,
    /// A whole header, but of another location: a stale batch of a recycled file.
    Lsn,
    /// The length of a record does not fit its batch.
    RecordLength,
    /// The list of records is damaged.
    Records,
    /// The payload of a record is damaged.
    Payload,
    /// The bytes after a payload are not zero.
    Padding,
}

/// A batch whose every byte was checked.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The header.
    pub header: Header,
    /// The checksum in the header: the link that the next batch names.
    pub checksum: u32,
    records: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The same records under another header; for a mutant.
    pub(crate) fn under(self, header: Header) -> Self {
        Self { header, ..self }
    }

    /// The records in order, each with its LSN.
    pub fn records(&self) -> impl Iterator<Item = (Lsn, &'a [u8])> + use<'a> {
        let (header, bytes) = (self.header, self.records);
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at + RECORD_HEADER_BYTES;
            let length = word(bytes.get(at..start)?, 0) as usize;
            let payload = bytes.get(start..start + length)?;
            let offset = header.lsn.offset() + (header.bytes() + at) as u32;
            at += record_bytes(length);
            Some((Lsn::new(header.lsn.segment(), offset), payload))
        })
    }
}

/// Reads and checks the batch at the start of `bytes`, which were read from `lsn` of a folder
/// with `seed`. Accepts any bytes.
pub fn decode_batch(bytes: &[u8], lsn: Lsn, seed: u32) -> Result<Batch<'_>, Defect> {
    let header = Header::decode(bytes, seed)?;
    if header.lsn != lsn {
        return Err(Defect::Lsn);
    }
    check_records(bytes, &header, seed)
}

/// Checks the records of the batch at the start of `bytes`, whose `header` was read already.
pub(crate) fn check_records<'a>(
    bytes: &'a [u8],
    header: &Header,
    seed: u32,
) -> Result<Batch<'a>, Defect> {
    let length = header.length as usize;
    let records = bytes.get(header.bytes()..length).ok_or(Defect::Short)?;
    let mut list_crc = seed;
    let mut at = 0;
    while at < records.len() {
        let offset = header.lsn.offset() + (header.bytes() + at) as u32;
        let lsn = Lsn::new(header.lsn.segment(), offset);
        let rest = &records[at..];
        list_crc =
            checksum::append(list_crc, rest.get(..RECORD_HEADER_BYTES).ok_or(Defect::Short)?);
        at += check_record(rest, lsn, seed)?;
    }
    if list_crc != header.records_crc {
        return Err(Defect::Records);
    }
    Ok(Batch { header: *header, checksum: checksum_of(bytes), records })
}

/// Checks the record at the start of `bytes`; returns its length with padding.
fn check_record(bytes: &[u8], lsn: Lsn, seed: u32) -> Result<usize, Defect> {
    let payload = decode_record(bytes, lsn, seed)?;
    let used = RECORD_HEADER_BYTES + payload.len();
    let taken = record_bytes(payload.len());
    let padding = bytes.get(used..taken).ok_or(Defect::RecordLength)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Defect::Padding);
    }
    Ok(taken)
}

/// Reads and checks the record at the start of `bytes`, which were read from `lsn`.
pub fn decode_record(bytes: &[u8], lsn: Lsn, seed: u32) -> Result<&[u8], Defect> {
    let length = record_length(bytes).ok_or(Defect::Short)?;
    let rest = &bytes[RECORD_HEADER_BYTES..];
    let payload = rest.get(..length).ok_or(Defect::RecordLength)?;
    if word(bytes, 4) != record_crc(seed, lsn, payload) {
        return Err(Defect::Payload);
    }
    Ok(payload)
}

/// The payload of the record at the start of `bytes`, which never left the memory, so that its
/// checksum would tell nothing.
pub(crate) fn unchecked_record(bytes: &[u8]) -> Result<&[u8], Defect> {
    let length = record_length(bytes).ok_or(Defect::Short)?;
    bytes[RECORD_HEADER_BYTES..].get(..length).ok_or(Defect::RecordLength)
}

/// The length of the payload of the record at the start of `bytes`, unchecked.
pub(crate) fn record_length(bytes: &[u8]) -> Option<usize> {
    bytes.get(..RECORD_HEADER_BYTES).map(|header| word(header, 0) as usize)
}

/// Bytes a record takes whose payload has `length` bytes.
#[inline]
pub(crate) const fn record_bytes(length: usize) -> usize {
    (RECORD_HEADER_BYTES + length).next_multiple_of(ALIGNMENT)
}

/// Appends a record to `batch`; returns the checksum of the list of records so far.
#[inline]
pub(crate) fn push_record(
    batch: &mut Vec<u8>,
    lsn: Lsn,
    parts: &[&[u8]],
    length: usize,
    seed: u32,
    list_crc: u32,
) -> u32 {
    let at = batch.len();
    let mut header = [0u8; RECORD_HEADER_BYTES];
    header[..4].copy_from_slice(&(length as u32).to_le_bytes());
    batch.extend_from_slice(&header);
    for part in parts {
        batch.extend_from_slice(part);
    }
    // Of the copy, in one piece: a checksum of many short parts costs more.
    let crc = record_crc(seed, lsn, &batch[at + RECORD_HEADER_BYTES..]);
    header[4..].copy_from_slice(&crc.to_le_bytes());
    batch[at..at + RECORD_HEADER_BYTES].copy_from_slice(&header);
    let padding = record_bytes(length) - RECORD_HEADER_BYTES - length;
    batch.extend_from_slice(&[0u8; ALIGNMENT][..padding]);
    checksum::append(list_crc, &header)
}

#[inline]
fn record_crc(seed: u32, lsn: Lsn, payload: &[u8]) -> u32 {
    let mut prefix = [0u8; 12];
    prefix[..8].copy_from_slice(&lsn.to_u64().to_le_bytes());
    prefix[8..].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    checksum::append(checksum::append(seed, &prefix), payload)
}

/// The seed of a folder: what its checksums start from.
pub fn seed_of(key: (u64, u64)) -> u32 {
    checksum::append(checksum::of(&key.0.to_le_bytes()), &key.1.to_le_bytes())
}

pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(crate) fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// Accepts the records of a batch unchecked; for mutants.
pub(crate) fn believe_records<'a>(bytes: &'a [u8], header: &Header) -> Result<Batch<'a>, Defect> {
    let records = bytes.get(header.bytes()..header.length as usize).ok_or(Defect::Short)?;
    Ok(Batch { header: *header, checksum: checksum_of(bytes), records })
}
