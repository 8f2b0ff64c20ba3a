//! The rules of a queue as AWS sets them.

use trunkline_types::{DedupScope, QueueConfig, QueueKind};

/// The rules of a standard queue as AWS sets them.
pub fn standard_queue() -> QueueConfig {
    QueueConfig {
        kind: QueueKind::Standard,
        delay: 0,
        retention: 345_600_000,
        visibility: 30_000,
        receive_wait: 0,
        message_bytes_max: 1_048_576,
        content_based_dedup: false,
        dedup_scope: DedupScope::Queue,
        dead_letter: None,
    }
}

/// The rules of a FIFO queue as AWS sets them.
pub fn fifo_queue() -> QueueConfig {
    QueueConfig { kind: QueueKind::Fifo, ..standard_queue() }
}
