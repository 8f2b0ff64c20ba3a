//! The control file: what the folder knows about its journal apart from the journal.
//!
//! It names the last durable position, the oldest segment that is needed, and the epoch of the last
//! writer. So recovery can tell a journal that ends early from one that was cut, zeroed, swapped or
//! lost: everything before the durable position has to be there, with the checksum that is written
//! here.
//!
//! ```text
//! slot     | "TKC2" 4 | crc 4 | revision 8 | epoch 8 | durable 8 | sequence 8 | checksum 4 |
//!          | oldest 4 | batch_bytes 4 | zeros 12 |                             = 64 bytes
//! file     | slot 0, at 0 | slot 1, at 512 | slot 2, at 1,024 | zeros up to 4,096 |
//! ```
//!
//! The valid slot with the largest revision counts. [`Control::store`] alternates between slots 0
//! and 1 and syncs, so one of them is always whole. [`Control::note`] writes slot 2 without a sync,
//! after every sync of the journal: a crash of the process keeps it, a power failure may not.

use std::sync::Arc;

use trunkline_types::{Code, Error, Result};

use crate::checksum;
use crate::frame::{long, word};
use crate::lsn::Lsn;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::storage::{File, Storage};

/// The name of the control file.
pub(crate) const CONTROL_NAME: &str = "control";
pub(crate) const CONTROL_DRAFT_NAME: &str = "control.draft";
/// The name that a repair gives to a damaged control file.
pub(crate) const DAMAGED_CONTROL_NAME: &str = "control.damaged";

/// Bytes of the control file: one page, which is never extended.
const FILE_BYTES: usize = 4_096;

/// Bytes of a slot.
pub const SLOT_BYTES: usize = 64;

/// Distance of the slots: no two of them share a sector.
const SLOT_DISTANCE: usize = 512;

/// The slot that is written without a sync.
const NOTED_SLOT: usize = 2;

const SLOTS: usize = 3;

const MAGIC: [u8; 4] = *b"TKC2";

/// The end of a prefix of the journal: a batch ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Where the batch ends.
    pub end: Lsn,
    /// The sequence number of the batch; 0 before the first one.
    pub sequence: u64,
    /// The checksum of the batch; that of the superblock before the first one.
    pub checksum: u32,
    /// The length of the batch; 0 before the first one and in format 1.
    pub batch_bytes: u32,
}

/// What the control file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlState {
    /// The last opening of the journal for writing.
    pub epoch: u64,
    /// Everything up to here was durable.
    pub durable: Position,
    /// The oldest segment that is needed.
    pub oldest: u32,
}

