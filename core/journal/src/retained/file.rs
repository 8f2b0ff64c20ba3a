//! Writing and reading one sealed file.

use std::sync::Arc;

use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result};

use super::OpenFiles;
use super::buffer::ReadBuffer;
use super::format::{
    self, BLOCK_HEADER_BYTES, Entry, FOOTER_BYTES, Footer, INDEX_ENTRY_BYTES, IndexEntry,
};
use crate::limits;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::storage::File;

const PREFIX: &str = "retained-";
const DRAFT_SUFFIX: &str = ".draft";

/// A block is closed at about this length: the unit of a read, and of the sparse index.
const BLOCK_BYTES: usize = 64 << 10;

/// The name of the file of `log` that starts at `first`.
pub(crate) fn name_of(log: u64, first: u64) -> String {
    format!("{PREFIX}{log:016x}-{first:016x}")
}

/// The name of that file in the making.
fn draft_name_of(log: u64, first: u64) -> String {
    format!("{}{DRAFT_SUFFIX}", name_of(log, first))
}

/// Whether `name` is a sealed file in the making.
pub(crate) fn is_draft(name: &str) -> bool {
    name.strip_suffix(DRAFT_SUFFIX).is_some_and(|name| parse_name(name).is_some())
}

/// The log and the first sequence number of the file `name`.
pub(crate) fn parse_name(name: &str) -> Option<(u64, u64)> {
    let (log, first) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let log = u64::from_str_radix(log, 16).ok()?;
    let first = u64::from_str_radix(first, 16).ok()?;
    (name_of(log, first) == name).then_some((log, first))
}

/// Whether `name` is a sealed file, whole or in the making.
pub(crate) fn is_file_name(name: &str) -> bool {
    parse_name(name).is_some() || is_draft(name)
}

/// One sealed file. It is opened when it is read. Its index is read at the first use.
#[derive(Debug)]
pub(crate) struct SealedFile {
    pub(crate) footer: Footer,
    files: Arc<OpenFiles>,
    seed: u32,
    index: Mutex<Option<Arc<[IndexEntry]>>>,
}

impl SealedFile {
    /// Checks a file by its footer alone, and closes it again.
    pub(crate) fn open(files: &Arc<OpenFiles>, seed: u32, log: u64, first: u64) -> Result<Self> {
        let name = name_of(log, first);
        let Some(file) = files.storage().open(&name)? else {
            return Err(damaged(&name, "is missing"));
        };
        let length = file.len()?;
        let mut bytes = [0u8; FOOTER_BYTES];
        let Some(at) = length.checked_sub(FOOTER_BYTES as u64) else {
            return Err(damaged(&name, "is too short"));
        };
        read_exact(&*file, at, &mut bytes, || name.clone())?;
        let Some(footer) = Footer::decode(&bytes, seed, log, first, length) else {
            return Err(damaged(&name, "has a damaged footer, or was cut, extended or renamed"));
        };
        Ok(Self { footer, files: Arc::clone(files), seed, index: Mutex::default() })
    }

    pub(crate) fn name(&self) -> String {
        name_of(self.footer.log, self.footer.first)
    }

    /// The file, open for a read.
    fn file(&self) -> Result<Arc<dyn File>> {
        let name = self.name();
        self.files.get(&name)?.ok_or_else(|| damaged(&name, "is missing"))
    }

    fn index(&self, file: &dyn File) -> Result<Arc<[IndexEntry]>> {
        if let Some(index) = &*lock(&self.index) {
            return Ok(Arc::clone(index));
        }
        let mut bytes = vec![0u8; self.footer.index_count as usize * INDEX_ENTRY_BYTES];
        read_exact(file, self.footer.index_offset, &mut bytes, || self.name())?;
        let Some(index) = format::decode_index(&bytes, &self.footer, self.seed) else {
            return Err(damaged(&self.name(), "has a damaged index"));
        };
        let index: Arc<[IndexEntry]> = index.into();
        *lock(&self.index) = Some(Arc::clone(&index));
        Ok(index)
    }

