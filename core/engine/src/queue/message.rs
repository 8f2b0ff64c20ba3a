//! What goes into a queue and what comes out of it.

use trunkline_journal::{Lsn, Ticket};
use trunkline_types::{IdKey, MessageId, Millis, Receipt, ResourceId, Seq};

/// A message to be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outgoing<'a> {
    /// Any bytes.
    pub body: &'a [u8],
    /// The attribute block (see [`crate::attributes`]); empty for none.
    pub attributes: &'a [u8],
    /// FIFO: the group, required. Standard: the tenant of a fair queue.
    pub group: Option<&'a str>,
    /// FIFO: the deduplication id; the SHA-256 of the body stands in where the queue says so.
    pub dedup_id: Option<&'a str>,
    /// Standard: how long the message stays invisible, instead of the queue's own delay.
    pub delay: Option<Millis>,
}

/// A message that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The queue that accepted it.
    pub queue: ResourceId,
    /// Its number there.
    pub seq: Seq,
    /// Whether an earlier message of the dedup window stands for it: nothing was added.
    pub duplicate: bool,
    /// To be waited for, if the engine has a journal.
    pub ticket: Option<Ticket>,
}

impl Sent {
    /// The message's id.
    pub fn message_id(&self, key: IdKey) -> MessageId {
        key.message_id(self.queue, self.seq)
    }
}

/// A FIFO sequence number as callers see it: 20 digits, increasing as text and as a number.
pub fn sequence_number(seq: Seq) -> String {
    // The leading digits keep the number at 20 digits for ever, as AWS's are.
    const BASE: u128 = 18_840_000_000_000_000_000;
    (BASE + u128::from(seq)).to_string()
}

/// How to receive.
#[derive(Debug, Clone, Copy)]
pub struct Receive<'a> {
    /// At most this many messages.
    pub max: usize,
    /// The lease, instead of the queue's own; zero delivers without a lease.
    pub visibility: Option<Millis>,
    /// FIFO: repeats the receive that first named it.
    pub attempt_id: Option<&'a str>,
    /// How long the caller waits when there is nothing, instead of the queue's own time. A receive
    /// never waits by itself; but at the limit of messages in flight one of a caller that waits
    /// finds nothing, where any other fails with `OverLimit`.
    pub wait: Option<Millis>,
}

impl Default for Receive<'_> {
    fn default() -> Self {
        Self { max: 1, visibility: None, attempt_id: None, wait: None }
    }
}

/// What a receive came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// How many messages were handed out.
    pub count: usize,
    /// What the caller waits for before it hands them on: only in an engine whose receives are
    /// durable ([`crate::OpenOptions::durable_receives`]).
    pub ticket: Option<Ticket>,
}

/// A message that is delivered, borrowed for the time of the sink's call.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The body as it was sent.
    pub body: &'a [u8],
    /// Names this delivery; `receipt.delivery` counts the deliveries of this queue.
    pub receipt: Receipt,
    /// Which delivery of the message this is, those of earlier queues included.
    pub receive_count: u32,
    /// When the message was first sent.
    pub sent: Millis,
    /// When the message was first received.
    pub first_received: Millis,
    /// Where it was first sent: what its id is made of.
    pub origin: (ResourceId, Seq),
    /// Its number in this queue.
    pub seq: Seq,
    /// The group it was sent with.
    pub group: Option<&'a str>,
    /// The deduplication id it was sent with, or the hash that stood in for it.
    pub dedup_id: Option<&'a str>,
    /// The attribute block.
    pub attributes: &'a [u8],
    /// What the publisher of a fan-out says of its payload; empty for other messages.
    pub context: &'a [u8],
    /// The queue that gave the message up, if this is a dead letter.
    pub dead_letter_source: Option<ResourceId>,
    /// Where its record lies; zero without a journal.
    pub lsn: Lsn,
    /// Peek only: whether the message is leased.
    pub in_flight: bool,
}

impl Delivery<'_> {
    /// The message's id.
    pub fn message_id(&self, key: IdKey) -> MessageId {
        key.message_id(self.origin.0, self.origin.1)
    }
}

/// How a queue stands. Exact when no verb runs at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages that a receive may deliver (FIFO: also those that wait behind their group).
    pub visible: u64,
    /// Messages that are leased.
    pub in_flight: u64,
    /// Messages whose delay has not ended.
    pub delayed: u64,
    /// When the oldest message was sent.
    pub oldest_sent: Option<Millis>,
    /// FIFO: groups with a leased message.
    pub groups_in_flight: u64,
    /// The engine's time at which this holds.
    pub at: Millis,
}
