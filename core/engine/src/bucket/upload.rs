//! Uploads in parts: what has begun and is not complete.

use std::collections::BTreeMap;

use trunkline_host::Location;
use trunkline_types::Millis;

use super::object::{Pairs, Piece};

/// Smallest part but the last, in bytes (AWS: 5 MiB).
pub const PART_BYTES_MIN: u64 = 5 << 20;
/// Largest number of a part (AWS: 10,000).
pub const PART_NUMBER_MAX: u32 = 10_000;

/// An upload in parts.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its number in the bucket.
    pub seq: u64,
    /// The key of the object that it becomes.
    pub key: String,
    /// When it began.
    pub begun: Millis,
    /// What the object will have.
    pub headers: Pairs,
    /// What the object will have.
    pub tags: Pairs,
    /// The parts, by their numbers.
    pub parts: BTreeMap<u32, Part>,
    pub(super) at: Option<Location>,
}

/// A part of an upload.
#[derive(Debug, Clone)]
pub struct Part {
    /// Bytes.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// When it was put.
    pub modified: Millis,
    /// Its checksums, by the names of their headers.
    pub checksums: Pairs,
    pub(super) pieces: Vec<Piece>,
    pub(super) at: Option<Location>,
}
