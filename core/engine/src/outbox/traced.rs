//! What the outbox notes in the trace, while it is on: how each attempt ended, and what follows.

use trunkline_delivery::{Ended, GiveUp, Verdict};
use trunkline_host::{Note, Subject, What};
use trunkline_types::{Millis, ResourceKind, ResourceName};

use super::Outbox;
use super::config::{Transport, without_query};
use super::destination::Destination;
use super::settle::AttemptRef;

/// The kind under which the trace shows destinations.
const DESTINATION: ResourceKind = ResourceKind("destination");

impl Outbox {
    /// An attempt ended.
    #[cold]
    pub(super) fn trace_attempt(
        &self,
        destination: &Destination,
        attempt: &AttemptRef,
        ended: &Ended,
        verdict: &Verdict,
        now: Millis,
    ) {
        let (number, to) = (attempt.attempt, endpoint(destination));
        let why = match ended {
            Ended::Delivered => "",
            Ended::Transient { why, .. } | Ended::Permanent { why } => why,
        };
        match verdict {
            Verdict::Delete => {
                let detail = format!("attempt {number}, {to}");
                self.trace(destination, attempt, What::Delivered, &detail, now);
            }
            Verdict::RetryAt(time) => {
                let seconds = time.saturating_sub(now) as f64 / 1_000.0;
                let detail = format!("attempt {number}, {to}: {why}; the next in {seconds} s");
                self.trace(destination, attempt, What::Failed, &detail, now);
            }
            Verdict::GiveUp(_) => {
                let detail = format!("attempt {number}, {to}: {why}");
                self.trace(destination, attempt, What::Failed, &detail, now);
            }
        }
    }

    /// A delivery is given up.
    #[cold]
    pub(super) fn trace_given_up(
        &self,
        destination: &Destination,
        attempt: &AttemptRef,
        reason: GiveUp,
        why: &str,
        now: Millis,
    ) {
        let detail = format!("given up after {} attempts, {reason}: {why}", attempt.attempt);
        self.trace(destination, attempt, What::Failed, &detail, now);
    }

    fn trace(
        &self,
        destination: &Destination,
        attempt: &AttemptRef,
        what: What,
        detail: &str,
        at: Millis,
    ) {
        let found = self.host.directory.any(destination.id);
        let name = found.map_or_else(String::new, |found| found.name().name.clone());
        let resource = &ResourceName::new(DESTINATION, super::OUTBOX_ACCOUNT, "", name);
        let subject = Subject::Numbered(attempt.receipt.queue, attempt.receipt.seq);
        let detail = format_args!("{detail}");
        self.host.trace.note(&Note { subject, what, resource, at, detail });
    }
}

fn endpoint(destination: &Destination) -> String {
    match &destination.prepared().config.transport {
        Transport::Http { url, .. } => without_query(url).to_owned(),
        Transport::Handler { .. } => "a function".to_owned(),
        Transport::Unavailable { .. } => "an unavailable destination".to_owned(),
    }
}
