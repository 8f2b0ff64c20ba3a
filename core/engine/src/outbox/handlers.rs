//! Handlers of the embedder: they lease deliveries, as consumers of a queue do, and say how each
//! ended.

use std::collections::HashSet;
use std::sync::Arc;

use trunkline_delivery::Ended;
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Receipt, ResourceId, Result};

use super::backlog::LeasedDelivery;
use super::destination::Destination;
use super::settle::AttemptRef;
use super::{Outbox, no_such_destination};

/// A handler that leases from one destination. While one lives, a virtual clock waits for the
/// deliveries that are due there.
pub struct HandlerGuard {
    outbox: Outbox,
    destination: Arc<Destination>,
    /// The attempts that this handler has, and has not answered for. Each is one of
    /// [`Destination::handed_out`].
    attempts: Mutex<HashSet<Receipt>>,
}

impl Outbox {
    /// Announces a handler of a destination.
    pub fn enter_handler(&self, id: ResourceId) -> Result<HandlerGuard> {
        let destination = self.destination(id).ok_or_else(no_such_destination)?;
        if destination.is_attempted_here() {
            return Err(Error::new(
                Code::UnsupportedOperation,
                "Deliveries of this destination are sent over HTTP; no handler can lease them.",
            ));
        }
        destination.handlers.fetch_add(1, Ordering::SeqCst);
        Ok(HandlerGuard { outbox: self.clone(), destination, attempts: Mutex::default() })
    }
}

impl HandlerGuard {
    /// Leases up to `max` deliveries that are due. Never waits.
    pub fn lease(&self, max: usize) -> Result<Vec<LeasedDelivery>> {
        let handed_out = &self.destination.handed_out;
        // Counted first, so that nobody who waits for quiet looks in between.
        let counted = u32::try_from(max).unwrap_or(u32::MAX);
        handed_out.fetch_add(counted, Ordering::SeqCst);
        let leased = self.outbox.lease_due(&self.destination, max);
        let begun = {
            let mut attempts = lock(&self.attempts);
            let before = attempts.len();
            attempts.extend(leased.iter().flatten().map(|delivery| delivery.receipt));
            (attempts.len() - before) as u32
        };
        handed_out.fetch_sub(counted - begun, Ordering::SeqCst);
        self.outbox.tell_quiet();
        leased
    }

    /// Says how an attempt ended. The ticket stands for what was written; without one nothing needs
    /// to be waited for.
    pub fn settle(&self, attempt: &AttemptRef, ended: &Ended) -> Result<Option<Ticket>> {
        let settled = self.outbox.settle(&self.destination, attempt, ended);
        // Counted once: an attempt may be settled twice.
        if lock(&self.attempts).remove(&attempt.receipt) {
            self.destination.handed_out.fetch_sub(1, Ordering::SeqCst);
        }
        self.outbox.tell_quiet();
        settled
    }

    /// The queue of the destination, to wait at.
    pub fn destination(&self) -> ResourceId {
        self.destination.id
    }
}

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        // What it did not answer for comes back when the leases end.
        let unanswered = lock(&self.attempts).len() as u32;
        self.destination.handed_out.fetch_sub(unanswered, Ordering::SeqCst);
        self.destination.handlers.fetch_sub(1, Ordering::SeqCst);
        self.outbox.tell_quiet();
    }
}
