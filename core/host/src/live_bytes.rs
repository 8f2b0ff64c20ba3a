//! The part of the journal that is still needed: how many live records each segment has.
//!
//! Invariant: changed only while the append lock is held (or before the engine is shared), so the
//! counts and the log agree at every record.

use std::collections::BTreeMap;

use trunkline_types::Millis;

use crate::location::Location;

#[derive(Default)]
/// The live records of each segment.
pub struct LiveBytes {
    segments: BTreeMap<u32, Usage>,
    live_bytes: u64,
}

#[derive(Default, Clone, Copy)]
pub(crate) struct Usage {
    /// Records that live there.
    pub live: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When something was last written there: dedup ids in it matter until the window has passed.
    pub newest: Millis,
}

impl LiveBytes {
    /// A record lives there that was written, or may be taken to have been written, at `at`.
    pub fn add(&mut self, location: Location, at: Millis) {
        let usage = self.segments.entry(location.segment()).or_default();
        usage.live += 1;
        usage.bytes += u64::from(location.len);
        usage.newest = usage.newest.max(at);
        self.live_bytes += u64::from(location.len);
    }

    /// A fact lies there that is needed for some time from `at` on, though it is not counted.
    pub fn note(&mut self, segment: u32, at: Millis) {
        let usage = self.segments.entry(segment).or_default();
        usage.newest = usage.newest.max(at);
    }

    /// Adds what was counted apart.
    pub fn add_count(&mut self, mut count: LiveCount) {
        count.end_run();
        for (segment, usage) in std::mem::take(&mut count.counted.segments) {
            self.add_all(segment, usage);
        }
    }

    /// Adds the records of one segment at once.
    fn add_all(&mut self, segment: u32, count: Usage) {
        let usage = self.segments.entry(segment).or_default();
        usage.live += count.live;
        usage.bytes += count.bytes;
        usage.newest = usage.newest.max(count.newest);
        self.live_bytes += count.bytes;
    }

    pub(crate) fn remove(&mut self, location: Location) {
        let usage = self.segments.entry(location.segment()).or_default();
        debug_assert!(usage.live > 0, "a location was counted before it was released");
        usage.live = usage.live.saturating_sub(1);
        usage.bytes = usage.bytes.saturating_sub(u64::from(location.len));
        self.live_bytes = self.live_bytes.saturating_sub(u64::from(location.len));
    }

    /// What lives in `segment`, and when it was last written.
    pub(crate) fn usage(&self, segment: u32) -> Usage {
        self.segments.get(&segment).copied().unwrap_or_default()
    }

    pub(crate) fn forget(&mut self, segment: u32) {
        self.segments.remove(&segment);
    }

    /// The bytes of all live records.
    pub fn total(&self) -> u64 {
        self.live_bytes
    }
}

/// Counts the live records of one resource at opening. Neighbours usually lie in the same segment,
/// so they are counted together.
#[derive(Default)]
pub struct LiveCount {
    counted: LiveBytes,
    segment: u32,
    usage: Usage,
}

impl LiveCount {
    /// See [`LiveBytes::add`].
    #[inline]
    pub fn add(&mut self, location: Location, at: Millis) {
        if location.segment() != self.segment {
            self.end_run();
            self.segment = location.segment();
        }
        self.usage.live += 1;
        self.usage.bytes += u64::from(location.len);
        self.usage.newest = self.usage.newest.max(at);
    }

    fn end_run(&mut self) {
        let usage = std::mem::take(&mut self.usage);
        if usage.live > 0 {
            self.counted.add_all(self.segment, usage);
        }
    }
}
