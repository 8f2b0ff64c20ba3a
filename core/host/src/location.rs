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
    /// Where no record lies.
    pub const NOWHERE: Self = Self { lsn: Lsn::from_u64(0), len: 0 };

    /// The segment it lies in.
    pub fn segment(&self) -> u32 {
        self.lsn.segment()
    }
}