    /// Calls `each` with the entries from `sequence` on, until it returns false. Returns whether it
    /// wants more. Blocks that start at `end` or later are not read ahead.
    pub(crate) fn read(
        &self,
        sequence: u64,
        end: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<bool> {
        let file = self.file()?;
        let index = self.index(&*file)?;
        let start = index.partition_point(|block| block.first <= sequence).saturating_sub(1);
        // Checksums say that a block is as it was written, not that it belongs there.
        let mut expected = index.get(start).map_or(self.footer.next, |block| block.first);
        if expected > sequence.max(self.footer.first) {
            return Err(damaged(&self.name(), "lacks entries"));
        }
        let (mut blocks, mut most) = (&index[start..], BLOCK_BYTES);
        while !blocks.is_empty() {
            let (run, behind) = blocks.split_at(run_of(blocks, end, most));
            blocks = behind;
            most = limits::SEALED_READ_BYTES_MAX.min(most * 2);
            let buffer = self.run(&*file, run)?;
            let mut bytes = buffer.bytes();
            for block in run {
                let (of_block, rest) = bytes.split_at(block.length as usize);
                bytes = rest;
                for entry in self.entries(block, of_block)? {
                    if entry.sequence != expected || expected >= self.footer.next {
                        return Err(damaged(&self.name(), "holds entries out of order"));
                    }
                    expected += 1;
                    let entry = Entry { buffer: Some(&buffer), ..entry };
                    if entry.sequence >= sequence && !each(entry) {
                        return Ok(false);
                    }
                }
            }
        }
        if expected != self.footer.next {
            return Err(damaged(&self.name(), "lacks entries"));
        }
        Ok(true)
    }

    /// The first entry whose time is not before `time`; `None` if there is none.
    pub(crate) fn find_time(&self, time: u64) -> Result<Option<u64>> {
        let file = self.file()?;
        let index = self.index(&*file)?;
        let start = index.partition_point(|block| block.max_time < time);
        let Some(block) = index.get(start) else { return Ok(None) };
        let buffer = self.run(&*file, std::slice::from_ref(block))?;
        let entries = self.entries(block, buffer.bytes())?;
        Ok(entries.iter().find(|entry| entry.time >= time).map(|entry| entry.sequence))
    }

    /// Whether all entries came before `before`. They are read only if a clock was wrong.
    pub(crate) fn is_before(&self, before: u64, came: &dyn Fn(u64) -> u64) -> Result<bool> {
        let latest = self.footer.max_time;
        if latest < before || came(latest) >= before {
            return Ok(latest < before);
        }
        self.read(self.footer.first, u64::MAX, &mut |entry| {
            entry.time < before || came(entry.time) < before
        })
    }

    /// Reads every block; returns how many entries there are.
    pub(crate) fn verify(&self) -> Result<u64> {
        self.read(self.footer.first, u64::MAX, &mut |_| true)?;
        Ok(self.footer.next - self.footer.first)
    }

    /// Reads blocks that lie one behind the other.
    fn run(&self, file: &dyn File, blocks: &[IndexEntry]) -> Result<Arc<ReadBuffer>> {
        let length = blocks.iter().map(|block| block.length as usize).sum();
        let offset = blocks.first().map_or(0, |block| block.offset);
        self.files.buffers.filled(length, |bytes| read_exact(file, offset, bytes, || self.name()))
    }

    fn entries<'a>(&self, block: &IndexEntry, bytes: &'a [u8]) -> Result<Vec<Entry<'a>>> {
        let seed = format::file_seed(self.seed, self.footer.log, self.footer.first);
        format::decode_block(bytes, block, seed).ok_or_else(|| {
            damaged(&self.name(), &format!("is damaged in the block at offset {}", block.offset))
        })
    }
}

/// How many of `blocks` are read together: one at least, up to `most` bytes, none from `end` on.
fn run_of(blocks: &[IndexEntry], end: u64, most: usize) -> usize {
    let mut length = 0;
    let is_near = |block: &&IndexEntry| {
        length += block.length as usize;
        length <= most && block.first < end
    };
    blocks.iter().take_while(is_near).count().max(1)
}

