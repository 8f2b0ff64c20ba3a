//! The journal: a durable, ordered list of records in the files of one folder. It survives crashes
//! and power failures at any moment. It does not interpret records.
//!
//! - `append` copies a record into a buffer and returns its location, an [`Lsn`].
//! - `commit` blocks until the record is written or synced. The first caller becomes the leader and
//!   commits for all (group commit).
//! - `open` replays the records in order. Damage to durable bytes is an error that names the file.
//!
//! `docs/format.md` specifies the bytes.

mod begin_commit;
mod bodies;
pub mod checkpoint;
mod checksum;
mod completion;
mod control;
mod epoch;
mod folder;
pub mod frame;
mod journal;
pub mod limits;
mod lsn;
mod maintenance;
mod mutant;
mod options;
mod poison;
mod prepare;
mod read;
mod recent;
mod reclaim;
mod recovery;
mod recycled;
pub mod retained;
mod scan;
mod segment;
mod shared;
#[cfg(any(test, feature = "simulation"))]
pub mod sim;
mod statistics;
mod storage;
mod superblock;
mod tail;
#[cfg(test)]
mod tests;

pub use bodies::{
    body_checksum, body_draft_name, body_name, copy_bodies, parse_body_draft_name, parse_body_name,
};
pub use completion::Signal;
pub use control::{ControlState, Position, SLOT_BYTES};
pub use journal::{Appender, Journal};
pub use lsn::{Lsn, Ticket};
pub use options::Options;
pub use recovery::{Repair, repair};
pub use segment::Segment;
pub use statistics::JournalStatistics;
pub use storage::{Access, File, FileStorage, MemoryStorage, Storage};
pub use superblock::{FORMAT_VERSION, SUPERBLOCK_BYTES, Superblock, complete, withhold};
