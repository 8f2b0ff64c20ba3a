//! The rules of a queue as its hot paths read them: one relaxed load each, no lock.
//!
//! A verb that runs while the rules change follows, rule by rule, the old or the new value.

use trunkline_types::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use trunkline_types::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use trunkline_types::{DeadLetter, DedupScope, Millis, QueueConfig, ResourceId};

pub(crate) struct Rules {
    delay: AtomicU64,
    retention: AtomicU64,
    visibility: AtomicU64,
    message_bytes_max: AtomicU32,
    content_based_dedup: AtomicBool,
    dedup_by_group: AtomicBool,
    // Stored before the scope and loaded behind it: who sees the new scope sees this too.
    other_scope_until: AtomicU64,
    // Two halves of one rule: the queue in the upper half, 0 for none; the count in the lower.
    dead_letter: AtomicU64,
}

impl Rules {
    pub fn new(config: &QueueConfig) -> Self {
        let rules = Self {
            delay: AtomicU64::new(0),
            retention: AtomicU64::new(0),
            visibility: AtomicU64::new(0),
            message_bytes_max: AtomicU32::new(0),
            content_based_dedup: AtomicBool::new(false),
            dedup_by_group: AtomicBool::new(false),
            other_scope_until: AtomicU64::new(0),
            dead_letter: AtomicU64::new(0),
        };
        rules.set(config);
        rules
    }

    pub fn set(&self, config: &QueueConfig) {
        self.delay.store(config.delay, Relaxed);
        self.retention.store(config.retention, Relaxed);
        self.visibility.store(config.visibility, Relaxed);
        self.message_bytes_max.store(config.message_bytes_max, Relaxed);
        self.content_based_dedup.store(config.content_based_dedup, Relaxed);
        self.dedup_by_group.store(config.dedup_scope == DedupScope::Group, Release);
        let dead =
            |dead: DeadLetter| u64::from(dead.queue.0) << 32 | u64::from(dead.max_receive_count);
        self.dead_letter.store(config.dead_letter.map_or(0, dead), Relaxed);
    }

    #[inline]
    pub fn delay(&self) -> Millis {
        self.delay.load(Relaxed)
    }

    #[inline]
    pub fn retention(&self) -> Millis {
        self.retention.load(Relaxed)
    }

    #[inline]
    pub fn visibility(&self) -> Millis {
        self.visibility.load(Relaxed)
    }

    #[inline]
    pub fn message_bytes_max(&self) -> usize {
        self.message_bytes_max.load(Relaxed) as usize
    }

    pub fn content_based_dedup(&self) -> bool {
        self.content_based_dedup.load(Relaxed)
    }

    pub fn dedup_by_group(&self) -> bool {
        self.dedup_by_group.load(Acquire)
    }

    /// Until when messages may be remembered under the scope that is not the queue's now.
    pub fn other_scope_until(&self) -> Millis {
        self.other_scope_until.load(Relaxed)
    }

    /// The scope changes, or may have changed: what was sent before is remembered as it was sent.
    pub fn keep_other_scope(&self, until: Millis) {
        self.other_scope_until.fetch_max(until, Relaxed);
    }

    #[inline]
    pub fn dead_letter(&self) -> Option<DeadLetter> {
        match self.dead_letter.load(Relaxed) {
            0 => None,
            both => Some(DeadLetter {
                queue: ResourceId((both >> 32) as u32),
                max_receive_count: both as u32,
            }),
        }
    }
}
