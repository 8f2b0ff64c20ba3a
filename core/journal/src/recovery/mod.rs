//! Recovery: replays every batch in order, finds the end of the journal and prepares it for
//! appends.
//!
//! A batch is accepted when it is whole, names its own location, and continues the chain: its
//! `previous` and `sequence` match the batch before. So stale batches behind the end are never
//! accepted, and recovery need not wipe them.
//!
//! Reading stops at the first batch that is not accepted. [`end`] decides whether that is the end
//! of the journal, which may be torn after a crash, or damage.

mod end;
mod repair;
mod settle;
mod v1;

use std::sync::Arc;

use trunkline_types::{Error, Result};

use crate::checkpoint::{Loaded, Progress};
use crate::control::{Control, ControlState, Position};
use crate::folder::FIRST_SEGMENT;
use crate::frame::{self, Batch, HEADER_BYTES, Header};
use crate::lsn::Lsn;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::scan::Scanner;
use crate::segment::{Segment, damaged, length_of, missing, name_of, number_of};
use crate::storage::{File, Storage};
use crate::superblock::Superblock;

pub use repair::{Repair, repair};

/// Receives the records of a checkpoint.
pub(crate) type Load<'a> = &'a mut dyn FnMut(&[u8]) -> Result<()>;

/// Receives each record in order.
pub(crate) type Replay<'a> = &'a mut dyn FnMut(Lsn, &[u8]) -> Result<()>;

/// The result of a recovery.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The segments that hold batches, oldest first, or the first one when nothing was written.
    pub(crate) segments: Vec<Segment>,
    /// The end of the journal.
    pub(crate) end: Position,
    /// The control file; absent in a folder of format 1 that was opened read-only.
    pub(crate) control: Option<Control>,
    /// What was replayed behind the checkpoint.
    pub(crate) progress: Progress,
    /// Why the checkpoint could not be used.
    pub(crate) checkpoint_defect: Option<Error>,
}

struct Recovery<'a> {
    storage: &'a dyn Storage,
    options: &'a Options,
    seed: u32,
    /// The segments in the folder, sorted.
    numbers: Vec<u32>,
    /// What the control file says; absent in format 1.
    state: Option<ControlState>,
    segments: Vec<Segment>,
    last: Option<Header>,
    /// The end of the last accepted batch. The link is absent before the first one, when the
    /// segments before are gone.
    end: Lsn,
    link: Option<Link>,
    /// Whether a batch ended at the durable position.
    met_durable: bool,
}

/// What the next batch has to name.
#[derive(Debug, Clone, Copy)]
struct Link {
    sequence: u64,
    checksum: u32,
    batch_bytes: u32,
}

/// Replays the journal, and prepares it for appends unless the storage is read-only.
pub(crate) fn recover(
    storage: &dyn Storage,
    options: &Options,
    superblock: &Superblock,
    load: Option<Load<'_>>,
    replay: Replay<'_>,
) -> Result<Recovered> {
    let seed = frame::seed_of((superblock.key.0, superblock.key.1));
    let mut control = match superblock.version {
        1 => None,
        _ => Some(Control::load(storage, seed)?),
    };
    let mut numbers: Vec<u32> = storage.list()?.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    let state = control.as_ref().map(Control::state);
    let mut recovery = Recovery {
        storage,
        options,
        seed,
        numbers,
        state,
        segments: Vec::new(),
        last: None,
        end: Lsn::default(),
        link: None,
        met_durable: false,
    };
    let first = match state {
        Some(state) => recovery.check_numbers(&state)?,
        None => recovery.first_needed_v1()?,
    };
    if first == FIRST_SEGMENT {
        let checksum = superblock.first_link();
        recovery.link = Some(Link { sequence: 0, checksum, batch_bytes: 0 });
    }
    recovery.end = Lsn::new(first, 0);
    let (mut checkpoint_defect, mut checkpoint_bytes) = (None, 0);
    if let (Some(load), Some(state)) = (load, state) {
        match Loaded::find(storage, options, seed, state.oldest)? {
            Some(Ok(checkpoint)) => {
                recovery.start_at(&checkpoint, load)?;
                checkpoint_bytes = checkpoint.file_bytes;
            }
            Some(Err(defect)) => checkpoint_defect = Some(defect),
            None => {}
        }
    }
    let start = recovery.end;
    recovery.replay_all(replay)?;
    recovery.check_end()?;
    let oldest = match state {
        Some(_) => first,
        None => recovery.oldest_v1()?,
    };
    recovery.segments.retain(|segment| segment.number >= oldest);
    let end = recovery.position(superblock);
    if !storage.is_read_only() {
        let state = ControlState { epoch: 1, durable: end, oldest };
        control = Some(recovery.prepare_for_appends(control, state, superblock)?);
    }
    let progress = Progress::new(recovery.bytes_behind(start), checkpoint_bytes);
    Ok(Recovered { segments: recovery.segments, end, control, progress, checkpoint_defect })
}

