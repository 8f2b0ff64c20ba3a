//! Every bound of the journal, with its reason.

/// Smallest file of a segment, and the unit file lengths are rounded to: one page.
pub const SEGMENT_BYTES_MIN: u32 = 4_096;

/// Length of the first segment of a folder. Small, because it is zero-filled while somebody waits
/// for `open`; each later one is twice as long, up to the length asked for.
pub const SEGMENT_BYTES_FIRST: u32 = 1 << 20;

/// Length of a full-grown segment unless asked for otherwise: long enough that a change of
/// segments is rare, short enough that cleaning works in small steps.
pub const SEGMENT_BYTES_DEFAULT: u32 = 64 << 20;

/// Largest length a segment may be asked for; larger ones are made for a giant record only.
pub const SEGMENT_BYTES_MAX: u32 = 1 << 30;

/// Longest payload of one record: keeps every offset inside a segment well below 32 bits.
pub const RECORD_BYTES_MAX: usize = 1 << 30;

/// A batch is closed when it would grow beyond this, unless it holds a single record. The time of
/// a sync grows with the bytes from about here on, and a torn batch is lost as a whole.
pub const BATCH_BYTES_MAX: usize = 1 << 20;

/// Bytes that may wait to be written before writers are held back.
pub const UNWRITTEN_BYTES_MAX: usize = 8 << 20;

/// Buffers larger than this are given back to the allocator after a giant batch.
pub const BUFFER_KEPT_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX;

/// Bytes read at once when a segment is replayed or searched.
pub const READ_BYTES: usize = 2 << 20;

/// Open files of older segments kept for reading: a deep backlog must not eat the descriptors of
/// the process that we live in.
pub const OPEN_FILES_MAX: usize = 64;

/// How often a leader gives up its time slice for the followers of the last batch to append
/// again. Waking a thread costs 2 to 5 us, a sync about 90.
pub const COMMIT_DELAY_YIELDS_MAX: u32 = 24;

/// How long something that nobody waits for may stay unwritten, in milliseconds: what a crash of
/// the process can cost there. Long enough that a busy engine writes it in large pieces.
pub const BACKGROUND_FLUSH_MILLIS: u64 = 5;
