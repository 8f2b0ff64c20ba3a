//! The structs that C fills in. They grow at their end only, and have no padding that a later field
//! could fall into: so every field is 8 bytes wide.
//!
//! "Unset" is -1 for numbers and NULL for pointers; the INIT macro of the header sets a struct so.

#![allow(unsafe_code)] // Only promises about the layout of the types below.

use std::ffi::c_char;
use std::mem::{offset_of, size_of};

use trunkline_engine::{Code, Durability as Level, Error, Result};

use crate::border::{Growing, Maybe, Text};

// A size of 4 bytes would leave a gap behind it.
const _: () = assert!(usize::BITS == 64, "the C ABI needs 64-bit sizes");

/// The value of a number that is not given.
pub const UNSET: i64 = -1;

/// What "acknowledged" means.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// What the place implies: the disk for a folder, memory without one; for a call, what the
    /// engine was opened with.
    Default = -1,
    /// Applied in memory; the disk follows some time later, if there is a folder.
    Memory = 0,
    /// Written to the operating system: survives the process, not the machine.
    Os = 1,
    /// The disk has it: survives the machine.
    Disk = 2,
}

/// Where a deduplication id has to be unique.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedupScope {
    /// In the whole queue.
    Queue = 0,
    /// In its message group.
    Group = 1,
}

/// How an engine is opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct OpenOptions {
    /// Set by TRUNKLINE_OPEN_OPTIONS_INIT.
    pub size: usize,
    /// 1 to look without changing anything.
    pub read_only: i64,
    /// Makes message ids repeatable; NULL for chance.
    pub seed: Maybe<u64>,
    /// The start of a virtual clock, which moves only by trunkline_advance, in milliseconds since
    /// 1970; unset to follow the system's time.
    pub virtual_start_ms: i64,
    /// 1 if a receive returns only once its leases are as durable as the engine promises, so that
    /// no crash forgets them; unset or 0 if it does not wait for the disk.
    pub durable_receives: i64,
}

/// The rules of a queue. A new queue gets the value named here for a field that is not set.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct QueueOptions {
    /// Set by TRUNKLINE_QUEUE_OPTIONS_INIT.
    pub size: usize,
    /// Delay of messages that bring none of their own: 0 to 15 minutes; 0.
    pub delay_ms: i64,
    /// Age at which a message is dropped: 1 minute to 14 days; 4 days.
    pub retention_ms: i64,
    /// Lease of a receive that names none: 0 to 12 hours; 30 seconds.
    pub visibility_ms: i64,
    /// Wait of a receive that names none: 0 to 20 seconds; 0.
    pub receive_wait_ms: i64,
    /// Largest body with its attributes: 1,024 bytes to 1 MiB; 1 MiB.
    pub message_bytes_max: i64,
    /// FIFO: 1 if the SHA-256 of the body stands in for an absent deduplication id; 0.
    pub content_based_dedup: i64,
    /// FIFO: a trunkline_dedup_scope; the queue.
    pub dedup_scope: i64,
    /// The name of the queue for messages that were delivered too often; none. It exists already
    /// and is of the same kind.
    pub dead_letter: Text,
    /// Deliveries after which a message goes there: 1 to 1,000; given together with dead_letter.
    pub max_receive_count: i64,
}

/// How a message is sent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SendOptions {
    /// Set by TRUNKLINE_SEND_OPTIONS_INIT.
    pub size: usize,
    /// FIFO: the group, required. Standard: the tenant of a fair queue, or NULL.
    pub group: Text,
    /// FIFO: what tells a repeated message from a new one, or NULL where the body does.
    pub dedup_id: Text,
    /// Standard: how long the message stays invisible, instead of the queue's delay.
    pub delay_ms: i64,
    /// A trunkline_durability that is not above the engine's.
    pub durability: i64,
}

/// How messages are received.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ReceiveOptions {
    /// Set by TRUNKLINE_RECEIVE_OPTIONS_INIT.
    pub size: usize,
    /// At most this many messages; 1.
    pub max: i64,
    /// How long the calling thread waits for the first message; what the queue says.
    pub wait_ms: i64,
    /// How long the messages are leased, 0 to 12 hours; what the queue says.
    pub visibility_ms: i64,
    /// FIFO: repeats the receive that first named this id, or NULL.
    pub attempt_id: Text,
}

