//! The bytes of a batch and of its records. Pure; every byte is covered by a checksum or compared.
//!
//! ```text
//! batch    | magic 4 | crc 4 | length 4 | oldest 4 | lsn 8 | synced 8 |
//!          | segment_bytes 4 | records_crc 4 | record ...
//! record   | length 4 | crc 4 | payload ... | zeros up to a multiple of 8 |
//! ```
//!
//! - `crc` covers the rest of the header, so a header can be believed without the records;
//!   `records_crc` covers the eight header bytes of every record in order; the `crc` of a record
//!   covers its place, its length and its payload. So one pass over the bytes checks everything,
//!   and a single record can be checked when it is read back alone.
//! - Every checksum starts from the seed of the folder and covers the place: neither a frame of
//!   another folder, nor a stale one in a recycled file, nor bytes that a user put into a message
//!   can be taken for a frame that was written here.
//! - `synced` is how far the journal was known to be durable when the batch was written. A damaged
//!   batch before that is corruption; only one after it can be a torn tail.
//! - `oldest` is the first segment that was still needed; `segment_bytes` the length of the file.

use crc32c::crc32c_append;

use crate::lsn::Lsn;

/// Bytes of a batch before its first record.
pub const HEADER_BYTES: usize = 40;

/// Bytes of a record before its payload.
pub const RECORD_HEADER_BYTES: usize = 8;

/// Batches and records start at multiples of this.
pub const ALIGNMENT: usize = 8;

/// First bytes of every batch; the digit is the version of the layout.
const MAGIC: [u8; 4] = *b"TKB1";

/// Why bytes are no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// There are fewer bytes than the batch says, or than a header needs.
    Short,
    /// The bytes do not start as a batch does.
    Magic,
    /// The header is damaged.
    Header,
    /// A whole header, but of another place: a stale frame of a recycled file.
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

/// What a batch says about itself and the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the batch, this header included.
    pub length: u32,
    /// The first segment that was still needed.
    pub oldest: u32,
    /// Where the batch lies.
    pub lsn: Lsn,
    /// How far the journal was known to be durable when this was written.
    pub synced: Lsn,
    /// Length of the file that holds the batch.
    pub segment_bytes: u32,
    /// Checksum over the headers of all records.
    pub records_crc: u32,
}

impl Header {
    /// The header as bytes.
    pub fn encode(&self, seed: u32) -> [u8; HEADER_BYTES] {
        let mut bytes = [0u8; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.oldest.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.lsn.to_u64().to_le_bytes());
        bytes[24..32].copy_from_slice(&self.synced.to_u64().to_le_bytes());
        bytes[32..36].copy_from_slice(&self.segment_bytes.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.records_crc.to_le_bytes());
        let crc = crc32c_append(seed, &bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header from the start of `bytes`. Its place is for the caller to compare.
    pub fn decode(bytes: &[u8], seed: u32) -> Result<Header, Defect> {
        let bytes = bytes.get(..HEADER_BYTES).ok_or(Defect::Short)?;
        if bytes[..4] != MAGIC {
            return Err(Defect::Magic);
        }
        if word(bytes, 4) != crc32c_append(seed, &bytes[8..]) {
            return Err(Defect::Header);
        }
        let header = Header {
            length: word(bytes, 8),
            oldest: word(bytes, 12),
            lsn: Lsn::from_u64(long(bytes, 16)),
            synced: Lsn::from_u64(long(bytes, 24)),
            segment_bytes: word(bytes, 32),
            records_crc: word(bytes, 36),
        };
        header.is_possible().then_some(header).ok_or(Defect::Header)
    }

    /// What holds for every header that was ever written, whatever its checksum says.
    fn is_possible(&self) -> bool {
        let length = self.length as usize;
        let end = u64::from(self.lsn.offset()) + u64::from(self.length);
        length >= HEADER_BYTES
            && length.is_multiple_of(ALIGNMENT)
            && (self.lsn.offset() as usize).is_multiple_of(ALIGNMENT)
            && end <= u64::from(self.segment_bytes)
            && self.synced <= self.lsn
            && (1..=self.lsn.segment()).contains(&self.oldest)
    }

    /// Where the next batch of the segment starts.
    pub fn end(&self) -> Lsn {
        Lsn::new(self.lsn.segment(), self.lsn.offset() + self.length)
    }
}

/// A batch whose every byte was checked.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// What it says about itself.
    pub header: Header,
    records: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The same records under another header: the defect of a mutant.
    pub(crate) fn under(self, header: Header) -> Self {
        Self { header, ..self }
    }

    /// The records in order, each with its place.
    pub fn records(&self) -> impl Iterator<Item = (Lsn, &'a [u8])> + use<'a> {
        let (header, bytes) = (self.header, self.records);
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at + RECORD_HEADER_BYTES;
            let length = word(bytes.get(at..start)?, 0) as usize;
            let payload = bytes.get(start..start + length)?;
            let offset = header.lsn.offset() + (HEADER_BYTES + at) as u32;
            at += record_bytes(length);
            Some((Lsn::new(header.lsn.segment(), offset), payload))
        })
    }
}

