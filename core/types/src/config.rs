//! Configuration that crosses the border once, as plain data. Defaults and ranges are policy and
//! live above the border; here are only shapes.

use crate::{Millis, ResourceId};

/// What "acknowledged" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Applied in memory; the journal is written some time later, or there is none.
    Memory,
    /// Written to the operating system's page cache: survives the process, not the machine.
    Os,
    /// `fdatasync` returned: survives the machine.
    Disk,
}

/// Which rules a queue follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueKind {
    /// At-least-once, best-effort order.
    Standard,
    /// Ordered inside a group, deduplicated inside a window.
    Fifo,
}

/// Where a deduplication id has to be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedupScope {
    /// In the whole queue.
    Queue,
    /// In its message group.
    Group,
}

/// Where messages go that were delivered too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue that takes them.
    pub queue: ResourceId,
    /// How often a message is delivered before it goes there.
    pub max_receive_count: u32,
}

/// The rules of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueConfig {
    /// Standard or FIFO; never changes.
    pub kind: QueueKind,
    /// Delay of messages that bring none of their own.
    pub delay: Millis,
    /// Age at which a message is dropped.
    pub retention: Millis,
    /// Lease of a receive that names none.
    pub visibility: Millis,
    /// Wait of a receive that names none (a default for the surfaces; the core never waits by
    /// itself).
    pub receive_wait: Millis,
    /// Largest body plus attributes, in bytes.
    pub message_bytes_max: u32,
    /// FIFO: the SHA-256 of the body stands in for an absent deduplication id.
    pub content_based_dedup: bool,
    /// FIFO: where a deduplication id has to be unique.
    pub dedup_scope: DedupScope,
    /// Where messages go that were delivered too often.
    pub dead_letter: Option<DeadLetter>,
}