/// What a rule of faults says beside its verb and its effect.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Fault {
    /// Set by TRUNKLINE_FAULT_INIT.
    pub size: usize,
    /// The name of the queue that it strikes; NULL for all.
    pub queue: Text,
    /// What an error says; "injected".
    pub message: Text,
    /// How long a delay lasts, at most an hour; 0.
    pub delay_ms: i64,
    /// How many calls pass first; 0.
    pub after: i64,
    /// How many calls it strikes; unset for all.
    pub times: i64,
}

/// A message that was accepted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sent {
    /// Set by TRUNKLINE_SENT_INIT.
    pub size: usize,
    /// The id of the message, 36 characters.
    pub message_id: [c_char; 40],
    /// FIFO: 20 digits that grow as text; "" on a standard queue.
    pub sequence_number: [c_char; 24],
    /// 1 if an earlier message stands for this one and nothing was added, else 0.
    pub duplicate: i64,
}

/// How a queue stands.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Statistics {
    /// Set by TRUNKLINE_STATISTICS_INIT.
    pub size: usize,
    /// Messages that a receive may deliver, or that wait behind their group.
    pub visible: u64,
    /// Messages that are leased.
    pub in_flight: u64,
    /// Messages whose delay has not ended.
    pub delayed: u64,
    /// FIFO: groups with a leased message.
    pub groups_in_flight: u64,
    /// The age of the oldest message; -1 if there is none.
    pub oldest_age_ms: i64,
}

macro_rules! growing {
    ($type:ident { $($field:ident: $unset:expr),* $(,)? }) => {
        growing!($type, size_of::<$type>(), { $($field: $unset),* });
    };
    ($type:ident, $first_size:expr, { $($field:ident: $unset:expr),* }) => {
        // SAFETY: `repr(C)`, the size first, and every field 8 bytes wide (or 8-byte multiples of
        // characters) and valid for any bits, so there is no padding.
        unsafe impl Growing for $type {
            const UNSET: Self = Self { size: size_of::<Self>(), $($field: $unset),* };
            const FIRST_SIZE: usize = $first_size;
        }
    };
}

pub(crate) use growing;

growing!(OpenOptions, offset_of!(OpenOptions, durable_receives), {
    read_only: UNSET,
    seed: Maybe::NULL,
    virtual_start_ms: UNSET,
    durable_receives: UNSET
});
growing!(Fault {
    queue: Text::NULL,
    message: Text::NULL,
    delay_ms: UNSET,
    after: UNSET,
    times: UNSET,
});
growing!(QueueOptions {
    delay_ms: UNSET,
    retention_ms: UNSET,
    visibility_ms: UNSET,
    receive_wait_ms: UNSET,
    message_bytes_max: UNSET,
    content_based_dedup: UNSET,
    dedup_scope: UNSET,
    dead_letter: Text::NULL,
    max_receive_count: UNSET,
});
growing!(SendOptions {
    group: Text::NULL,
    dedup_id: Text::NULL,
    delay_ms: UNSET,
    durability: UNSET,
});
growing!(ReceiveOptions {
    max: UNSET,
    wait_ms: UNSET,
    visibility_ms: UNSET,
    attempt_id: Text::NULL,
});
growing!(Sent { message_id: [0; 40], sequence_number: [0; 24], duplicate: 0 });
growing!(Statistics {
    visible: 0,
    in_flight: 0,
    delayed: 0,
    groups_in_flight: 0,
    oldest_age_ms: UNSET,
});

/// A level of durability; `None` for the default.
pub(crate) fn level(number: i64) -> Result<Option<Level>> {
    match number {
        -1 => Ok(None),
        0 => Ok(Some(Level::Memory)),
        1 => Ok(Some(Level::Os)),
        2 => Ok(Some(Level::Disk)),
        _ => Err(Error::new(
            Code::InvalidParameterValue,
            format!(
                "Value {number} for parameter durability is invalid. Reason: Must be a \
                 trunkline_durability."
            ),
        )),
    }
}

/// `text` as C characters with at least one closing NUL; longer texts are cut.
pub(crate) fn characters<const N: usize>(text: &str) -> [c_char; N] {
    let mut characters = [0; N];
    for (place, byte) in characters.iter_mut().zip(text.bytes()).take(N - 1) {
        *place = byte as c_char;
    }
    characters
}
