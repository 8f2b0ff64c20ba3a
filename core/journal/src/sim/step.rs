//! The operations of a simulated disk, in the order in which they are recorded.

/// The number of a file, in the order of creation.
pub(super) type FileId = usize;

/// One operation, as far as a crash may undo it.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Create { id: FileId, name: String },
    Write { id: FileId, offset: u64, bytes: Vec<u8> },
    SetLen { id: FileId, bytes: u64 },
    Sync { id: FileId },
    FailedSync { id: FileId },
    Rename { id: FileId, from: String, to: String },
    Remove { id: FileId, name: String },
    SyncDir,
}
