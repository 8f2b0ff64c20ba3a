//! Carries out what the rules of `trunkline-delivery` decide of a delivery: delete it, hide it
//! until its next attempt, or give it up.

use trunkline_delivery::{Ended, GiveUp, Verdict, after_attempt, before_attempt};
use trunkline_host::{Content, Rendered};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::lock;
use trunkline_types::{Durability, Millis, Receipt, Result};

use super::Outbox;
use super::backlog::LeasedDelivery;
use super::config::{DestinationConfig, Transport};
use super::destination::Destination;
use super::failures::FailedDelivery;

/// What the end of an attempt needs to know of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptRef {
    /// Names the attempt.
    pub receipt: Receipt,
    /// Which attempt it was, from one.
    pub attempt: u32,
    /// When the delivery was accepted.
    pub accepted: Millis,
}

impl From<&LeasedDelivery> for AttemptRef {
    fn from(leased: &LeasedDelivery) -> Self {
        Self { receipt: leased.receipt, attempt: leased.attempt, accepted: leased.accepted }
    }
}

/// A delivery whose every way out is closed for the moment is looked at again after this long: its
/// dead-letter queue is gone or the disk is full.
const STUCK_DELAY: Millis = 30_000;

impl Outbox {
    /// Leases up to `max` deliveries that may be attempted. Those that may not are given up on the
    /// way.
    pub(super) fn lease_due(
        &self,
        destination: &Destination,
        max: usize,
    ) -> Result<Vec<LeasedDelivery>> {
        let mut leased = Vec::new();
        loop {
            let wanted = max - leased.len();
            match self.lease_once(destination, wanted, &mut leased) {
                Ok(found) if found == wanted && leased.len() < max => {}
                Err(error) if leased.is_empty() => return Err(error),
                // What is leased counts as attempted, so an error must not keep it from being
                // attempted. An error that lasts is met again by the next call.
                Ok(_) | Err(_) => return Ok(leased),
            }
        }
    }

    /// Leases once, and gives up what may not be attempted; how many deliveries were found.
    fn lease_once(
        &self,
        destination: &Destination,
        wanted: usize,
        leased: &mut Vec<LeasedDelivery>,
    ) -> Result<usize> {
        let prepared = destination.prepared();
        let config = &prepared.config;
        let mut given_up = Vec::new();
        let now = self.host.now();
        let found = destination.backlog.lease(wanted, config.lease(), &mut |mut delivery| {
            let begun = delivery.attempt.saturating_sub(1);
            if let Some(reason) = before_attempt(&config.retry, begun, delivery.accepted, now) {
                let why = "no outcome of the last attempt is known".to_owned();
                let attempt = AttemptRef { attempt: begun, ..AttemptRef::from(&delivery) };
                return given_up.push((attempt, reason, why));
            }
            match self.render(config, &mut delivery) {
                Ok(()) => leased.push(delivery),
                Err(error) => {
                    let why = error.message().to_owned();
                    given_up.push((AttemptRef::from(&delivery), GiveUp::Refused, why));
                }
            }
        });
        let mut failure = None;
        for (attempt, reason, why) in &given_up {
            // An error of one does not keep the others from being given up.
            let given_up = self.give_up(destination, attempt, *reason, why, now);
            failure = failure.or(given_up.err());
        }
        failure.map_or(found, Err)
    }

    /// Renders a delivery, if its destination says so. It is rendered for every attempt anew; what
    /// goes to a dead-letter queue is what was accepted.
    fn render(&self, config: &DestinationConfig, delivery: &mut LeasedDelivery) -> Result<()> {
        if config.http.parameters.is_empty() {
            return self.render_body(config, delivery);
        }
        let filled = config.http.fill(&delivery.body)?;
        self.render_body(config, delivery)?;
        delivery.body = filled.body(std::mem::take(&mut delivery.body));
        if let Transport::Http { url, .. } = &config.transport {
            delivery.url = filled.url(url);
        }
        delivery.headers.extend(filled.headers);
        Ok(())
    }

