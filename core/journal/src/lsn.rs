//! Locations of records, and tickets for the progress of the journal.

use std::fmt;

/// The log sequence number of a record: its segment and its offset there. It grows with every
/// record.
///
/// Segments count from one, so no record has the LSN zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(u64);

impl Lsn {
    /// The LSN `offset` bytes into `segment`.
    #[inline]
    pub const fn new(segment: u32, offset: u32) -> Self {
        Self((segment as u64) << 32 | offset as u64)
    }

    /// The LSN as one number.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// The LSN that [`Lsn::to_u64`] returned.
    #[inline]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The segment.
    #[inline]
    pub const fn segment(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The offset inside the segment.
    #[inline]
    pub const fn offset(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Debug for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment(), self.offset())
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Stands for everything that was appended before the ticket was issued. Tickets of one journal are
/// ordered; the largest of several stands for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(u64);

impl Ticket {
    /// Stands for nothing: always settled.
    pub const NOTHING: Ticket = Ticket(0);

    /// Stands for the record at `lsn` and for everything that was appended before it.
    #[inline]
    pub const fn of(lsn: Lsn) -> Self {
        Self(lsn.to_u64() + 1)
    }

    #[inline]
    pub(crate) const fn at(end: Lsn) -> Self {
        Self(end.to_u64())
    }

    /// The ticket as one number, for foreign interfaces.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// The ticket that [`Ticket::to_u64`] returned.
    #[inline]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }
}
