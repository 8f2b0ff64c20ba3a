//! How a journal stands, for those who watch it.

use trunkline_types::sync::atomic::Ordering;

use crate::journal::Journal;

/// How a journal stands. The counters begin with the opening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JournalStatistics {
    /// Segments there are.
    pub segments: u64,
    /// Bytes in use in them.
    pub bytes: u64,
    /// Bytes that were appended.
    pub appended_bytes: u64,
    /// Bytes that were appended and are not written yet.
    pub unwritten_bytes: u64,
    /// Times that the newest segment was synced.
    pub syncs: u64,
    /// Bytes that an opening would replay, about.
    pub replay_bytes: u64,
    /// The length of the newest checkpoint; 0 if there is none.
    pub checkpoint_bytes: u64,
}

impl Journal {
    /// How the journal stands.
    pub fn statistics(&self) -> JournalStatistics {
        let segments = self.segments();
        let shared = self.shared();
        let appended = shared.bytes_appended.load(Ordering::Relaxed);
        let written = shared.bytes_written.load(Ordering::Relaxed);
        let (replay_bytes, checkpoint_bytes) = self.behind_checkpoint();
        JournalStatistics {
            segments: segments.len() as u64,
            bytes: segments.iter().map(|segment| u64::from(segment.used)).sum(),
            appended_bytes: appended as u64,
            unwritten_bytes: appended.saturating_sub(written) as u64,
            syncs: shared.syncs.load(Ordering::Relaxed) as u64,
            replay_bytes,
            checkpoint_bytes,
        }
    }
}
