//! Checkpoints: the state of the journal's user at a position, so that opening replays only what is
//! behind it.
//!
//! A checkpoint is an atomic file that names its position. It holds only what is durable. It never
//! replaces the journal: no segment is reclaimed because of it. So one that is damaged, or belongs
//! to another history of the journal, is named and ignored, and everything is replayed.

pub mod format;
mod load;
mod progress;
mod write;

pub(crate) use load::Loaded;
pub(crate) use progress::Progress;

use trunkline_types::Result;

use crate::lsn::Lsn;

/// Receives the records of a checkpoint one by one.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<()>;

/// The checkpoint in the making.
pub(crate) const DRAFT_NAME: &str = "checkpoint.draft";

const PREFIX: &str = "checkpoint-";

/// The name of the checkpoint at `end`.
pub(crate) fn name_of(end: Lsn) -> String {
    format!("{PREFIX}{:016x}", end.to_u64())
}

/// The position of the checkpoint in the file `name`.
pub(crate) fn parse_name(name: &str) -> Option<Lsn> {
    let number = u64::from_str_radix(name.strip_prefix(PREFIX)?, 16).ok()?;
    let end = Lsn::from_u64(number);
    (name_of(end) == name).then_some(end)
}
