//! Deliberate defects of shared payloads, one at a time. Tests prove with them that the crash
//! checker finds such defects. Without the feature `mutants`, which only tests ask for, the check
//! compiles to nothing.

/// A deliberate defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A payload is appended before the messages that refer to it, so it commits only some.
    PayloadFirst,
    /// Replay keeps messages whose payload was never committed.
    KeepUncommitted,
    /// Replay keeps the deduplication ids of messages that were never committed.
    KeepUncommittedDedup,
    /// The number of a payload that was never committed is given out again.
    ReuseNumber,
    /// The last reference leaves the payload counted as live.
    ForgetRelease,
    /// A message that changes queues takes no reference for the new queue.
    MoveWithoutReference,
    /// Compaction does not append live payloads again.
    ForgetRelocation,
}

#[cfg(feature = "mutants")]
mod enabled {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static PRESENT: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Enables a defect on this thread, or none.
    pub fn enable(mutant: Option<Mutant>) {
        PRESENT.set(mutant);
    }

    pub(super) fn present() -> Option<Mutant> {
        PRESENT.get()
    }
}

#[cfg(feature = "mutants")]
pub use enabled::enable;

/// Whether this defect is enabled on this thread.
#[cfg(feature = "mutants")]
pub fn has(mutant: Mutant) -> bool {
    enabled::present() == Some(mutant)
}

/// No defect is enabled.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn has(_mutant: Mutant) -> bool {
    false
}