/// Reads and checks the batch at the start of `bytes`, which were read from the place `lsn` of a
/// folder with `seed`. Any bytes may be given; the answer is a batch or why they are none.
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
    let records = bytes.get(HEADER_BYTES..length).ok_or(Defect::Short)?;
    let mut list_crc = seed;
    let mut at = 0;
    while at < records.len() {
        let offset = header.lsn.offset() + (HEADER_BYTES + at) as u32;
        let lsn = Lsn::new(header.lsn.segment(), offset);
        let rest = &records[at..];
        list_crc = crc32c_append(list_crc, rest.get(..RECORD_HEADER_BYTES).ok_or(Defect::Short)?);
        at += check_record(rest, lsn, seed)?;
    }
    if list_crc != header.records_crc {
        return Err(Defect::Records);
    }
    Ok(Batch { header: *header, records })
}

/// Checks the record at the start of `bytes`; answers how many bytes it takes.
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

/// Reads and checks the record at the start of `bytes`, which were read from the place `lsn`.
pub fn decode_record(bytes: &[u8], lsn: Lsn, seed: u32) -> Result<&[u8], Defect> {
    let length = record_length(bytes).ok_or(Defect::Short)?;
    let rest = &bytes[RECORD_HEADER_BYTES..];
    let payload = rest.get(..length).ok_or(Defect::RecordLength)?;
    if word(bytes, 4) != record_crc(seed, lsn, length as u32, &[payload]) {
        return Err(Defect::Payload);
    }
    Ok(payload)
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

/// Appends a record to `batch`; answers the checksum of the list of records up to here.
#[inline]
pub(crate) fn push_record(
    batch: &mut Vec<u8>,
    lsn: Lsn,
    parts: &[&[u8]],
    length: usize,
    seed: u32,
    list_crc: u32,
) -> u32 {
    let crc = record_crc(seed, lsn, length as u32, parts);
    let mut header = [0u8; RECORD_HEADER_BYTES];
    header[..4].copy_from_slice(&(length as u32).to_le_bytes());
    header[4..].copy_from_slice(&crc.to_le_bytes());
    batch.extend_from_slice(&header);
    for part in parts {
        batch.extend_from_slice(part);
    }
    let padding = record_bytes(length) - RECORD_HEADER_BYTES - length;
    batch.extend_from_slice(&[0u8; ALIGNMENT][..padding]);
    crc32c_append(list_crc, &header)
}

#[inline]
fn record_crc(seed: u32, lsn: Lsn, length: u32, parts: &[&[u8]]) -> u32 {
    let mut place = [0u8; 12];
    place[..8].copy_from_slice(&lsn.to_u64().to_le_bytes());
    place[8..].copy_from_slice(&length.to_le_bytes());
    let start = crc32c_append(seed, &place);
    parts.iter().fold(start, |crc, part| crc32c_append(crc, part))
}

/// The seed of a folder: what its checksums start from.
pub fn seed_of(key: (u64, u64)) -> u32 {
    crc32c_append(crc32c::crc32c(&key.0.to_le_bytes()), &key.1.to_le_bytes())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// Whether `bytes` look like a batch that was written for the place `lsn`, intact or not.
pub(crate) fn names_lsn(bytes: &[u8], lsn: Lsn) -> bool {
    bytes.len() >= HEADER_BYTES && long(bytes, 16) == lsn.to_u64()
}

/// Takes the records of a batch for good unchecked: the defect of two mutants.
pub(crate) fn believe_records<'a>(bytes: &'a [u8], header: &Header) -> Result<Batch<'a>, Defect> {
    let records = bytes.get(HEADER_BYTES..header.length as usize).ok_or(Defect::Short)?;
    Ok(Batch { header: *header, records })
}
