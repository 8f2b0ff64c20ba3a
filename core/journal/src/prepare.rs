//! Making the file of the next segment: its whole length written with zeros and durable, and its
//! name durable, before the first batch goes there. So a sync of a batch has no metadata to write,
//! and a segment that is shorter than it should be was cut by somebody.

use std::sync::Arc;

use trunkline_types::Result;

use crate::limits;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::segment::{DRAFT_NAME, RECYCLED_NAME, name_of};
use crate::storage::{File, Storage};

/// A segment's file that waits to be written to.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) number: u32,
    pub(crate) bytes: u32,
    pub(crate) file: Arc<dyn File>,
}

impl Prepared {
    /// Makes the file of segment `number`: the one that is there already if its length is right,
    /// else the spare one, else a new one. What is in it means nothing: a frame names its place.
    pub(crate) fn make(
        storage: &dyn Storage,
        options: &Options,
        number: u32,
        bytes: u32,
    ) -> Result<Prepared> {
        let name = name_of(number);
        if let Some(file) = open_of_length(storage, &name, bytes)? {
            return Ok(Prepared { number, bytes, file });
        }
        let file = match open_of_length(storage, RECYCLED_NAME, bytes)? {
            Some(spare) => {
                storage.rename(RECYCLED_NAME, &name)?;
                spare
            }
            None => fill(storage, options, &name, bytes)?,
        };
        // IMPORTANT: without this the name may vanish in a crash, with synced batches behind it.
        if !options.has(Mutant::ForgetSyncDir) {
            storage.sync_dir()?;
        }
        Ok(Prepared { number, bytes, file })
    }
}

fn open_of_length(storage: &dyn Storage, name: &str, bytes: u32) -> Result<Option<Arc<dyn File>>> {
    let Some(file) = storage.open(name)? else { return Ok(None) };
    Ok((file.len()? == u64::from(bytes)).then_some(file))
}

/// Zero-fills a file under another name, so that a segment has its length from the start.
fn fill(storage: &dyn Storage, options: &Options, name: &str, bytes: u32) -> Result<Arc<dyn File>> {
    let filled = fill_draft(storage, options, bytes);
    if filled.is_err() {
        // Best effort, for the sake of others on a full disk; opening removes drafts too.
        let _removed = storage.remove(DRAFT_NAME);
    }
    let file = filled?;
    storage.rename(DRAFT_NAME, name)?;
    Ok(file)
}

fn fill_draft(storage: &dyn Storage, options: &Options, bytes: u32) -> Result<Arc<dyn File>> {
    let file = storage.create(DRAFT_NAME)?;
    let zeros = vec![0u8; limits::BATCH_BYTES_MAX.min(bytes as usize)];
    let mut offset = 0;
    while offset < bytes as usize {
        let count = zeros.len().min(bytes as usize - offset);
        file.write_at(offset as u64, &zeros[..count])?;
        offset += count;
    }
    if !options.has(Mutant::RenameBeforeSync) {
        file.sync_data()?;
    }
    Ok(file)
}
