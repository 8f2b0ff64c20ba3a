//! Status codes: the engine's catalogue of errors as numbers that never change their meaning.

use trunkline_engine::Code;

macro_rules! statuses {
    (
        $(#[$attribute:meta])*
        pub enum Status {
            $(#[doc = $ok_doc:expr])* Ok = 0,
            $($(#[doc = $doc:expr])* $name:ident = $number:literal,)*
        }
    ) => {
        $(#[$attribute])*
        pub enum Status {
            $(#[doc = $ok_doc])* Ok = 0,
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Status {
            /// The status of an error.
            pub(crate) fn of(code: Code) -> Self {
                match code {
                    $(Code::$name => Self::$name,)*
                    // A test keeps the list above complete.
                    _ => Self::InternalError,
                }
            }

            /// The name of a status number, with a closing NUL.
            pub(crate) fn name(number: i32) -> &'static str {
                match number {
                    0 => "Ok\0",
                    $($number => concat!(stringify!($name), "\0"),)*
                    _ => "Unknown\0",
                }
            }
        }
    };
}

statuses! {
    /// The outcome of a call: 0, or what went wrong. Numbers keep their meaning for ever, and later
    /// versions add to them.
    #[repr(i32)]
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Status {
        /// The call did what it says.
        Ok = 0,
        /// No queue has this name, or the queue was removed.
        QueueDoesNotExist = 1,
        /// A queue of this name exists with a different value for an option that was given.
        QueueNameExists = 2,
        /// The name was removed less than 60 seconds ago.
        QueueDeletedRecently = 3,
        /// A purge of this queue ran less than 60 seconds ago.
        PurgeQueueInProgress = 4,
        /// The receipt was not issued by this queue, or is damaged.
        ReceiptHandleIsInvalid = 5,
        /// A value is outside its range, does not fit this kind of queue, or is not a handle.
        InvalidParameterValue = 6,
        /// A pointer or a value that is required is absent.
        MissingParameter = 7,
        /// This option does not exist for this kind of queue.
        InvalidAttributeName = 8,
        /// An option's value is outside its range.
        InvalidAttributeValue = 9,
        /// The body holds characters that the queue does not accept.
        InvalidMessageContents = 10,
        /// A limit is reached.
        OverLimit = 11,
        /// The message is not in flight.
        MessageNotInflight = 12,
        /// The entries of a batch are larger together than allowed.
        BatchRequestTooLong = 13,
        /// A resource named by an argument does not exist.
        ResourceNotFoundException = 14,
        /// The operation does not apply here.
        UnsupportedOperation = 15,
        /// The engine was closed.
        EngineClosed = 16,
        /// The process was forked after the engine was opened; open a new engine in the child.
        EngineForked = 17,
        /// The engine was opened read-only.
        EngineReadOnly = 18,
        /// An earlier write failed, so nothing more is accepted; reopening replays what is durable.
        EnginePoisoned = 19,
        /// Another process, or another engine of this one, owns the data folder.
        DataFolderInUse = 20,
        /// The data folder cannot be used: missing, not a folder, or without permission.
        DataFolderUnusable = 21,
        /// The disk is full.
        StorageFull = 22,
        /// The disk or the operating system refused an operation.
        StorageFailure = 23,
        /// The folder holds files that are not Trunkline's.
        ForeignFormat = 24,
        /// The folder was written by a newer version of the format.
        NewerFormat = 25,
        /// Bytes that were durable are damaged or missing.
        CorruptJournal = 26,
        /// A fault that was injected on purpose.
        InjectedFault = 27,
        /// A mistake of ours: please report it.
        InternalError = 28,
        /// A resource of this name exists with a different value for an option that was given.
        ResourceInUseException = 29,
        /// Another member of the reader has taken the shard over.
        LeaseLost = 30,
        /// A field of a request is invalid.
        ValidationException = 31,
        /// A resource of this name exists, or is being changed.
        ConflictException = 32,
        /// No bucket has this name, or the bucket behind this handle was removed.
        NoSuchBucket = 33,
        /// A bucket that is to be removed has objects or versions.
        BucketNotEmpty = 34,
        /// The bucket has no object of this key, or the object no version of this id.
        NoSuchKey = 35,
        /// The upload was completed or aborted, or never began.
        NoSuchUpload = 36,
        /// An upload has no such part, or one that is too small.
        InvalidPart = 37,
        /// An object is not as the condition of a call says.
        PreconditionFailed = 38,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_catalogue_has_a_status_of_its_name() {
        for code in Code::ALL {
            let name = Status::name(Status::of(*code) as i32);
            assert_eq!(name.trim_end_matches('\0'), code.name());
        }
    }
}
