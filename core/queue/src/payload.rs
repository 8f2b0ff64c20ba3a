//! Where the content of a message is.

/// The content of a message: bytes in memory, or the place of its record in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A memory engine holds the bytes.
    Bytes(Box<[u8]>),
    /// An engine on disk holds only the place.
    At {
        /// The log sequence number of the record.
        lsn: u64,
        /// The record's length in bytes.
        len: u32,
    },
}
