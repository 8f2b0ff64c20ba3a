//! Deliberate defects of the journal, one at a time, to prove that the crash checker would find
//! them. Only tests can switch one on; everywhere else the question is answered at compile time.

/// A way in which a journal could be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code))]
pub(crate) enum Mutant {
    /// A commit to disk does not sync.
    SkipSync,
    /// A commit to disk is acknowledged, then synced.
    AckBeforeSync,
    /// The old segment is not synced before the next one is written.
    SkipSyncAtRotation,
    /// Files get their final name before their bytes are durable.
    RenameBeforeSync,
    /// Changed names are not made durable.
    ForgetSyncDir,
    /// Recovery believes records without looking at checksums.
    SkipChecksum,
    /// Recovery takes a frame for good wherever it was written for.
    AcceptStaleFrames,
    /// Frames behind a torn one are left where they are.
    KeepTornTail,
    /// What recovery read is taken for durable without a sync.
    SkipSyncAtRecovery,
    /// Recovery syncs what it read, but does not write it again after a failed sync.
    SkipRewriteAtRecovery,
    /// A segment is given up before what was carried out of it is durable.
    ReclaimEarly,
}
