//! Options of a journal.

use trunkline_types::IdKey;

use crate::limits;
use crate::mutant::Mutant;

/// Options of a journal. The defaults suit the folder of a running engine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Length of a full-size segment in bytes.
    pub segment_bytes: u32,
    /// Length of the first segment of a new folder in bytes.
    pub segment_bytes_first: u32,
    /// The key of a new folder; random when absent. An existing folder keeps its key.
    pub key: Option<IdKey>,
    /// Unwritten bytes above which [`crate::Journal::wait_for_capacity`] blocks.
    pub unwritten_bytes_max: usize,
    /// Whether threads may be started. Without them the leader creates the next segment, and
    /// [`crate::Journal::notify_when`] commits before it returns: a simulation needs every step in
    /// the same order each time.
    pub background: bool,
    #[cfg(test)]
    pub(crate) mutant: Option<Mutant>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: limits::SEGMENT_BYTES_DEFAULT,
            segment_bytes_first: limits::SEGMENT_BYTES_FIRST,
            key: None,
            unwritten_bytes_max: limits::UNWRITTEN_BYTES_MAX,
            background: true,
            #[cfg(test)]
            mutant: None,
        }
    }
}

impl Options {
    /// The options with every value clamped to its range.
    pub(crate) fn normalized(mut self) -> Self {
        let page = limits::SEGMENT_BYTES_MIN;
        self.segment_bytes =
            self.segment_bytes.clamp(page, limits::SEGMENT_BYTES_MAX).next_multiple_of(page);
        self.segment_bytes_first =
            self.segment_bytes_first.clamp(page, self.segment_bytes).next_multiple_of(page);
        self
    }

    /// Whether this defect is enabled.
    #[inline]
    #[cfg(test)]
    pub(crate) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Whether this defect is enabled: never, outside the tests.
    #[inline]
    #[cfg(not(test))]
    pub(crate) const fn has(&self, _mutant: Mutant) -> bool {
        false
    }
}
