//! Deliberate defects of shared payloads and of steps of the journal. Tests prove with them that
//! the crash checker finds such defects. Without the feature `mutants`, which only tests ask for,
//! the check compiles to nothing.
//!
//! [`commit_between_steps`] is no defect: it stands for the threads that commit at any moment,
//! which a simulation of one thread does not have.

/// A deliberate defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The records of a step may lie in several batches, as if nothing kept them together.
    SplitStep,
    /// What takes part in a step beside its messages is appended in a step of its own.
    ParticipantsApart,
    /// Targets that get a body of their own get it in a step of their own.
    OwnBodiesApart,
    /// A payload is appended before the messages that refer to it, so it commits only some.
    PayloadFirst,
    /// Replay keeps messages whose payload was never committed.
    KeepUncommitted,
    /// Replay keeps the deduplication ids of messages that were never committed.
    KeepUncommittedDedup,
    /// Replay leaves out a queue of a record that places messages in several.
    LoseTarget,
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
    use std::cell::{Cell, RefCell};

    use super::Mutant;

    thread_local! {
        static PRESENT: RefCell<Vec<Mutant>> = const { RefCell::new(Vec::new()) };
        static COMMITS: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// Enables these defects on this thread, and no others.
    pub fn enable(mutants: &[Mutant]) {
        PRESENT.with(|present| *present.borrow_mut() = mutants.to_vec());
    }

    pub(super) fn is_present(mutant: Mutant) -> bool {
        PRESENT.with(|present| present.borrow().contains(&mutant))
    }

    /// Has steps that begin on this thread commit what lies before them, at random moments that
    /// `seed` decides, or never.
    pub fn commit_between_steps(seed: Option<u64>) {
        COMMITS.set(seed.map(|seed| seed | 1));
    }

    pub(crate) fn is_commit_due() -> bool {
        let Some(mut state) = COMMITS.get() else { return false };
        // Xorshift: which moments does not matter, only that a seed repeats them.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        COMMITS.set(Some(state));
        state % 3 == 0
    }
}

#[cfg(feature = "mutants")]
pub(crate) use enabled::is_commit_due;
#[cfg(feature = "mutants")]
pub use enabled::{commit_between_steps, enable};

/// Whether this defect is enabled on this thread.
#[cfg(feature = "mutants")]
pub fn has(mutant: Mutant) -> bool {
    enabled::is_present(mutant)
}

/// No defect is enabled.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn has(_mutant: Mutant) -> bool {
    false
}

/// Whether the step that begins has what lies before it committed.
#[cfg(not(feature = "mutants"))]
#[inline]
pub(crate) const fn is_commit_due() -> bool {
    false
}
