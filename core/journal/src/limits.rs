//! Every bound of the journal, with its reason.

use std::time::Duration;

/// Smallest file of a segment, and the unit file lengths are rounded to: one page.
pub const SEGMENT_BYTES_MIN: u32 = 4_096;

/// Length of the first segment of a folder. Small, because `open` waits while it is zero-filled.
/// Each later segment has twice the length of the one before, up to `Options::segment_bytes`, but
/// see [`SEGMENT_BYTES_PASSING`].
pub const SEGMENT_BYTES_FIRST: u32 = 1 << 20;

/// A segment becomes longer than this only while the journal holds more than `SEGMENTS_FEW`: what
/// it keeps decides, not what passes through it. Else a journal whose records soon go would fill
/// several times their bytes with zeros. A log that is sealed a moment late leaves five or six.
pub const SEGMENT_BYTES_PASSING: u32 = 16 << 20;
/// See [`SEGMENT_BYTES_PASSING`].
pub const SEGMENTS_FEW: u32 = 8;

/// Bytes of recycled files that are kept, but for a single longer one: as many segments as a log
/// that is sealed late lets go at once.
pub const RECYCLED_BYTES_MAX: u32 = SEGMENTS_FEW * SEGMENT_BYTES_PASSING;

/// Default length of a full-size segment: long enough that rotations are rare, short enough that
/// compaction works in small steps.
pub const SEGMENT_BYTES_DEFAULT: u32 = 64 << 20;

/// Largest value of `Options::segment_bytes`. A giant record may get a longer segment.
pub const SEGMENT_BYTES_MAX: u32 = 1 << 30;

/// Longest payload of one record: keeps every offset inside a segment well below 32 bits.
pub const RECORD_BYTES_MAX: usize = 1 << 30;

/// A batch is closed when it would grow beyond this, unless it holds a single record. A torn batch
/// is lost as a whole, and replicated logs carry entries of about this size.
pub const BATCH_BYTES_MAX: usize = 512 << 10;

/// Unwritten bytes from which on `wait_for_capacity` blocks.
pub const UNWRITTEN_BYTES_MAX: usize = 8 << 20;

/// Larger buffers are freed after a giant batch.
pub const BUFFER_KEPT_BYTES_MAX: usize = 4 * BATCH_BYTES_MAX;

/// Buffers of written batches that a journal with retained logs keeps in memory: what a reader at
/// the tail of a stream reads without a system call. Eight full batches.
pub const RECENT_BYTES_MAX: usize = 8 * BATCH_BYTES_MAX;

/// Bytes of the journal that a reader of a retained log reads at once at first, and at most. It
/// doubles them from read to read, so that a read of one record stays short.
pub const READ_AHEAD_BYTES_MIN: usize = 8 << 10;
/// See [`READ_AHEAD_BYTES_MIN`].
pub const READ_AHEAD_BYTES_MAX: usize = 256 << 10;

/// Bytes of other records between two entries of a log that are read along: cheaper than one more
/// system call.
pub const READ_AHEAD_GAP: usize = 8 << 10;

/// Bytes of a sealed file that are read at once at most, but for a single longer block. What was
/// read still lies in the processor's cache when it is checked.
pub const SEALED_READ_BYTES_MAX: usize = 256 << 10;

/// Buffers of sealed files that are kept for the next read: those of one batch of 2,000 records of
/// 1 KiB, and some more.
pub const SEALED_BUFFERS_KEPT: usize = 12;

/// Bytes that are zero-filled or copied at once.
pub const COPY_BYTES: usize = 1 << 20;

/// A checkpoint is synced after this many bytes, so that the syncs of the journal beside it stay
/// short.
pub const CHECKPOINT_SYNC_BYTES: usize = 8 << 20;

/// Bytes read at once when a segment is scanned.
pub const READ_BYTES: usize = 2 << 20;

/// Open files of older segments kept for reading, and as many sealed files. Bounded, because the
/// host process shares its descriptors with the journal.
pub const OPEN_FILES_MAX: usize = 64;

/// How often a leader yields before a sync, so that the waiters of the last batch can append again.
/// Waking a thread costs 2 to 5 us, a sync about 90.
pub const COMMIT_DELAY_YIELDS_MAX: u32 = 24;

/// Delay of a background flush in milliseconds. A crash of the process loses at most the unawaited
/// writes of this time; a busy engine writes them in large pieces.
pub const BACKGROUND_FLUSH_MILLIS: u64 = 5;

/// How long the leader waits for a free file descriptor before it fails, and how often it tries.
pub const DESCRIPTOR_WAIT: Duration = Duration::from_secs(30);
/// See [`DESCRIPTOR_WAIT`].
pub const DESCRIPTOR_RETRY: Duration = Duration::from_millis(5);
