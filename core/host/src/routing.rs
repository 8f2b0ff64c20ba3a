//! Messages on their way from one resource to another, of whatever kind: deliveries, dead letters
//! and redriven messages.
//!
//! [`Host::deliver`](crate::Host::deliver) finds the target in the directory and hands it the
//! message; the target's [`Resource::accept`](crate::Resource::accept) decides, appends and
//! applies, as its verbs do. Nothing here knows what a target does with a message.
//!
//! A message that moves carries the number it had ([`Move::from`]). The target writes that number
//! into the record that adds the message, so one record takes the message from one resource and
//! adds it to the other: a crash shows it in one of the two.

use std::fmt;

use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, Millis, ResourceId, Result, Seq};

use crate::append::Append;
use crate::payload::Shared;

/// How many resources may hand a message on, one to the next, before it counts as a loop.
pub const HOPS_MAX: u32 = 16;
/// To how many resources that hand a message on one call may bring it, each as often as it comes
/// there: ways that part and meet again multiply.
pub const WAYS_MAX: u32 = 10_000;

/// A message for another resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Routed<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The attribute block; empty for none.
    pub attributes: &'a [u8],
    /// The shared payload that body and attributes come from: a target that can refers to it,
    /// instead of storing a copy.
    pub shared: Option<Shared<'a>>,
    /// The group, for targets that keep order by group.
    pub group: Option<&'a str>,
    /// The deduplication id, for targets that have a deduplication window.
    pub dedup_id: Option<&'a str>,
    /// How long the target keeps the message invisible, instead of its own delay.
    pub delay: Option<Millis>,
    /// What the target takes over, if the message moves there. Without it the message is new.
    pub moved: Option<Move>,
    /// How many resources have handed the message on before.
    pub hops: u32,
    /// What the sender appends in the same step, if anything.
    pub also: Option<&'a dyn Also>,
}

/// What a sender appends in the step in which its target appends the message: that it has sent it.
/// The two records lie together, so a crash leaves both or neither, and the message is sent once.
pub trait Also: fmt::Debug {
    /// The most bytes that [`Also::append`] appends.
    fn bytes(&self) -> usize;

    /// The most records that it appends.
    fn records(&self) -> usize {
        1
    }

    /// Appends the record and applies it, under the append lock and right behind the message.
    fn append(&self, log: &mut Append<'_>);
}

/// A resource that takes part in the step of a sender which delivers to several resources at once
/// ([`Resource::join`](crate::Resource::join)). It is locked by then, as far as it has to be, and
/// its [`Also::append`] appends the messages and unlocks it.
pub trait Joined: Also {
    /// With every lock of the step released: wakes who waits, and says what became of each message.
    fn settle(self: Box<Self>, ticket: Option<Ticket>) -> Vec<Result<Accepted>>;
}

/// Where a message that moves comes from, and what of its past stays with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The resource it leaves, and its number there.
    pub from: (ResourceId, Seq),
    /// From when its age counts.
    pub sent: Millis,
    /// The resource and the number under which it was first sent, if its id stays.
    pub origin: Option<(ResourceId, Seq)>,
    /// The resource that gave it up, if it is a dead letter.
    pub source: Option<ResourceId>,
    /// When it was first sent, where its age begins anew.
    pub first_sent: Option<Millis>,
    /// The deliveries that stay counted.
    pub received: Option<ReceivedBefore>,
}

impl Move {
    /// A move of the message `from` that makes it a new one, sent at `now`.
    pub fn anew(from: (ResourceId, Seq), now: Millis) -> Self {
        Self { from, sent: now, origin: None, source: None, first_sent: None, received: None }
    }
}

/// How a message was delivered by the resources that it came from as a dead letter. Callers are
/// shown the sum of all deliveries; a queue holds its own alone against its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedBefore {
    /// How often.
    pub count: u32,
    /// When for the first time.
    pub first: Millis,
}

/// A message that a target has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The resource that accepted it.
    pub resource: ResourceId,
    /// Its number there.
    pub seq: Seq,
    /// Whether an earlier message stands for it: nothing was added.
    pub duplicate: bool,
    /// To be waited for, if the host has a journal.
    pub ticket: Option<Ticket>,
}

/// The error for a message that comes to resources by too many ways.
#[cold]
pub fn too_many_ways() -> Error {
    Error::new(
        Code::UnsupportedOperation,
        format!(
            "The delivery comes to more than {WAYS_MAX} resources that hand it on, one counted again \
             for each way that leads to it. Let fewer targets lead to the same resource."
        ),
    )
}

/// The error for a message that goes in a circle.
#[cold]
pub fn too_many_hops() -> Error {
    Error::new(
        Code::UnsupportedOperation,
        format!(
            "The delivery was handed on {HOPS_MAX} times, which is the most. If its targets form a \
             loop, remove one that leads back; otherwise make the chain of targets shorter."
        ),
    )
}
