//! Where a record lies, and how far the journal has come.

use std::fmt;

/// The place of a record: its segment and its offset there. Later records have larger ones.
///
/// Segments count from one, so no record ever has the place zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(u64);

impl Lsn {
    /// The place `offset` bytes into `segment`.
    #[inline]
    pub const fn new(segment: u32, offset: u32) -> Self {
        Self((segment as u64) << 32 | offset as u64)
    }

    /// The place as one number, to be kept somewhere.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// The place that [`Lsn::to_u64`] gave.
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

/// What has to be settled: everything that was appended before the ticket was handed out.
/// Tickets of one journal are ordered; the largest of several stands for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(u64);

impl Ticket {
    /// Nothing at all: always settled.
    pub const NOTHING: Ticket = Ticket(0);

    #[inline]
    pub(crate) const fn at(end: Lsn) -> Self {
        Self(end.to_u64())
    }

    /// The ticket as one number, to be passed through a foreign interface.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// The ticket that [`Ticket::to_u64`] gave.
    #[inline]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }
}
