//! Retained data: the second family of files beside the segments of the journal.
//!
//! A retained log is append-only and kept by age, such as the shard of a stream or an archive. An
//! entry is a record of the journal first, durable with the same ticket as everything else. In
//! bulk, the entries of a log are sealed: written to a file of their own, with a sparse index by
//! sequence and by time and with checksums. Then their journal segments can be reclaimed.
//! Compaction never relocates an entry; expiry deletes whole files; opening reads only the footers.
//!
//! The journal is the truth. A sealed file counts when a record of the journal says that its
//! entries are sealed. So a file that a crash left unfinished or unnamed is a leftover, and a file
//! that the journal names and that is missing or damaged is an error that names it.

mod buffer;
mod copy;
mod file;
pub mod format;
mod loader;
mod log;
mod open_files;
mod reading;
mod record;
mod unsealed;
mod whole;

pub use buffer::ReadBuffer;
pub(crate) use copy::copy_file;
pub(crate) use file::is_file_name;
pub use format::Entry;
pub use loader::RetainedLoader;
pub use log::{LiveBytes, RetainedLog};
pub(crate) use open_files::OpenFiles;
pub use record::RetainedRecord;
pub use unsealed::Location;
