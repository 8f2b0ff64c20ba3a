//! Writing a checkpoint.

use std::sync::Arc;

use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Durability, Result};

use super::format::{self, CHUNK_HEADER_BYTES, Footer};
use super::{DRAFT_NAME, Sink, name_of, parse_name};
use crate::checksum;
use crate::control::Position;
use crate::limits;
use crate::mutant::Mutant;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::storage::File;

impl Shared {
    /// See [`crate::Journal::checkpoint`].
    pub(crate) fn checkpoint(
        &self,
        export: &mut dyn FnMut(Sink<'_>) -> Result<()>,
    ) -> Result<bool> {
        // No segment may be reclaimed meanwhile: its records would be in neither.
        let _serialized = self.maintain()?;
        self.commit(self.appended(), Durability::Disk)?;
        self.check_usable()?;
        let Some(position) = lock(&self.control).as_ref().map(|control| control.state().durable)
        else {
            return Ok(false);
        };
        // Positions of format 1 have no sequence.
        if position.sequence == 0 {
            return Ok(false);
        }
        let appended = self.bytes_appended.load(Ordering::Relaxed) as u64;
        let written = self.write_draft(position, export);
        let Ok(bytes) = written else {
            // Best effort: an opening removes it too. On a disk that is nearly full it is in the
            // way of the next segment.
            let _removed = self.storage.remove(DRAFT_NAME);
            return written.map(|_| false);
        };
        self.storage.rename(DRAFT_NAME, &name_of(position.end))?;
        self.storage.sync_dir()?;
        for name in self.storage.list()? {
            if parse_name(&name).is_some_and(|end| end != position.end) {
                self.storage.remove(&name)?;
            }
        }
        self.progress.wrote(appended, bytes);
        Ok(true)
    }

    /// Writes the draft of a checkpoint; returns its length.
    fn write_draft(
        &self,
        position: Position,
        export: &mut dyn FnMut(Sink<'_>) -> Result<()>,
    ) -> Result<u64> {
        let file = self.storage.create(DRAFT_NAME)?;
        let skips_sync = self.options.has(Mutant::SkipCheckpointSync);
        let mut writer = Writer::new(file, self.seed, position, skips_sync);
        export(&mut |record| writer.push(record))?;
        // IMPORTANT: the export may contain the effect of records behind the position.
        if !self.options.has(Mutant::CheckpointBeforeCommit) {
            self.commit(self.appended(), Durability::Disk)?;
        }
        self.check_usable()?;
        writer.finish(&self.segments_before(position))
    }

    /// The segments as they were at `position`.
    fn segments_before(&self, position: Position) -> Vec<Segment> {
        let mut segments = lock(&self.table).all().to_vec();
        segments.retain(|segment| segment.number <= position.end.segment());
        if let Some(last) = segments.last_mut() {
            last.used = position.end.offset();
        }
        segments
    }
}

struct Writer {
    file: Arc<dyn File>,
    seed: u32,
    footer: Footer,
    chunk: Vec<u8>,
    /// Bytes that were written and not synced.
    unsynced: usize,
    /// A deliberate defect: the bytes are not synced.
    skips_sync: bool,
}

impl Writer {
    fn new(file: Arc<dyn File>, seed: u32, position: Position, skips_sync: bool) -> Self {
        let footer = Footer { position, chunk_bytes: 0, records: 0, segments: 0, segments_crc: 0 };
        let chunk = vec![0; CHUNK_HEADER_BYTES];
        Self { file, seed, footer, chunk, unsynced: 0, skips_sync }
    }

    fn push(&mut self, record: &[u8]) -> Result<()> {
        self.chunk.extend_from_slice(&(record.len() as u32).to_le_bytes());
        self.chunk.extend_from_slice(record);
        self.footer.records += 1;
        if self.chunk.len() >= limits::COPY_BYTES { self.end_chunk() } else { Ok(()) }
    }

    fn end_chunk(&mut self) -> Result<()> {
        let offset = self.footer.chunk_bytes;
        let seed = format::file_seed(self.seed, self.footer.position.end);
        format::seal_chunk(&mut self.chunk, offset, seed);
        self.file.write_at(offset, &self.chunk)?;
        self.footer.chunk_bytes += self.chunk.len() as u64;
        self.unsynced += self.chunk.len();
        self.chunk.truncate(CHUNK_HEADER_BYTES);
        if self.unsynced < limits::CHECKPOINT_SYNC_BYTES {
            return Ok(());
        }
        self.unsynced = 0;
        self.sync()
    }

    fn sync(&self) -> Result<()> {
        if self.skips_sync { Ok(()) } else { self.file.sync_data() }
    }

    /// Completes the file; returns its length.
    fn finish(mut self, segments: &[Segment]) -> Result<u64> {
        if self.chunk.len() > CHUNK_HEADER_BYTES {
            self.end_chunk()?;
        }
        let mut table = format::encode_segments(segments);
        let seed = format::file_seed(self.seed, self.footer.position.end);
        self.footer.segments = segments.len() as u32;
        self.footer.segments_crc = checksum::append(seed, &table);
        table.extend_from_slice(&self.footer.encode(self.seed));
        self.file.write_at(self.footer.chunk_bytes, &table)?;
        self.sync()?;
        Ok(self.footer.chunk_bytes + table.len() as u64)
    }
}
