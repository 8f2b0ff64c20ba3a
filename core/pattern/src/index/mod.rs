//! The rule index: keys, snapshots, queries, and the writer that updates them.

pub(crate) mod estimate;
mod event_keys;
pub(crate) mod index_keys;
pub(crate) mod owners;
mod postings;
pub(crate) mod query;
pub(crate) mod snapshot;
pub(crate) mod writer;
