//! The storage interface. The journal reads and writes files only through these traits, so that a
//! disk and its crashes can be simulated. A storage is one flat folder; names are plain file names.
//!
//! Guarantees: bytes of a file are durable after `sync_data`; an entry of the folder (a file
//! created, renamed or removed) is durable after `sync_dir`. A crash may keep later changes as a
//! whole, in parts, or not at all.

mod file;
mod memory;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use trunkline_types::Result;

pub use file::{Access, FileStorage};
pub use memory::MemoryStorage;
#[cfg(any(test, feature = "simulation"))]
pub(crate) use memory::{copy_out, overwrite};

/// The file of a folder that holds the process id of its owner.
pub(crate) const LOCK_NAME: &str = "LOCK";

/// A flat folder of files.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Creates an empty file, replacing one of that name.
    fn create(&self, name: &str) -> Result<Arc<dyn File>>;

    /// Opens a file; `None` when there is none of that name.
    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>>;

    /// Renames a file, replacing one of the new name.
    fn rename(&self, from: &str, to: &str) -> Result<()>;

    /// Removes a file. An absent file is no error.
    fn remove(&self, name: &str) -> Result<()>;

    /// The names of all files, in no order.
    fn list(&self) -> Result<Vec<String>>;

    /// Makes every creation, renaming and removal so far durable.
    fn sync_dir(&self) -> Result<()>;

    /// Where the folder is, if it is one of the file system.
    fn path(&self) -> Option<&Path> {
        None
    }

    /// Whether writes are refused.
    fn is_read_only(&self) -> bool {
        false
    }

    /// Takes ownership of the folder by the file `name`, which exists and stays. Replaces an
    /// earlier claim. `DataFolderInUse` when another owner has it.
    fn claim(&self, _name: &str) -> Result<()> {
        Ok(())
    }

    /// Fails when the claimed file was removed or replaced, or the folder was given up, so that
    /// there may be another owner.
    fn check_claim(&self) -> Result<()> {
        Ok(())
    }

    /// Whether the last opening of a file failed for want of a file descriptor.
    fn lacks_descriptors(&self) -> bool {
        false
    }

    /// Gives up the ownership of the folder. Nothing is written after this.
    fn unlock(&self) {}
}

/// One file. All methods may be called from many threads.
pub trait File: Send + Sync + fmt::Debug {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Reads into `bytes` from `offset`. Returns how many; fewer only at the end of the file.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<usize>;

    /// Makes all bytes written so far, and the length, durable.
    fn sync_data(&self) -> Result<()>;

    /// The length in bytes.
    fn len(&self) -> Result<u64>;

    /// Whether the file holds nothing.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Truncates the file, or extends it with zeros.
    fn set_len(&self, bytes: u64) -> Result<()>;
}
