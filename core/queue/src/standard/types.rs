//! The words in which the log is spoken to.

use trunkline_types::{Millis, Seq};

use super::shared_body::SharedBody;

/// Where a message lies, in one use of that slot. Stale places are recognised, never mistaken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlotRef {
    /// The physical slot: the key of its timer entry.
    pub slot: u32,
    /// Which use of the slot.
    pub generation: u32,
}

/// The body of a message that is being stored.
#[derive(Debug, Clone, Copy)]
pub enum NewBody<'a> {
    /// Bytes to keep in memory: the pieces one after the other.
    Inline(&'a [&'a [u8]]),
    /// Bytes in memory that messages of several logs share.
    Shared(&'a SharedBody),
    /// Bytes that lie in the journal.
    At {
        /// Where they lie; below 2^62.
        lsn: u64,
        /// How many they are.
        len: u32,
    },
}

/// The body of a message that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRef<'a> {
    /// Bytes in memory.
    Bytes(&'a [u8]),
    /// Bytes that lie in the journal.
    At {
        /// Where they lie.
        lsn: u64,
        /// How many they are.
        len: u32,
    },
}

/// When a new message is visible, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// At once, to `claim`.
    Ready,
    /// From that time on, to `claim`.
    Delayed(Millis),
    /// At once, to the fair scheduler, which the caller feeds.
    Held,
    /// From that time on, to the fair scheduler.
    HeldAfter(Millis),
}

/// A message that was stored before: recovered, or moved here with its past.
#[derive(Debug, Clone, Copy)]
pub struct Restored<'a> {
    /// Its sequence number, whatever its position becomes.
    pub seq: Seq,
    /// When it was sent.
    pub sent: Millis,
    /// The caller's own bits.
    pub flags: u8,
    /// Its body.
    pub body: NewBody<'a>,
    /// How often it was delivered.
    pub deliveries: u32,
    /// When it was delivered first.
    pub first_received: Option<Millis>,
    /// Where it stands.
    pub state: MessageState,
    /// Belongs to the fair scheduler: when a delay or lease ends it is `Held`, not `Ready`.
    pub fair: bool,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// Visible to `claim`.
    Ready,
    /// Visible to the fair scheduler.
    Held,
    /// Visible from that time on.
    Delayed(Millis),
    /// In flight until that time.
    Leased(Millis),
}

/// What is known of a message without claiming it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Where it lies.
    pub place: SlotRef,
    /// Its sequence number.
    pub seq: Seq,
    /// When it was sent.
    pub sent: Millis,
    /// The caller's own bits.
    pub flags: u8,
    /// How often it was delivered.
    pub deliveries: u32,
    /// When it was delivered first.
    pub first_received: Option<Millis>,
    /// Where it stands. A message that is claimed at this moment shows where it stood before.
    pub state: MessageState,
    /// Belongs to the fair scheduler.
    pub fair: bool,
    /// Where the body lies in the journal, and its length; `None` when it lies in memory.
    pub at: Option<(u64, u32)>,
    /// The length of the body.
    pub len: u32,
}

/// The message was deleted meanwhile, through an older receipt. Nothing is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// What became of a request to change a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extend {
    /// The lease ends at the new time. The caller arms it.
    Changed,
    /// The lease is over and the message visible. One in the fair scheduler has to be pushed there
    /// again.
    Visible,
    /// This delivery's lease is over already, or it was another delivery.
    NotInFlight,
    /// The message is deleted.
    Gone,
}

/// What a timer entry that fell due led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fire {
    /// Nothing to do any more.
    Gone,
    /// Call again at that time; the slot is armed for it.
    Later(Millis),
    /// A delay or a lease ended. One of the fair scheduler has to be pushed there.
    BecameVisible(SlotRef),
    /// The message was visible already.
    Visible(SlotRef),
}

/// How many messages stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Ready or held.
    pub visible: u32,
    /// Leased.
    pub in_flight: u32,
    /// Waiting for their delay.
    pub delayed: u32,
}
