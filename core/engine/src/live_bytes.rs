//! What of the journal is still needed: per segment, how many live things have their location
//! there.
//!
//! Invariant: changed only while the append lock is held (or before the engine is shared), so the
//! counts and the log agree at every record.

use std::collections::BTreeMap;

use trunkline_journal::Lsn;
use trunkline_types::Millis;

#[derive(Default)]
pub(crate) struct LiveBytes {
    segments: BTreeMap<u32, Usage>,
    live_bytes: u64,
}

#[derive(Default, Clone, Copy)]
struct Usage {
    live: u64,
    /// When something was last written there: dedup ids in it matter until the window has passed.
    newest: Millis,
}

impl LiveBytes {
    pub fn add(&mut self, lsn: Lsn, len: u64, now: Millis) {
        let usage = self.segments.entry(lsn.segment()).or_default();
        usage.live += 1;
        usage.newest = usage.newest.max(now);
        self.live_bytes += len;
    }

    pub fn remove(&mut self, lsn: Lsn, len: u64) {
        let usage = self.segments.entry(lsn.segment()).or_default();
        debug_assert!(usage.live > 0, "a location was counted before it was left");
        usage.live = usage.live.saturating_sub(1);
        self.live_bytes = self.live_bytes.saturating_sub(len);
    }

    /// How many live things have their location in `segment`, and when it was last written.
    pub fn usage(&self, segment: u32) -> (u64, Millis) {
        self.segments.get(&segment).map_or((0, 0), |usage| (usage.live, usage.newest))
    }

    pub fn forget(&mut self, segment: u32) {
        self.segments.remove(&segment);
    }

    pub fn total(&self) -> u64 {
        self.live_bytes
    }
}
