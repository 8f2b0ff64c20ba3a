//! Finding and checking a checkpoint. It is checked as a whole before any record of it is used.

use std::sync::Arc;

use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Result};

use super::format::{self, CHUNK_HEADER_BYTES, FOOTER_BYTES, Footer, SEGMENT_BYTES};
use super::{name_of, parse_name};
use crate::control::Position;
use crate::frame::{self, HEADER_BYTES, Header};
use crate::limits;
use crate::lsn::Lsn;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::segment::{self, Segment};
use crate::shared::Shared;
use crate::storage::{File, Storage};

/// A checkpoint whose every byte was checked.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) position: Position,
    pub(crate) segments: Vec<Segment>,
    /// The length of the file.
    pub(crate) file_bytes: u64,
    file: Arc<dyn File>,
    seed: u32,
    chunk_bytes: u64,
}

impl Shared {
    /// See [`crate::Journal::verify_checkpoint`].
    pub(crate) fn verify_checkpoint(&self) -> Result<Option<u64>> {
        let oldest = lock(&self.table).all().first().map_or(0, |segment| segment.number);
        match Loaded::find(&*self.storage, &self.options, self.seed, oldest)? {
            None => Ok(None),
            Some(Ok(checkpoint)) => Ok(Some(checkpoint.file_bytes)),
            Some(Err(defect)) => Err(Error::new(
                defect.code(),
                format!("{}; remove the file, nothing is lost with it", defect.message()),
            )),
        }
    }
}

impl Loaded {
    /// The newest checkpoint of a folder. `Ok(None)` when there is none; `Ok(Some(Err))` when it
    /// cannot be used, with the reason; an error when the disk failed.
    pub(crate) fn find(
        storage: &dyn Storage,
        options: &Options,
        seed: u32,
        oldest: u32,
    ) -> Result<Option<std::result::Result<Loaded, Error>>> {
        let newest = storage.list()?.iter().filter_map(|name| parse_name(name)).max();
        let is_usable = |end: &Lsn| {
            // One whose segment was reclaimed since says nothing any more, and is no defect.
            end.segment() >= oldest || options.has(Mutant::TrustCheckpoint)
        };
        let Some(end) = newest.filter(is_usable) else { return Ok(None) };
        let checked = Self::check(storage, options, seed, end)?;
        Ok(Some(checked.map_err(|why| {
            let name = name_of(end);
            Error::new(
                Code::CorruptJournal,
                format!("file {name} {why}; it was ignored, and the whole journal was replayed"),
            )
        })))
    }

    fn check(
        storage: &dyn Storage,
        options: &Options,
        seed: u32,
        end: Lsn,
    ) -> Result<std::result::Result<Loaded, &'static str>> {
        let Some(file) = storage.open(&name_of(end))? else { return Ok(Err("is missing")) };
        let length = file.len()?;
        let Some(at) = length.checked_sub(FOOTER_BYTES as u64) else {
            return Ok(Err("is too short"));
        };
        let bytes = read(&*file, at, FOOTER_BYTES)?;
        let Some(footer) = Footer::decode(&bytes, seed, end, length) else {
            return Ok(Err("has a damaged footer"));
        };
        let table = read(&*file, footer.chunk_bytes, footer.segments as usize * SEGMENT_BYTES)?;
        let Some(segments) = format::decode_segments(&table, &footer, seed) else {
            return Ok(Err("has a damaged table of segments"));
        };
        let position = footer.position;
        let (file_bytes, chunk_bytes) = (length, footer.chunk_bytes);
        let loaded = Loaded { position, segments, file_bytes, file, seed, chunk_bytes };
        let trusted = options.has(Mutant::TrustCheckpoint);
        if !trusted && !is_of_journal(storage, seed, position)? {
            return Ok(Err("belongs to another history of the journal"));
        }
        let mut records = 0;
        let whole = loaded.each_chunk(&mut |mut chunk| {
            while !chunk.is_empty() {
                if format::next_record(&mut chunk).is_none() {
                    return Ok(false);
                }
                records += 1;
            }
            Ok(true)
        })?;
        if !whole || records != footer.records {
            return Ok(Err("is damaged"));
        }
        Ok(Ok(loaded))
    }

    /// Calls `load` with every record in order.
    pub(crate) fn load(&self, load: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let whole = self.each_chunk(&mut |mut chunk| {
            while let Some(record) = format::next_record(&mut chunk) {
                load(record)?;
            }
            Ok(true)
        })?;
        if whole {
            return Ok(());
        }
        let name = name_of(self.position.end);
        Err(Error::new(Code::StorageFailure, format!("file {name} changed while it was read")))
    }

    /// Calls `each` with the records of every chunk. False when a chunk is damaged, or `each` says
    /// so.
    fn each_chunk(&self, each: &mut dyn FnMut(&[u8]) -> Result<bool>) -> Result<bool> {
        let seed = format::file_seed(self.seed, self.position.end);
        let (mut at, mut buffer, mut start) = (0u64, Vec::new(), 0u64);
        while at < self.chunk_bytes {
            let mut wanted = CHUNK_HEADER_BYTES as u64;
            loop {
                let have = start + buffer.len() as u64;
                if at + wanted > have || at < start {
                    let rest = self.chunk_bytes - at;
                    let bytes = rest.min(wanted.max(2 * limits::READ_BYTES as u64));
                    if bytes < wanted {
                        return Ok(false);
                    }
                    buffer = read(&*self.file, at, bytes as usize)?;
                    start = at;
                }
                let chunk = &buffer[(at - start) as usize..];
                let length = u64::from(frame::word(chunk, 4));
                if length <= wanted {
                    break;
                }
                wanted = length;
            }
            let bytes = &buffer[(at - start) as usize..];
            let Some((records, length)) = format::check_chunk(bytes, at, seed) else {
                return Ok(false);
            };
            if !each(records)? {
                return Ok(false);
            }
            at += length as u64;
        }
        Ok(true)
    }
}

/// Whether the batch that ends at `position` is the one that the checkpoint names.
fn is_of_journal(storage: &dyn Storage, seed: u32, position: Position) -> Result<bool> {
    let Some(offset) = position.end.offset().checked_sub(position.batch_bytes) else {
        return Ok(false);
    };
    let segment = position.end.segment();
    let Some(file) = storage.open(&segment::name_of(segment))? else { return Ok(false) };
    if u64::from(offset) + HEADER_BYTES as u64 > file.len()? {
        return Ok(false);
    }
    let bytes = read(&*file, u64::from(offset), HEADER_BYTES)?;
    let header = Header::decode(&bytes, seed);
    Ok(header.is_ok_and(|header| {
        header.lsn == Lsn::new(segment, offset)
            && header.end() == position.end
            && header.sequence == position.sequence
            && frame::checksum_of(&bytes) == position.checksum
    }))
}

fn read(file: &dyn File, offset: u64, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0u8; length];
    if file.read_at(offset, &mut bytes)? == length {
        return Ok(bytes);
    }
    Err(Error::new(
        Code::StorageFailure,
        format!("a read at offset {offset} of a checkpoint was short"),
    ))
}
