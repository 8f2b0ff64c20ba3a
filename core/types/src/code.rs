//! The stable names of failures.

macro_rules! codes {
    ($($(#[doc = $doc:expr])* $name:ident),* $(,)?) => {
        /// The stable name of a failure. Names that exist in AWS mean what they mean there.
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $name),* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as it is written in Python and on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => stringify!($name)),* }
            }
        }
    };
}

codes! {
    /// No queue has this name, or the queue behind this handle was removed.
    QueueDoesNotExist,
    /// A queue of this name exists with a different value for an option that was given.
    QueueNameExists,
    /// The name was removed less than 60 seconds ago.
    QueueDeletedRecently,
    /// A purge of this queue ran less than 60 seconds ago.
    PurgeQueueInProgress,
    /// The receipt was not issued by this queue, or is damaged.
    ReceiptHandleIsInvalid,
    /// A value is outside its range or does not fit this kind of queue.
    InvalidParameterValue,
    /// A value that is required is absent.
    MissingParameter,
    /// An attribute of this name does not exist for this queue.
    InvalidAttributeName,
    /// An attribute's value is outside its range.
    InvalidAttributeValue,
    /// The body holds characters that the queue does not accept.
    InvalidMessageContents,
    /// A limit of the limits table is reached.
    OverLimit,
    /// The message is not in flight.
    MessageNotInflight,
    /// The entries of a batch are larger together than allowed.
    BatchRequestTooLong,
    /// A resource named by an argument does not exist.
    ResourceNotFoundException,
    /// A field of a request is invalid.
    ValidationException,
    /// A resource of this name exists, or is being changed.
    ConflictException,
    /// A resource of this name exists with a different value for an option that was given.
    ResourceInUseException,
    /// Another member of the reader has taken the shard over.
    LeaseLost,
    /// No bucket has this name, or the bucket behind this handle was removed.
    NoSuchBucket,
    /// A bucket that is to be removed has objects or versions.
    BucketNotEmpty,
    /// The bucket has no object of this key, or the object no version of this id.
    NoSuchKey,
    /// The upload was completed or aborted, or never began.
    NoSuchUpload,
    /// An upload has no such part, or one that is too small.
    InvalidPart,
    /// An object is not as the condition of a call says.
    PreconditionFailed,
    /// The operation does not apply here.
    UnsupportedOperation,
    /// The engine was closed.
    EngineClosed,
    /// The process was forked after the engine was opened; open a new engine in the child.
    EngineForked,
    /// The engine was opened read-only.
    EngineReadOnly,
    /// An earlier write failed, so nothing more is accepted; reopening replays what is durable.
    EnginePoisoned,
    /// Another process, or another engine of this one, owns the data folder.
    DataFolderInUse,
    /// The data folder cannot be used: missing, not a folder, or without permission.
    DataFolderUnusable,
    /// The disk is full.
    StorageFull,
    /// The disk or the operating system refused an operation.
    StorageFailure,
    /// The folder holds files that are not Trunkline's.
    ForeignFormat,
    /// The folder was written by a newer version of the format.
    NewerFormat,
    /// Bytes that were durable are damaged or missing.
    CorruptJournal,
    /// A fault that was injected on purpose.
    InjectedFault,
    /// A mistake of ours: please report it.
    InternalError,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_name() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