impl ControlState {
    /// A slot as bytes.
    pub fn encode(&self, revision: u64, seed: u32) -> [u8; SLOT_BYTES] {
        let mut bytes = [0u8; SLOT_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&revision.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable.end.to_u64().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.durable.sequence.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.durable.checksum.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.oldest.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.durable.batch_bytes.to_le_bytes());
        let crc = checksum::append(seed, &bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a slot, with its revision; `None` when the bytes are no whole slot of the folder.
    pub fn decode(bytes: &[u8], seed: u32) -> Option<(u64, Self)> {
        let bytes = bytes.get(..SLOT_BYTES)?;
        if bytes[..4] != MAGIC || word(bytes, 4) != checksum::append(seed, &bytes[8..]) {
            return None;
        }
        let durable = Position {
            end: Lsn::from_u64(long(bytes, 24)),
            sequence: long(bytes, 32),
            checksum: word(bytes, 40),
            batch_bytes: word(bytes, 48),
        };
        let state = Self { epoch: long(bytes, 16), durable, oldest: word(bytes, 44) };
        let possible = (1..=durable.end.segment()).contains(&state.oldest);
        possible.then_some((long(bytes, 8), state))
    }
}

/// The open control file.
#[derive(Debug)]
pub(crate) struct Control {
    file: Arc<dyn File>,
    seed: u32,
    revision: u64,
    /// The slot of the last store: 0 or 1.
    stored_slot: usize,
    state: ControlState,
    /// The segment of the last durable position that was synced.
    stored_segment: u32,
}

impl Control {
    /// Creates the file so that after a crash it is there as a whole, or not at all.
    pub(crate) fn create(
        storage: &dyn Storage,
        options: &Options,
        seed: u32,
        state: ControlState,
    ) -> Result<Control> {
        let file = storage.create(CONTROL_DRAFT_NAME)?;
        let mut bytes = vec![0u8; FILE_BYTES];
        bytes[..SLOT_BYTES].copy_from_slice(&state.encode(1, seed));
        file.write_at(0, &bytes)?;
        if !options.has(Mutant::RenameBeforeSync) {
            file.sync_data()?;
        }
        storage.rename(CONTROL_DRAFT_NAME, CONTROL_NAME)?;
        if !options.has(Mutant::ForgetSyncDir) {
            storage.sync_dir()?;
        }
        let stored_segment = state.durable.end.segment();
        Ok(Control { file, seed, revision: 1, stored_slot: 0, state, stored_segment })
    }

    /// Reads the file; an error when it is absent or no slot of it is whole.
    pub(crate) fn load(storage: &dyn Storage, seed: u32) -> Result<Control> {
        let Some(file) = storage.open(CONTROL_NAME)? else {
            return Err(unusable("is missing although the folder holds a journal"));
        };
        let mut bytes = [0u8; SLOT_DISTANCE * SLOTS];
        if file.read_at(0, &mut bytes)? < bytes.len() {
            return Err(unusable("was cut"));
        }
        let slots = (0..SLOTS).filter_map(|slot| {
            let (revision, state) = ControlState::decode(&bytes[slot * SLOT_DISTANCE..], seed)?;
            Some((revision, slot, state))
        });
        let slots: Vec<(u64, usize, ControlState)> = slots.collect();
        let newest = slots.iter().max_by_key(|(revision, ..)| *revision);
        let stored = slots.iter().filter(|(_, slot, _)| *slot != NOTED_SLOT);
        let stored = stored.max_by_key(|(revision, ..)| *revision);
        match (newest, stored) {
            (Some((revision, _, state)), Some((_, stored_slot, stored))) => Ok(Control {
                file,
                seed,
                revision: *revision,
                stored_slot: *stored_slot,
                state: *state,
                stored_segment: stored.durable.end.segment(),
            }),
            _ => Err(unusable("is damaged")),
        }
    }

    pub(crate) fn state(&self) -> ControlState {
        self.state
    }

    /// Makes `state` durable.
    pub(crate) fn store(&mut self, state: ControlState) -> Result<()> {
        let slot = 1 - self.stored_slot;
        self.write(slot, state)?;
        self.file.sync_data()?;
        self.stored_slot = slot;
        self.stored_segment = state.durable.end.segment();
        Ok(())
    }

    /// Notes that the journal is durable up to `durable`. The first note in a segment is synced, so
    /// that a segment which is lost or zeroed as a whole is noticed after a power failure too.
    pub(crate) fn note(&mut self, durable: Position) -> Result<()> {
        if durable == self.state.durable {
            return Ok(());
        }
        let state = ControlState { durable, ..self.state };
        if durable.end.segment() != self.stored_segment {
            return self.store(state);
        }
        self.write(NOTED_SLOT, state)
    }

    fn write(&mut self, slot: usize, state: ControlState) -> Result<()> {
        self.revision += 1;
        let bytes = state.encode(self.revision, self.seed);
        self.file.write_at((slot * SLOT_DISTANCE) as u64, &bytes)?;
        self.state = state;
        Ok(())
    }
}

fn unusable(why: &str) -> Error {
    Error::new(
        Code::CorruptJournal,
        format!(
            "file {CONTROL_NAME} {why}; restore the data folder from a copy, or let `trunkline \
             repair` make the file from what the segments prove"
        ),
    )
}
