//! What a host needs to carry out the map run of a distributed Map state: items from bytes,
//! batches, and the count of how the items ended.

mod batch;
mod csv;
mod document;
mod failure;
mod inputs;
mod progress;
mod reader;
mod skipped;
#[cfg(test)]
mod tests;

pub use batch::Batcher;
pub use failure::ReaderFailed;
pub use inputs::{ChildInput, ChildInputs};
pub use progress::{Ended, ItemCounts, MapRunProgress};
pub use reader::ItemReader;