fn read_exact(
    file: &dyn File,
    offset: u64,
    bytes: &mut [u8],
    name: impl FnOnce() -> String,
) -> Result<()> {
    if file.read_at(offset, bytes)? == bytes.len() {
        return Ok(());
    }
    Err(Error::new(
        Code::StorageFailure,
        format!("a read at offset {offset} of file {} was short", name()),
    ))
}

/// The error for a damaged file.
pub(crate) fn damaged(name: &str, why: &str) -> Error {
    Error::new(
        Code::CorruptJournal,
        format!("file {name} {why}; restore the data folder from a copy"),
    )
}

/// Writes a sealed file: first as a draft, which gets its name when it is durable.
pub(crate) struct Writer<'a> {
    files: &'a Arc<OpenFiles>,
    options: &'a Options,
    seed: u32,
    file: Arc<dyn File>,
    footer: Footer,
    index: Vec<IndexEntry>,
    block: Vec<u8>,
    count: u32,
    /// Sealed blocks that were not written yet.
    pending: Vec<u8>,
    written: u64,
}

impl<'a> Writer<'a> {
    pub(crate) fn create(
        files: &'a Arc<OpenFiles>,
        options: &'a Options,
        seed: u32,
        log: u64,
        first: u64,
    ) -> Result<Self> {
        let footer = Footer {
            log,
            first,
            next: first,
            min_time: u64::MAX,
            max_time: 0,
            index_offset: 0,
            index_count: 0,
            index_crc: 0,
        };
        Ok(Self {
            files,
            options,
            seed,
            file: files.storage().create(&draft_name_of(log, first))?,
            footer,
            index: Vec::new(),
            block: vec![0; BLOCK_HEADER_BYTES],
            count: 0,
            pending: Vec::new(),
            written: 0,
        })
    }

    pub(crate) fn push(&mut self, time: u64, payload: &[u8]) -> Result<()> {
        format::push_entry(&mut self.block, time, payload);
        self.count += 1;
        self.footer.next += 1;
        self.footer.min_time = self.footer.min_time.min(time);
        self.footer.max_time = self.footer.max_time.max(time);
        if self.block.len() >= BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let offset = self.footer.index_offset;
        let seed = format::file_seed(self.seed, self.footer.log, self.footer.first);
        let crc = format::seal_block(&mut self.block, self.count, offset, seed);
        self.index.push(IndexEntry {
            offset,
            first: self.footer.next - u64::from(self.count),
            max_time: self.footer.max_time,
            length: self.block.len() as u32,
            crc,
        });
        self.footer.index_offset += self.block.len() as u64;
        self.pending.append(&mut self.block);
        self.block.resize(BLOCK_HEADER_BYTES, 0);
        self.count = 0;
        if self.pending.len() >= limits::COPY_BYTES { self.write_pending() } else { Ok(()) }
    }

    fn write_pending(&mut self) -> Result<()> {
        self.file.write_at(self.written, &self.pending)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Completes the file. At least one entry was pushed.
    pub(crate) fn finish(mut self) -> Result<SealedFile> {
        self.end_block()?;
        let index: Vec<u8> = self.index.iter().flat_map(IndexEntry::encode).collect();
        let (log, first) = (self.footer.log, self.footer.first);
        self.footer.index_count = self.index.len() as u32;
        self.footer.index_crc = format::index_crc(&index, self.seed, log, first);
        self.pending.extend_from_slice(&index);
        self.pending.extend_from_slice(&self.footer.encode(self.seed));
        self.write_pending()?;
        if !self.options.has(Mutant::SkipSealSync) {
            self.file.sync_data()?;
        }
        let storage = self.files.storage();
        storage.rename(&draft_name_of(log, first), &name_of(log, first))?;
        storage.sync_dir()?;
        let index = Mutex::new(Some(self.index.into()));
        let files = Arc::clone(self.files);
        Ok(SealedFile { footer: self.footer, files, seed: self.seed, index })
    }
}
