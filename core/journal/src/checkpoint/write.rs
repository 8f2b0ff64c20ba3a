//! Writing a checkpoint.

use std::sync::Arc;

use trunkline_types::sync::lock;
use trunkline_types::{Durability, Result};

use super::format::{self, CHUNK_HEADER_BYTES, Footer};
use super::{DRAFT_NAME, Sink, name_of, parse_name};
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
        let mut writer = Writer::new(self.storage.create(DRAFT_NAME)?, self.seed, position);
        export(&mut |record| writer.push(record))?;
        // IMPORTANT: the export may contain the effect of records behind the position.
        if !self.options.has(Mutant::CheckpointBeforeCommit) {
            self.commit(self.appended(), Durability::Disk)?;
        }
        self.check_usable()?;
        writer.finish(&self.segments_before(position))?;
        self.storage.rename(DRAFT_NAME, &name_of(position.end))?;
        self.storage.sync_dir()?;
        for name in self.storage.list()? {
            if parse_name(&name).is_some_and(|end| end != position.end) {
                self.storage.remove(&name)?;
            }
        }
        Ok(true)
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
}

impl Writer {
    fn new(file: Arc<dyn File>, seed: u32, position: Position) -> Self {
        let footer = Footer { position, chunk_bytes: 0, records: 0, segments: 0, segments_crc: 0 };
        Self { file, seed, footer, chunk: vec![0; CHUNK_HEADER_BYTES] }
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
        self.chunk.truncate(CHUNK_HEADER_BYTES);
        Ok(())
    }

    fn finish(mut self, segments: &[Segment]) -> Result<()> {
        if self.chunk.len() > CHUNK_HEADER_BYTES {
            self.end_chunk()?;
        }
        let mut table = format::encode_segments(segments);
        let seed = format::file_seed(self.seed, self.footer.position.end);
        self.footer.segments = segments.len() as u32;
        self.footer.segments_crc = crc32c::crc32c_append(seed, &table);
        table.extend_from_slice(&self.footer.encode(self.seed));
        self.file.write_at(self.footer.chunk_bytes, &table)?;
        self.file.sync_data()
    }
}
