//! The recycled files: reclaimed segments that become later ones, so that these need no zeros.
//! Several, because segments are reclaimed in bursts: the file of a log that is sealed lets a few
//! go at once, and each of them that is kept saves its length in writes.

use std::sync::Arc;

use trunkline_types::Result;

use crate::limits;
use crate::segment::open_of_length;
use crate::storage::{File, Storage};

/// Their names. The content of the files does not matter.
const NAMES: [&str; 8] =
    ["spare", "spare-2", "spare-3", "spare-4", "spare-5", "spare-6", "spare-7", "spare-8"];

/// Whether `name` is that of a recycled file.
pub(crate) fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Renames a recycled file of `bytes` to `name`; `None` if there is none. One of another length is
/// removed: the lengths of segments change only until the journal has found its size.
pub(crate) fn take(storage: &dyn Storage, bytes: u32, name: &str) -> Result<Option<Arc<dyn File>>> {
    for recycled in NAMES {
        match open_of_length(storage, recycled, bytes)? {
            Some(file) => {
                storage.rename(recycled, name)?;
                return Ok(Some(file));
            }
            None => storage.remove(recycled)?,
        }
    }
    Ok(None)
}

/// Keeps the file `name` of `bytes` as a recycled one; removes it if there are enough. The caller
/// syncs the folder.
pub(crate) fn keep(storage: &dyn Storage, name: &str, bytes: u32) -> Result<()> {
    let most = (limits::RECYCLED_BYTES_MAX / bytes).max(1) as usize;
    for recycled in NAMES.iter().take(most) {
        if storage.open(recycled)?.is_none() {
            return storage.rename(name, recycled);
        }
    }
    storage.remove(name)
}

/// Removes every recycled file.
pub(crate) fn remove_all(storage: &dyn Storage) -> Result<()> {
    NAMES.iter().try_for_each(|name| storage.remove(name))
}
