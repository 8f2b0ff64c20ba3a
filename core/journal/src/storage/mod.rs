//! Bytes in, bytes durable: the only door to files.
//!
//! The journal writes through these traits, so that a disk can be simulated, and can crash. A
//! storage is one flat folder; names are plain file names.
//!
//! What callers may rely on, and what a simulation may take away in a crash: bytes of a file are
//! durable after `sync_data`; an entry of the folder (a file created, renamed or removed) is
//! durable after `sync_dir`. Anything later may be there, be missing, or be there in parts.

mod file;
mod memory;

use std::fmt;
use std::sync::Arc;

use trunkline_types::Result;

pub(crate) use file::LOCK_NAME;
pub use file::{Access, FileStorage};
pub use memory::MemoryStorage;
#[cfg(any(test, feature = "simulation"))]
pub(crate) use memory::{copy_out, overwrite};

/// A flat folder of files.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Makes an empty file, replacing one of that name.
    fn create(&self, name: &str) -> Result<Arc<dyn File>>;

    /// Opens a file; `None` when there is none of that name.
    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>>;

    /// Gives a file another name, replacing one that has it.
    fn rename(&self, from: &str, to: &str) -> Result<()>;

    /// Removes a file; one that is not there is no error.
    fn remove(&self, name: &str) -> Result<()>;

    /// The names of all files, in no order.
    fn list(&self) -> Result<Vec<String>>;

    /// Makes every creation, renaming and removal so far durable.
    fn sync_dir(&self) -> Result<()>;

    /// Whether writing is refused.
    fn is_read_only(&self) -> bool {
        false
    }

    /// Gives up the exclusive use of the folder. Nothing is written after this.
    fn unlock(&self) {}
}

/// One file. All methods may be called from many threads.
pub trait File: Send + Sync + fmt::Debug {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Reads into `bytes` from `offset`; answers how many, fewer only at the end of the file.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<usize>;

    /// Returns when all bytes written so far, and the length, are durable.
    fn sync_data(&self) -> Result<()>;

    /// The length in bytes.
    fn len(&self) -> Result<u64>;

    /// Whether the file holds nothing.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, bytes: u64) -> Result<()>;
}
