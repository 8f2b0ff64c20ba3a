//! Where a record lies.

use trunkline_journal::Lsn;

/// Where a record lies in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Its log sequence number.
    pub lsn: Lsn,
    /// Its length in bytes.
    pub len: u32,
}

impl Location {
    /// The segment it lies in.
    pub fn segment(&self) -> u32 {
        self.lsn.segment()
    }
}
