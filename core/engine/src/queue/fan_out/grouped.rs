//! The targets of a fan-out that one record places: standard queues that refer to the shared
//! payload and show it at once.
//!
//! Their slots are reserved first, which gives them their numbers; then the record is appended, and
//! then the slots are published with its location. All of it happens under the append lock, so
//! nothing of the journal comes between.

use std::sync::Arc;

use trunkline_host::{Append, Shared};
use trunkline_queue::Reserved;
use trunkline_types::{Millis, Seq};

use crate::queue::Queue;
use crate::queue::record::{FanOutRecord, FanOutTarget, TARGETS_MAX};
use crate::queue::standard::StandardQueue;

/// Messages whose record is still to be appended.
pub(super) struct Group<'a> {
    record: FanOutRecord,
    reserved: Vec<Placed<'a>>,
}

/// A reserved message.
struct Placed<'a> {
    queue: &'a Arc<Queue>,
    standard: &'a StandardQueue,
    slot: Reserved<'a>,
}

impl<'a> Group<'a> {
    pub fn new(now: Millis) -> Self {
        let record = FanOutRecord { payload: 0, sent: now, renderer: None, targets: Vec::new() };
        Self { record, reserved: Vec::new() }
    }

    /// Adds a message that the queue has accepted; returns its number.
    pub fn add(
        &mut self,
        queue: &'a Arc<Queue>,
        standard: &'a StandardQueue,
        shared: Shared<'_>,
        log: &mut Append<'_>,
    ) -> Seq {
        let renderer = shared.renderer.map(|renderer| renderer.resource);
        let is_full = self.reserved.len() == TARGETS_MAX;
        if is_full || self.record.renderer != renderer {
            self.end(log);
        }
        (self.record.payload, self.record.renderer) = (shared.payload.id(), renderer);
        let slot = standard.reserve_located();
        let seq = slot.seq();
        queue.references.add(seq, shared.payload.clone());
        let variant = shared.renderer.map_or(0, |renderer| renderer.variant);
        self.record.targets.push(FanOutTarget { queue: queue.id, seq, variant });
        self.reserved.push(Placed { queue, standard, slot });
        seq
    }

    /// Appends the record and publishes its messages.
    pub fn end(&mut self, log: &mut Append<'_>) {
        if self.reserved.is_empty() {
            return;
        }
        let sent = self.record.sent;
        if let Some(location) = log.append_live_of(&self.record, self.reserved.len()) {
            for Placed { queue, standard, slot } in self.reserved.drain(..) {
                standard.publish_located(queue, slot, sent, location);
            }
        }
        self.record.targets.clear();
    }
}
