//! A message of a topic, and what became of its publish.

use trunkline_journal::Ticket;
use trunkline_types::{MessageId, Seq};

/// A message to be published.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notification<'a> {
    /// Any bytes; text, where a subscription wants an envelope.
    pub body: &'a [u8],
    /// The attribute block; empty for none.
    pub attributes: &'a [u8],
    /// Whether the body is a JSON object with a text for each protocol.
    pub is_structured: bool,
    /// The subject in envelopes.
    pub subject: Option<&'a str>,
    /// FIFO: the group, required. Standard: the tenant, for standard queues.
    pub group: Option<&'a str>,
    /// FIFO: the deduplication id; the SHA-256 of the body stands in where the topic says so.
    pub dedup_id: Option<&'a str>,
    /// Whether no subscription gets it: it is accepted and numbered, and that is all.
    pub is_withheld: bool,
}

/// A message that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// Its id.
    pub message_id: MessageId,
    /// FIFO: its number; a duplicate has that of the message that stands for it.
    pub seq: Option<Seq>,
    /// How many subscriptions it was for.
    pub matched: usize,
    /// How many of their targets took it.
    pub delivered: usize,
    /// Whether an earlier message of the deduplication window stands for it.
    pub duplicate: bool,
    /// To be waited for, if the engine has a journal.
    pub ticket: Option<Ticket>,
}
