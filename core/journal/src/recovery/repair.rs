//! Makes a lost or damaged control file again from what the segments prove.
//!
//! They prove every batch of the chain from the oldest segment in the folder on. The name of a
//! checkpoint proves that everything up to its position was durable. Damage that recovery finds
//! with this knowledge refuses the repair. Neither proves that nothing was written behind the last
//! batch, nor why older segments are absent: [`Repair::unproven`] says so. No data is removed or
//! changed.

use trunkline_types::{Code, Error, Result};

use super::end::lost;
use super::{Link, Recovery, Replay};
use crate::checkpoint;
use crate::control::{CONTROL_NAME, Control, ControlState, DAMAGED_CONTROL_NAME};
use crate::folder::FIRST_SEGMENT;
use crate::frame::{self, Header};
use crate::lsn::Lsn;
use crate::options::Options;
use crate::scan::Scanner;
use crate::segment::{damaged, length_of, missing, name_of, number_of};
use crate::storage::Storage;
use crate::superblock::{SUPERBLOCK_NAME, Superblock};

/// An opening that wrote nothing left its epoch in the control file alone. The new epoch lies so
/// far above the largest one in the segments, because no epoch may be used twice.
const EPOCH_MARGIN: u64 = 1_000;

/// A control file that was made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What it says.
    pub state: ControlState,
    /// What the lost one knew and nothing else in the folder proves, for people.
    pub unproven: Vec<String>,
}

/// Makes the control file of a folder again if it is missing or damaged; `None` if it is whole.
/// Calls `replay` with every record; an error of it ends the repair before anything is written.
pub fn repair(
    storage: &dyn Storage,
    options: Options,
    replay: Replay<'_>,
) -> Result<Option<Repair>> {
    let options = options.normalized();
    let superblock = Superblock::load(storage)?.ok_or_else(no_superblock)?;
    storage.claim(SUPERBLOCK_NAME)?;
    let seed = frame::seed_of((superblock.key.0, superblock.key.1));
    // Folders of format 1 have none.
    if superblock.version == 1 || is_whole(storage, seed)? {
        return Ok(None);
    }
    let mut recovery = start(storage, &options, &superblock, seed)?;
    let first = recovery.end.segment();
    recovery.replay_all(replay)?;
    recovery.check_end()?;
    recovery.check_checkpoints()?;
    let durable = recovery.position(&superblock);
    let epoch = recovery.newest_epoch()? + EPOCH_MARGIN;
    let state = ControlState { epoch, durable, oldest: first };
    let unproven = recovery.unproven(&state)?;
    recovery.make_control(state)?;
    Ok(Some(Repair { state, unproven }))
}

/// A recovery from the oldest segment in the folder on.
fn start<'a>(
    storage: &'a dyn Storage,
    options: &'a Options,
    superblock: &Superblock,
    seed: u32,
) -> Result<Recovery<'a>> {
    let mut numbers: Vec<u32> = storage.list()?.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    let Some(first) = numbers.first().copied() else { return Err(missing(FIRST_SEGMENT)) };
    if let Some((expected, _)) = (first..).zip(&numbers).find(|(expected, is)| expected != *is) {
        return Err(missing(expected));
    }
    let link = (first == FIRST_SEGMENT).then(|| Link {
        sequence: 0,
        checksum: superblock.first_link(),
        batch_bytes: 0,
    });
    Ok(Recovery {
        storage,
        options,
        seed,
        numbers,
        state: None,
        segments: Vec::new(),
        last: None,
        end: Lsn::new(first, 0),
        link,
        met_durable: false,
    })
}

fn is_whole(storage: &dyn Storage, seed: u32) -> Result<bool> {
    match Control::load(storage, seed) {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Code::CorruptJournal => Ok(false),
        // The disk failed.
        Err(error) => Err(error),
    }
}

fn no_superblock() -> Error {
    Error::new(
        Code::CorruptJournal,
        format!(
            "file {SUPERBLOCK_NAME} is missing, and without its key nothing in the folder can be \
             checked; restore the data folder from a copy"
        ),
    )
}

impl Recovery<'_> {
    /// A checkpoint gets its name when everything up to the position in it is durable.
    fn check_checkpoints(&self) -> Result<()> {
        let names = self.storage.list()?;
        match names.iter().filter_map(|name| checkpoint::parse_name(name)).max() {
            Some(durable) if durable > self.end => {
                Err(damaged(self.end.segment(), self.end.offset(), &lost(durable)))
            }
            _ => Ok(()),
        }
    }

    /// The largest epoch that any header names, also one behind the end.
    fn newest_epoch(&self) -> Result<u64> {
        let mut newest = self.last.map_or(0, |last| last.epoch);
        for number in self.end.segment()..=self.newest() {
            let file = self.open(number)?;
            let length = length_of(number, &*file)?;
            let mut scanner = Scanner::new(&*file, number, length, self.seed, self.options);
            scanner.skip_to(if number == self.end.segment() { self.end.offset() } else { 0 });
            scanner.search_rest(&mut |header| {
                newest = newest.max(header.epoch);
                Ok(())
            })?;
        }
        Ok(newest)
    }

    fn unproven(&self, state: &ControlState) -> Result<Vec<String>> {
        let mut unproven = Vec::new();
        if state.oldest != FIRST_SEGMENT {
            let head = Header::decode(&self.header_bytes(state.oldest, 0)?, self.seed);
            let before = match head.map_or(0, |header| header.sequence) {
                0 => "what was written".to_owned(),
                sequence => format!("the {} batches that were written", sequence - 1),
            };
            let name = name_of(state.oldest);
            unproven.push(format!("whether {before} before {name} were reclaimed, or are lost"));
        }
        let end = state.durable.end;
        unproven.push(format!(
            "whether anything was written behind {end}: a segment that was lost or zeroed as a \
             whole leaves nothing to be found"
        ));
        let epoch = state.epoch;
        unproven.push(format!("how often the folder was opened: the count goes on at {epoch}"));
        Ok(unproven)
    }

    /// Everything that was replayed becomes durable, then the new file gets its name. A damaged one
    /// is kept under another.
    fn make_control(&self, state: ControlState) -> Result<()> {
        self.storage.sync_dir()?;
        self.make_durable()?;
        if self.storage.open(CONTROL_NAME)?.is_some() {
            self.storage.rename(CONTROL_NAME, DAMAGED_CONTROL_NAME)?;
        }
        Control::create(self.storage, self.options, self.seed, state).map(drop)
    }
}
