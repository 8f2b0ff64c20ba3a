//! What a queue notes in the trace. Functions are called while the trace is on.

use std::borrow::Cow;
use std::fmt;

use trunkline_host::{Note, Origin, Subject, What};
use trunkline_types::{Millis, Receipt, ResourceKind, ResourceName, Result, Seq};

use super::Queue;
use super::message::{Delivery, Receive, Received};
use super::transfer::Incoming;

/// The kind under which the trace shows the queue of a destination.
const DESTINATION: ResourceKind = ResourceKind("destination");

impl Queue {
    /// A message came in: from a caller, or from what `moved` says.
    #[cold]
    pub(super) fn trace_entered(&self, seq: Seq, moved: Option<&Incoming<'_>>) {
        let from = moved.and_then(|moved| Some((moved.moved_from?, &moved.envelope)));
        let Some((from, envelope)) = from else {
            return self.begin_trace(seq, What::Accepted, None, format_args!(""));
        };
        let origin = envelope.origin.unwrap_or(from);
        let is_same = envelope.origin.is_some();
        let subject = Subject::Numbered(origin.0, origin.1);
        let source = self.host.directory.any(from.0);
        let name = source.as_ref().map(|source| source.name());
        let is_dead = envelope.source.is_some() || name.is_some_and(ResourceName::is_internal);
        let what = if is_dead { What::DeadLettered } else { What::Moved };
        let origin = Some(Origin { subject, is_same });
        match (name, envelope.received) {
            (Some(name), Some(received)) => self.begin_trace(
                seq,
                what,
                origin,
                format_args!("by {} {}, received {} times", name.kind, name.name, received.count),
            ),
            (Some(name), None) => {
                let kind = if name.is_internal() { DESTINATION } else { name.kind };
                self.begin_trace(seq, what, origin, format_args!("by {kind} {}", name.name));
            }
            (None, _) => self.begin_trace(seq, what, origin, format_args!("")),
        }
    }

    /// A message is not added: an earlier one stands for it.
    #[cold]
    pub(super) fn trace_duplicate(&self, first: Seq, dedup_id: &str) {
        let detail = format_args!("another message with the deduplication id {dedup_id} was sent");
        self.trace_message(first, What::Duplicate, detail);
    }

    /// [`Queue::receive_kind`], with what is handed out noted.
    #[cold]
    pub(super) fn receive_traced(
        &self,
        now: Millis,
        request: &Receive<'_>,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<Received> {
        let visibility = request.visibility.unwrap_or_else(|| self.rules.visibility());
        self.receive_kind(now, request, &mut |message: Delivery<'_>| {
            self.trace_received(&message, visibility);
            sink(message);
        })
    }

    /// A message is handed to a receiver.
    fn trace_received(&self, message: &Delivery<'_>, visibility: u64) {
        let (receive, receipt) = (message.receive_count, &message.receipt);
        let seconds = visibility as f64 / 1_000.0;
        let detail = format_args!("receive {receive}, lease of {seconds} s");
        self.trace_message(receipt.seq, What::Received, detail);
    }

    /// The lease of a message ends at another time.
    #[cold]
    pub(super) fn trace_extended(&self, receipt: &Receipt, visibility: u64) {
        if visibility == 0 {
            self.trace_message(receipt.seq, What::Returned, format_args!("by its receiver"));
        } else {
            let seconds = visibility as f64 / 1_000.0;
            let detail = format_args!("its lease ends {seconds} s from now");
            self.trace_message(receipt.seq, What::Extended, detail);
        }
    }

    /// A message is visible after a lease or a delay.
    #[cold]
    pub(super) fn trace_returned(&self, seq: Seq, was_received: bool) {
        let why = if was_received { "its lease ended" } else { "its delay ended" };
        self.trace_message(seq, What::Returned, format_args!("{why}"));
    }

    /// A message is gone, for one of several reasons.
    #[cold]
    pub(super) fn trace_gone(&self, seq: Seq, what: What) {
        self.trace_message(seq, what, format_args!(""));
    }

    /// All messages are gone whose number is below `before`.
    #[cold]
    pub(super) fn trace_purged(&self, before: Seq, why: &str) {
        if !self.host.trace.is_on() {
            return;
        }
        let (name, at) = (self.traced_name(), self.host.now());
        self.host.trace.note_all(&Note {
            subject: Subject::Numbered(self.id, before),
            what: What::Purged,
            resource: &name,
            at,
            detail: format_args!("{why}"),
        });
    }

    fn begin_trace(
        &self,
        seq: Seq,
        what: What,
        origin: Option<Origin<'_>>,
        detail: fmt::Arguments<'_>,
    ) {
        let (resource, at) = (&*self.traced_name(), self.host.now());
        let subject = Subject::Numbered(self.id, seq);
        self.host.trace.begin(&Note { subject, what, resource, at, detail }, origin);
    }

    /// The outbox tells by itself what it does with the messages of its queues.
    fn trace_message(&self, seq: Seq, what: What, detail: fmt::Arguments<'_>) {
        if !self.name.is_internal() {
            let (subject, at) = (Subject::Numbered(self.id, seq), self.host.now());
            self.host.trace.note(&Note { subject, what, resource: &self.name, at, detail });
        }
    }

    fn traced_name(&self) -> Cow<'_, ResourceName> {
        match self.name.is_internal() {
            true => Cow::Owned(ResourceName { kind: DESTINATION, ..self.name.clone() }),
            false => Cow::Borrowed(&self.name),
        }
    }
}
