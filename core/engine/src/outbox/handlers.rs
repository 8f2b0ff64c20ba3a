//! Handlers of the embedder: they lease deliveries, as consumers of a queue do, and say how each
//! ended.

use std::sync::Arc;

use trunkline_delivery::Ended;
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, ResourceId, Result};

use super::backlog::LeasedDelivery;
use super::destination::Destination;
use super::settle::AttemptRef;
use super::{CLOSED, Outbox, no_such_destination};

/// The most attempts that are settled before the disk is waited for: a crash repeats them.
const BEHIND_MAX: u32 = 32;

/// A handler that leases from one destination. While one lives, a virtual clock waits for the
/// deliveries that are due there.
pub struct HandlerGuard {
    outbox: Outbox,
    destination: Arc<Destination>,
    /// Its number among the handlers of the destination, see [`Destination::attempts`].
    number: u32,
    /// How many attempts were settled since `settled` was taken.
    behind: AtomicU32,
    /// The ticket of all attempts that were settled before those.
    settled: AtomicU64,
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
        let number = destination.entered.fetch_add(1, Ordering::Relaxed);
        Ok(HandlerGuard {
            outbox: self.clone(),
            destination,
            number,
            behind: AtomicU32::new(0),
            settled: AtomicU64::new(Ticket::NOTHING.to_u64()),
        })
    }

    /// Whether a handler of a destination lives.
    pub fn has_handler(&self, id: ResourceId) -> Result<bool> {
        let destination = self.destination(id).ok_or_else(no_such_destination)?;
        Ok(destination.handlers.load(Ordering::SeqCst) > 0)
    }

    /// Ends the leases of all handlers, before the engine closes: a handler can say no more how its
    /// attempt ended, so the next opening need not wait until the lease is over. No handler gets
    /// another lease.
    pub(crate) fn end_leases(&self) {
        // A forked child shares the parent's folder, and may find a lock that nothing releases.
        if self.host.check_writable().is_err() {
            return;
        }
        self.stage.store(CLOSED, Ordering::Release);
        for destination in self.all_destinations() {
            // A handler that leases at this moment has this lock until its attempts are noted.
            for receipt in lock(&destination.attempts).keys() {
                // One that cannot be released comes back when its lease is over.
                let _kept = destination.backlog.retry_after(receipt, 0);
            }
        }
    }
}

impl HandlerGuard {
    /// Leases up to `max` deliveries that are due. Never waits.
    pub fn lease(&self, max: usize) -> Result<Vec<LeasedDelivery>> {
        let handed_out = &self.destination.handed_out;
        // Counted first, so that a thread that waits for quiet does not look in between.
        let counted = u32::try_from(max).unwrap_or(u32::MAX);
        handed_out.fetch_add(counted, Ordering::SeqCst);
        let (leased, begun) = {
            let mut attempts = lock(&self.destination.attempts);
            let leased = match self.outbox.stage.load(Ordering::Acquire) {
                CLOSED => Err(closed()),
                _ => self.outbox.lease_due(&self.destination, max),
            };
            let before = attempts.len();
            let begun = leased.iter().flatten().map(|delivery| (delivery.receipt, self.number));
            attempts.extend(begun);
            (leased, (attempts.len() - before) as u32)
        };
        handed_out.fetch_sub(counted - begun, Ordering::SeqCst);
        self.outbox.tell_quiet();
        leased
    }

    /// What these deliveries wait for before they go out, if anything: their own records, which
    /// others may have written with theirs already, and attempts that a crash would repeat.
    pub fn behind_what(&self, leased: &[LeasedDelivery]) -> Result<Option<Ticket>> {
        let host = &self.outbox.host;
        let accepted = leased.iter().map(|delivery| delivery.ticket).max();
        let mut awaited = accepted.unwrap_or(Ticket::NOTHING);
        if self.behind.load(Ordering::Relaxed) >= BEHIND_MAX / 2 {
            self.behind.store(0, Ordering::Relaxed);
            let so_far = host.appended().unwrap_or(Ticket::NOTHING).to_u64();
            let before = self.settled.swap(so_far, Ordering::AcqRel);
            awaited = awaited.max(Ticket::from_u64(before));
        }
        let is_over = host.is_settled(awaited, host.durability)?;
        Ok((!is_over).then_some(awaited))
    }

    /// Settles an attempt without waiting for it: the deliveries behind it do, and the journal
    /// writes it within a few milliseconds.
    pub fn settle_behind(&self, attempt: &AttemptRef, ended: &Ended) -> Result<()> {
        self.settle(attempt, ended)?;
        self.behind.fetch_add(1, Ordering::Relaxed);
        self.outbox.host.flush_in_background(self.outbox.host.durability)
    }

    /// Says how an attempt ended. The ticket stands for what was written; without one nothing needs
    /// to be waited for.
    pub fn settle(&self, attempt: &AttemptRef, ended: &Ended) -> Result<Option<Ticket>> {
        let settled = self.outbox.settle(&self.destination, attempt, ended);
        // Counted once: an attempt may be settled twice.
        let begun = lock(&self.destination.attempts).remove(&attempt.receipt);
        if begun.is_some() {
            self.destination.handed_out.fetch_sub(1, Ordering::SeqCst);
        }
        self.outbox.tell_quiet();
        settled
    }

    /// Has a delivery whose attempt has failed tried again now: what it waited for is there. One
    /// that is gone, or that is attempted again, stays as it is.
    pub fn try_again(&self, attempt: &AttemptRef) -> Result<()> {
        self.destination.backlog.retry_after(&attempt.receipt, 0)
    }

    /// The queue of the destination, to wait at.
    pub fn destination(&self) -> ResourceId {
        self.destination.id
    }
}

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        // What it did not answer for comes back when the leases end.
        let unanswered = {
            let mut attempts = lock(&self.destination.attempts);
            let before = attempts.len();
            attempts.retain(|_, handler| *handler != self.number);
            (before - attempts.len()) as u32
        };
        self.destination.handed_out.fetch_sub(unanswered, Ordering::SeqCst);
        self.destination.handlers.fetch_sub(1, Ordering::SeqCst);
        self.outbox.tell_quiet();
    }
}

#[cold]
fn closed() -> Error {
    Error::new(Code::EngineClosed, "The engine is closed. Open it again to use it.")
}
