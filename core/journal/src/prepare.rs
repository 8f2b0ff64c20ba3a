//! Creates the file of a segment: zero-filled to its full length, synced and named durably before
//! the first batch is written. So the sync of a batch writes no metadata, and a segment that is too
//! short was cut.

use std::sync::Arc;

use trunkline_types::Result;

use crate::limits;
use crate::mutant::Mutant;
use crate::options::Options;
use crate::recycled;
use crate::segment::{DRAFT_NAME, name_of, open_of_length};
use crate::storage::{File, Storage};

/// A preallocated segment.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) number: u32,
    pub(crate) bytes: u32,
    pub(crate) file: Arc<dyn File>,
}

impl Prepared {
    /// Creates the file of segment `number`: an existing file of the right length, else a
    /// recycled file, else a new one. Its content does not matter, because every batch names its
    /// LSN and its predecessor.
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
        let file = match recycled::take(storage, bytes, &name)? {
            Some(recycled) => recycled,
            None => fill(storage, options, &name, bytes)?,
        };
        // IMPORTANT: without this a crash may lose the name of a file with synced batches.
        if !options.has(Mutant::ForgetSyncDir) {
            storage.sync_dir()?;
        }
        Ok(Prepared { number, bytes, file })
    }
}

/// Zero-fills a draft, so that a segment has its full length from the start.
fn fill(storage: &dyn Storage, options: &Options, name: &str, bytes: u32) -> Result<Arc<dyn File>> {
    let filled = fill_draft(storage, options, bytes);
    if filled.is_err() {
        // Best effort, to free space on a full disk. Recovery removes drafts too.
        let _removed = storage.remove(DRAFT_NAME);
    }
    let file = filled?;
    storage.rename(DRAFT_NAME, name)?;
    Ok(file)
}

fn fill_draft(storage: &dyn Storage, options: &Options, bytes: u32) -> Result<Arc<dyn File>> {
    let file = storage.create(DRAFT_NAME)?;
    let zeros = vec![0u8; limits::COPY_BYTES.min(bytes as usize)];
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
