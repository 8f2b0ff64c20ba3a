//! Writes batches to the segments of the folder and makes them durable. It is the only way of a
//! batch to the disk, and only the leader uses it, so a replicated log can take its place: `write`
//! is an ordered append behind a known position, and `sync` returns once the position is durable.
//! After an error the outcome of the append is unknown; the journal is poisoned and has to be
//! opened again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Result};

use super::Shared;
use crate::control::Position;
use crate::limits;
use crate::mutant::Mutant;
use crate::prepare::Prepared;
use crate::segment::Segment;
use crate::storage::File;
use crate::tail::PendingBatch;

/// How often the writer looks whether the folder is still its own. A look costs about 1 us.
const CLAIM_CHECK_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct SegmentWriter {
    /// The file of the current segment. Absent when the journal is read-only.
    file: Option<Arc<dyn File>>,
    pub(crate) segment: u32,
    pub(crate) segment_bytes: u32,
    claim_checked: Option<Instant>,
    /// A sync is due; only for a mutant.
    delayed_sync: bool,
}

impl SegmentWriter {
    pub(crate) fn new(file: Option<Arc<dyn File>>, segment: u32, segment_bytes: u32) -> Self {
        Self { file, segment, segment_bytes, claim_checked: None, delayed_sync: false }
    }

    fn file(&self) -> Result<&Arc<dyn File>> {
        self.file.as_ref().ok_or_else(read_only)
    }

    pub(crate) fn release_file(&mut self) {
        self.file = None;
    }

    /// Fails when the folder may have another owner. Looks only every `CLAIM_CHECK_INTERVAL`.
    pub(crate) fn check_claim(&mut self, shared: &Shared) -> Result<()> {
        if self.claim_checked.is_some_and(|at| at.elapsed() < CLAIM_CHECK_INTERVAL) {
            return Ok(());
        }
        shared.storage.check_claim()?;
        self.claim_checked = Some(Instant::now());
        Ok(())
    }

    /// Writes a batch behind the one before.
    pub(crate) fn write(&mut self, shared: &Shared, batch: &PendingBatch) -> Result<()> {
        if batch.start.segment() != self.segment {
            self.enter_segment(shared, batch)?;
        }
        self.file()?.write_at(u64::from(batch.start.offset()), &batch.bytes)
    }

    /// Makes everything written durable, up to `position`, and notes that in the control file.
    pub(crate) fn sync(&mut self, shared: &Shared, position: Position) -> Result<()> {
        let options = &shared.options;
        if options.has(Mutant::NoteBeforeSync) {
            shared.note_durable(position)?;
        }
        if options.has(Mutant::AckBeforeSync) {
            // The sync of this commit is done by the next one.
            if std::mem::replace(&mut self.delayed_sync, true) {
                self.file()?.sync_data()?;
            }
            return Ok(());
        }
        if options.has(Mutant::SkipSync) {
            return Ok(());
        }
        self.file()?.sync_data()?;
        shared.note_durable(position)
    }

    /// Goes on in the next segment. The old one becomes durable first, so that only the newest
    /// segment of a folder can have a torn tail.
    fn enter_segment(&mut self, shared: &Shared, batch: &PendingBatch) -> Result<()> {
        let options = &shared.options;
        let before = batch.before();
        if !options.has(Mutant::SkipSyncAtRotation) && !options.has(Mutant::SkipSync) {
            self.file()?.sync_data()?;
            shared.note_durable(before)?;
        }
        shared.written.settle(before.end);
        shared.synced.settle(before.end);
        let (number, bytes) = (batch.start.segment(), batch.segment_bytes);
        let mut prepared = lock(&shared.prepared);
        let next = match prepared.take() {
            Some(next) if next.number == number && next.bytes == bytes => next,
            _ => make_patiently(shared, number, bytes)?,
        };
        // Under the lock of `prepared`, so that a segment in use is never preallocated again.
        let mut table = lock(&shared.table);
        table.set_used(before.end.segment(), before.end.offset());
        table.push(Segment { number, bytes, used: 0 }, Arc::clone(&next.file));
        drop(table);
        drop(prepared);
        shared.note_preallocation(&Ok(()));
        self.file = Some(next.file);
        self.segment = number;
        self.segment_bytes = bytes;
        Ok(())
    }
}

/// Creates a segment. Waits while the process has no free file descriptor: that passes, and a
/// poisoned journal would not.
fn make_patiently(shared: &Shared, number: u32, bytes: u32) -> Result<Prepared> {
    let started = Instant::now();
    loop {
        let made = Prepared::make(&*shared.storage, &shared.options, number, bytes);
        let waits = made.is_err()
            && shared.storage.lacks_descriptors()
            && started.elapsed() < limits::DESCRIPTOR_WAIT;
        if !waits {
            return made;
        }
        lock(&shared.table).close_idle();
        shared.sealed_files.close_all();
        std::thread::sleep(limits::DESCRIPTOR_RETRY);
    }
}

pub(crate) fn read_only() -> Error {
    Error::new(Code::EngineReadOnly, "the engine was opened read-only")
}
