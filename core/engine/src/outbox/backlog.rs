//! What the outbox asks of the queue that holds the deliveries of one destination.
//!
//! Kinds of resources never import each other; `router.rs` implements this for the engine's queues.

use std::sync::Arc;

use trunkline_host::Subscription;
use trunkline_journal::{Signal, Ticket};
use trunkline_types::{Millis, Receipt, ResourceId, Result, Seq};

/// One delivery that was leased for an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedDelivery {
    /// Names this attempt.
    pub receipt: Receipt,
    /// What is to be delivered, rendered if its destination says so.
    pub body: Vec<u8>,
    /// The attribute block of the message.
    pub attributes: Vec<u8>,
    /// What the publisher said of the payload, for who renders it.
    pub context: Vec<u8>,
    /// Header lines that the rendering gave it.
    pub headers: Vec<(String, String)>,
    /// The URL of this delivery, if it differs from that of its destination.
    pub url: Option<String>,
    /// The group it was sent with.
    pub group: Option<String>,
    /// Which attempt this is, from one.
    pub attempt: u32,
    /// When the delivery was accepted.
    pub accepted: Millis,
    /// What the id of the delivery is made of.
    pub origin: (ResourceId, Seq),
    /// Stands for the record that it lies in.
    pub ticket: Ticket,
}

/// How many deliveries are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BacklogCounts {
    /// Due now.
    pub due: u64,
    /// Leased for an attempt, or waiting for the next one.
    pub leased: u64,
}

/// The deliveries of one destination: a queue.
pub trait Backlog: Send + Sync {
    /// Leases up to `max` deliveries that are due, until `lease` from now.
    fn lease(
        &self,
        max: usize,
        lease: Millis,
        sink: &mut dyn FnMut(LeasedDelivery),
    ) -> Result<usize>;

    /// Removes a delivery.
    fn delete(&self, receipt: &Receipt) -> Result<Option<Ticket>>;

    /// Makes a delivery due `delay` from now. A delivery that is gone is a success.
    fn retry_after(&self, receipt: &Receipt, delay: Millis) -> Result<()>;

    /// Moves a delivery to the resource `target` in one step, with these text attributes added;
    /// false when there is no such resource, or the disk is full.
    fn dead_letter(
        &self,
        receipt: &Receipt,
        target: ResourceId,
        attributes: &[(&str, String)],
    ) -> Result<bool>;

    /// Has `signal` called for every delivery that is accepted from another resource.
    fn listen(&self, signal: Arc<dyn Signal>);

    /// Asks for one call of `signal` when a delivery may be due.
    fn subscribe(self: Arc<Self>, signal: Arc<dyn Signal>) -> Subscription;

    /// How many deliveries there are.
    fn counts(&self) -> BacklogCounts;
}