impl Recovery<'_> {
    /// Checks that every segment that is needed is there; returns the first one.
    fn check_numbers(&self, state: &ControlState) -> Result<u32> {
        let last = self.numbers.last().copied().unwrap_or(0).max(state.durable.end.segment());
        for number in state.oldest..=last {
            if self.numbers.binary_search(&number).is_err() {
                return Err(missing(number));
            }
        }
        Ok(state.oldest)
    }

    /// Bytes of the batches behind `start`.
    fn bytes_behind(&self, start: Lsn) -> u64 {
        let behind = self.segments.iter().filter(|segment| segment.number >= start.segment());
        let bytes: u64 = behind.map(|segment| u64::from(segment.used)).sum();
        bytes.saturating_sub(u64::from(start.offset()))
    }

    fn newest(&self) -> u32 {
        self.numbers.last().copied().unwrap_or(FIRST_SEGMENT)
    }

    fn open(&self, number: u32) -> Result<Arc<dyn File>> {
        self.storage.open(&name_of(number))?.ok_or_else(|| missing(number))
    }

    /// Loads a checkpoint, so that replay starts at its position.
    fn start_at(&mut self, checkpoint: &Loaded, load: Load<'_>) -> Result<()> {
        let Position { end, sequence, checksum, batch_bytes } = checkpoint.position;
        for segment in &checkpoint.segments {
            if (self.end.segment()..end.segment()).contains(&segment.number) {
                self.check_unread(segment)?;
                self.segments.push(*segment);
            }
        }
        checkpoint.load(load)?;
        self.link = Some(Link { sequence, checksum, batch_bytes });
        self.end = end;
        Ok(())
    }

    /// Checks what can be checked of a segment without reading it: its length, and that its first
    /// batch names it.
    fn check_unread(&self, segment: &Segment) -> Result<()> {
        let file = self.open(segment.number)?;
        let bytes = length_of(segment.number, &*file)?;
        if bytes != segment.bytes {
            let why = format!("the file had {} bytes before", segment.bytes);
            return Err(damaged(segment.number, bytes, &why));
        }
        if segment.used == 0 {
            return Ok(());
        }
        let mut head = [0u8; HEADER_BYTES];
        let read = file.read_at(0, &mut head)?;
        match Header::decode(&head[..read], self.seed) {
            Ok(header) if header.lsn == Lsn::new(segment.number, 0) => Ok(()),
            Ok(header) => {
                let why = format!("the batch there was written for {}", header.lsn);
                Err(damaged(segment.number, 0, &why))
            }
            Err(_) => Err(damaged(segment.number, 0, "its first batch is no batch")),
        }
    }

    fn replay_all(&mut self, replay: Replay<'_>) -> Result<()> {
        let start = self.end;
        let first = start.segment();
        self.met_durable = self.state.is_some_and(|state| state.durable.end <= self.end);
        for number in first..=self.newest() {
            let file = self.open(number)?;
            let segment_bytes = length_of(number, &*file)?;
            let used = self.replay_segment(number, &*file, segment_bytes, replay)?;
            // Nothing was written there yet. Only the first one may be empty in the middle, when
            // the first record of the folder was too long for it.
            if used == 0 && number != first {
                break;
            }
            self.end = Lsn::new(number, used);
            self.segments.push(Segment { number, bytes: segment_bytes, used });
        }
        Ok(())
    }

    /// Replays one segment; returns the length of its accepted batches.
    fn replay_segment(
        &mut self,
        number: u32,
        file: &dyn File,
        segment_bytes: u32,
        replay: Replay<'_>,
    ) -> Result<u32> {
        let before = (!self.segments.is_empty()).then_some(self.end);
        let mut scanner = Scanner::new(file, number, segment_bytes, self.seed, self.options);
        let start = if self.end.segment() == number { self.end.offset() } else { 0 };
        scanner.skip_to(start);
        let mut used = start;
        while let Ok(batch) = scanner.next_batch()? {
            if !self.follows(&batch, before)? {
                break;
            }
            let is_dropped =
                self.options.has(Mutant::DropBehindCheckpoint) && start > 0 && used == start;
            for (lsn, payload) in batch.records().filter(|_| !is_dropped) {
                replay(lsn, payload)?;
            }
            let header = batch.header;
            self.link = Some(Link {
                sequence: header.sequence,
                checksum: batch.checksum,
                batch_bytes: if header.oldest.is_some() { 0 } else { header.length },
            });
            self.last = Some(header);
            used = header.end().offset();
            self.check_durable(header.end(), batch.checksum)?;
        }
        Ok(used)
    }

    /// Whether the batch continues the chain. `before` is the end of the segment before.
    fn follows(&self, batch: &Batch<'_>, before: Option<Lsn>) -> Result<bool> {
        let header = &batch.header;
        if self.options.has(Mutant::SkipChain) || self.options.has(Mutant::AcceptStaleFrames) {
            return Ok(true);
        }
        if header.oldest.is_some() {
            if let Some(end) = before.filter(|_| header.lsn.offset() == 0) {
                v1::check_follows(header, end)?;
            }
            return Ok(self.link.is_none_or(|link| link.sequence == 0));
        }
        Ok(self.link.is_none_or(|link| {
            header.previous == link.checksum && header.sequence == link.sequence + 1
        }))
    }

    /// The batch that ends at the durable position has to be the one that was synced.
    fn check_durable(&mut self, end: Lsn, checksum: u32) -> Result<()> {
        let Some(durable) = self.state.map(|state| state.durable) else { return Ok(()) };
        if end == durable.end {
            self.met_durable = durable.checksum == checksum;
        }
        if end < durable.end || self.met_durable {
            return Ok(());
        }
        let why = format!("another batch was durable at {}", durable.end);
        Err(damaged(end.segment(), end.offset(), &why))
    }

    fn position(&self, superblock: &Superblock) -> Position {
        match (self.link, self.state) {
            (Some(Link { sequence, checksum, batch_bytes }), _) => {
                Position { end: self.end, sequence, checksum, batch_bytes }
            }
            // Every batch was reclaimed and nothing was written since.
            (None, Some(state)) => Position { end: self.end, ..state.durable },
            (None, None) => {
                let checksum = superblock.first_link();
                Position { end: self.end, sequence: 0, checksum, batch_bytes: 0 }
            }
        }
    }
}