    fn render_body(&self, config: &DestinationConfig, delivery: &mut LeasedDelivery) -> Result<()> {
        let Some(renderer) = config.renderer else { return Ok(()) };
        let content = Content {
            context: &delivery.context,
            body: &delivery.body,
            attributes: &delivery.attributes,
            origin: delivery.origin,
            accepted: delivery.accepted,
            attempt: delivery.attempt,
        };
        let Rendered { body, attributes, headers } = self.host.render(renderer, &content)?;
        (delivery.body, delivery.headers) = (body, headers);
        if let Some(attributes) = attributes {
            delivery.attributes = attributes;
        }
        Ok(())
    }

    /// Carries out the end of an attempt. The ticket stands for what was written.
    pub(super) fn settle(
        &self,
        destination: &Destination,
        attempt: &AttemptRef,
        ended: &Ended,
    ) -> Result<Option<Ticket>> {
        let now = self.host.now();
        let prepared = destination.prepared();
        let retry = &prepared.config.retry;
        let AttemptRef { receipt, attempt: number, accepted } = *attempt;
        // The number of a delivery and the seed of its engine name its chance.
        let seed = self.host.key.0 ^ receipt.seq;
        let verdict = after_attempt(retry, number, accepted, now, ended, seed);
        if self.host.trace.is_on() {
            self.trace_attempt(destination, attempt, ended, &verdict, now);
        }
        match verdict {
            Verdict::Delete => {
                count(&destination.counters.delivered);
                self.forget_failure(destination, receipt.seq)?;
                let ticket = destination.backlog.delete(&receipt)?;
                self.host.flush_in_background(Durability::Os)?;
                Ok(ticket)
            }
            Verdict::RetryAt(time) => {
                count(&destination.counters.retried);
                self.hide(destination, &receipt, time.saturating_sub(now))?;
                Ok(None)
            }
            Verdict::GiveUp(reason) => {
                let why = match ended {
                    Ended::Delivered => "",
                    Ended::Transient { why, .. } | Ended::Permanent { why } => why,
                };
                self.give_up(destination, attempt, reason, why, now)
            }
        }
    }

    /// Moves a delivery to the dead-letter queue, or records its failure and removes it.
    fn give_up(
        &self,
        destination: &Destination,
        attempt: &AttemptRef,
        reason: GiveUp,
        why: &str,
        now: Millis,
    ) -> Result<Option<Ticket>> {
        if self.host.trace.is_on() {
            self.trace_given_up(destination, attempt, reason, why, now);
        }
        let AttemptRef { receipt, attempt: attempts, accepted } = *attempt;
        if let Some(target) = destination.prepared().config.dead_letter {
            let attributes = [
                ("ERROR_MESSAGE", why.to_owned()),
                ("EXHAUSTED_RETRY_CONDITION", reason.to_string()),
                ("RETRY_ATTEMPTS", attempts.saturating_sub(1).to_string()),
            ];
            if destination.backlog.dead_letter(&receipt, target, &attributes)? {
                count(&destination.counters.dead_lettered);
            } else {
                // Kept rather than lost: a queue that is made again takes it.
                self.hide(destination, &receipt, STUCK_DELAY)?;
            }
            self.host.flush_in_background(Durability::Os)?;
            return Ok(None);
        }
        let failed = FailedDelivery {
            destination: destination.id,
            seq: receipt.seq,
            accepted,
            at: now,
            attempts,
            reason,
            why: why.to_owned(),
        };
        // Recorded first: a crash in between has the delivery attempted once more, and a record
        // that turns out to be wrong is forgotten then.
        {
            let mut failures = lock(&self.failures);
            // Asked under the lock under which `detach` forgets the failures: none comes later.
            if destination.is_removed.load(Ordering::Acquire) {
                return Ok(None);
            }
            failures.record(&mut self.host.append()?, failed);
        }
        count(&destination.counters.failed);
        let ticket = destination.backlog.delete(&receipt)?;
        self.host.flush_in_background(Durability::Os)?;
        Ok(ticket)
    }

    /// Hides a delivery for `delay`, as far as a lease reaches.
    fn hide(&self, destination: &Destination, receipt: &Receipt, delay: Millis) -> Result<()> {
        let delay = delay.min(self.host.limits.visibility_max);
        destination.backlog.retry_after(receipt, delay)
    }

    fn forget_failure(&self, destination: &Destination, seq: u64) -> Result<()> {
        let mut failures = lock(&self.failures);
        if failures.contains(destination.id, seq) {
            failures.forget(&mut self.host.append()?, destination.id, seq);
        }
        Ok(())
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
