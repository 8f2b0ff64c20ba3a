//! Creates data folders, and refuses folders that are not data folders.

use trunkline_types::{Code, Error, IdKey, Result};

use crate::bodies;
use crate::checkpoint;
use crate::control::{
    CONTROL_DRAFT_NAME, CONTROL_NAME, Control, ControlState, DAMAGED_CONTROL_NAME, Position,
};
use crate::frame;
use crate::limits;
use crate::lsn::Lsn;
use crate::options::Options;
use crate::prepare::Prepared;
use crate::recycled;
use crate::retained;
use crate::segment::{DRAFT_NAME, name_of, number_of};
use crate::storage::{LOCK_NAME, Storage};
use crate::superblock::{
    FORMAT_VERSION, SUPERBLOCK_DRAFT_NAME, SUPERBLOCK_NAME, Superblock, WITHHELD_NAME,
};

/// The number of the first segment of every folder.
pub(crate) const FIRST_SEGMENT: u32 = 1;

/// Reads the superblock; creates the data folder if it is empty.
pub(crate) fn load_or_create(storage: &dyn Storage, options: &Options) -> Result<Superblock> {
    if let Some(superblock) = Superblock::load(storage)? {
        return Ok(superblock);
    }
    let names = storage.list()?;
    refuse_foreign(&names)?;
    refuse_lost_superblock(storage, &names)?;
    if storage.is_read_only() {
        return Err(Error::new(
            Code::DataFolderUnusable,
            "the folder holds no engine yet, so there is nothing to read; open it for writing first",
        ));
    }
    create(storage, options)
}

/// A folder without a superblock becomes a data folder only if it holds no foreign file.
pub(crate) fn refuse_foreign(names: &[String]) -> Result<()> {
    if names.iter().any(|name| name == SUPERBLOCK_NAME) {
        return Ok(());
    }
    match names.iter().find(|name| !is_ours(name) && !is_ignored(name)) {
        None => Ok(()),
        Some(foreign) => Err(Error::new(
            Code::ForeignFormat,
            format!(
                "the folder holds {foreign:?}, which is not Trunkline's; give the path of a data \
                 folder, or of an empty one"
            ),
        )),
    }
}

fn create(storage: &dyn Storage, options: &Options) -> Result<Superblock> {
    recycled::remove_all(storage)?;
    Prepared::make(storage, options, FIRST_SEGMENT, options.segment_bytes_first)?;
    let key = options.key.unwrap_or_else(random_key);
    let superblock =
        Superblock { version: FORMAT_VERSION, key, segment_bytes: options.segment_bytes };
    let start = Position {
        end: Lsn::new(FIRST_SEGMENT, 0),
        sequence: 0,
        checksum: superblock.checksum(),
        batch_bytes: 0,
    };
    let state = ControlState { epoch: 0, durable: start, oldest: FIRST_SEGMENT };
    Control::create(storage, options, frame::seed_of((key.0, key.1)), state)?;
    superblock.store(storage, options)?;
    Ok(superblock)
}

/// The superblock is written last. So a folder without one may have a first segment, but only a
/// blank one.
fn refuse_lost_superblock(storage: &dyn Storage, names: &[String]) -> Result<()> {
    if names.iter().any(|name| name == WITHHELD_NAME) {
        return Err(Error::new(
            Code::CorruptJournal,
            "the folder is a snapshot that was not finished; remove it and take another",
        ));
    }
    for name in names {
        let holds_data = match number_of(name) {
            Some(number) => number != FIRST_SEGMENT || !is_blank(storage, number)?,
            None => is_of_engine(name),
        };
        if holds_data {
            return Err(Error::new(
                Code::CorruptJournal,
                format!(
                    "file {SUPERBLOCK_NAME} is missing although {name} holds data; restore the \
                     data folder from a copy"
                ),
            ));
        }
    }
    Ok(())
}

fn is_blank(storage: &dyn Storage, number: u32) -> Result<bool> {
    let Some(file) = storage.open(&name_of(number))? else { return Ok(true) };
    let mut buffer = vec![0u8; limits::READ_BYTES.min(file.len()? as usize)];
    let mut offset = 0;
    loop {
        let count = file.read_at(offset, &mut buffer)?;
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
        offset += count as u64;
    }
}

fn is_ours(name: &str) -> bool {
    let superblocks = [SUPERBLOCK_NAME, SUPERBLOCK_DRAFT_NAME, WITHHELD_NAME];
    let controls = [CONTROL_NAME, CONTROL_DRAFT_NAME, DAMAGED_CONTROL_NAME];
    let names = [LOCK_NAME, DRAFT_NAME];
    superblocks.contains(&name)
        || controls.contains(&name)
        || names.contains(&name)
        || recycled::is_name(name)
        || number_of(name).is_some()
        || is_of_engine(name)
}

/// Sealed files, bodies and checkpoints, drafts of them included. They come after the superblock.
fn is_of_engine(name: &str) -> bool {
    retained::is_file_name(name)
        || bodies::is_body_name(name)
        || name == checkpoint::DRAFT_NAME
        || checkpoint::parse_name(name).is_some()
}

/// Names that operating systems and version control leave in otherwise empty folders.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name == "lost+found"
}

/// A random key. The standard library seeds its hash maps from the operating system.
fn random_key() -> IdKey {
    use std::hash::{BuildHasher, RandomState};
    let draw = |salt: u64| RandomState::new().hash_one((salt, std::process::id()));
    IdKey(draw(1), draw(2))
}
