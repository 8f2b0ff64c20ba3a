//! The journal: an ordered list of records on a disk that may fail, or lose its power, at any
//! moment. Knows frames and segments, not what a record means.
//!
//! Appending copies a record into a buffer and gives it a place ([`Lsn`]). Committing waits until
//! a batch of such records is written, or synced: the caller who finds nobody at it does it for
//! all. Opening reads the batches back, in order, and says so when durable bytes are damaged.
//!
//! `docs/format.md` draws the bytes.

mod commit;
mod completion;
mod epoch;
mod folder;
pub mod frame;
mod journal;
pub mod limits;
mod lsn;
mod mutant;
mod options;
mod poison;
mod prepare;
mod read;
mod recovery;
mod release;
mod room;
mod scan;
mod segment;
mod shared;
#[cfg(any(test, feature = "simulation"))]
pub mod sim;
mod storage;
mod superblock;
mod tail;
#[cfg(test)]
mod tests;
mod writer;

pub use completion::Signal;
pub use journal::{Appender, Journal};
pub use lsn::{Lsn, Ticket};
pub use options::Options;
pub use segment::Segment;
pub use storage::{Access, File, FileStorage, MemoryStorage, Storage};
pub use superblock::{FORMAT_VERSION, SUPERBLOCK_BYTES, Superblock, complete, withhold};
