//! Deliberate defects of the journal, one at a time. Mutation tests prove with them that the crash
//! checker finds such defects. Only tests can enable one; elsewhere the check compiles to nothing.

/// A deliberate defect.
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
    /// Recovery accepts records without verifying their checksums.
    SkipChecksum,
    /// Recovery accepts a batch whatever its LSN and its predecessor.
    AcceptStaleFrames,
    /// Recovery does not compare a batch with its predecessor.
    SkipChain,
    /// The durable position is noted before the sync.
    NoteBeforeSync,
    /// Recovery treats what it read as durable without a sync.
    SkipSyncAtRecovery,
    /// Recovery syncs what it read, but does not write it again after a failed sync.
    SkipRewriteAtRecovery,
    /// A checkpoint holds records that are not durable.
    CheckpointBeforeCommit,
    /// A checkpoint gets its name before its bytes are durable.
    SkipCheckpointSync,
    /// Recovery drops the first batch behind a checkpoint.
    DropBehindCheckpoint,
    /// Recovery does not compare a checkpoint with the journal.
    TrustCheckpoint,
    /// A sealed file gets its name before its bytes are durable.
    SkipSealSync,
    /// The journal says that entries are sealed before they are.
    RecordBeforeSeal,
    /// A sealed file is removed before the journal says that it expired.
    ExpireBeforeRecord,
    /// A segment is reclaimed before the records relocated out of it are durable.
    ReclaimEarly,
}
