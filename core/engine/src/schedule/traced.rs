//! What a schedule notes in the trace, while it is on: each occurrence, and why a delivery failed.

use trunkline_host::{Entered, Note, Subject, What};
use trunkline_types::Error;

use super::Schedule;
use super::occurrence::Occurrence;

impl Schedule {
    /// An occurrence is delivered. What is delivered until the result is dropped comes from it.
    pub(super) fn trace_occurrence(&self, occurrence: &Occurrence) -> Entered {
        let subject = Subject::Numbered(self.id, occurrence.number);
        if self.host.trace.is_on() {
            let (resource, at) = (&self.name, self.host.now());
            let detail = format_args!("occurrence {}", occurrence.number);
            let note = Note { subject, what: What::Accepted, resource, at, detail };
            self.host.trace.begin(&note, None);
        }
        self.host.trace.enter(subject)
    }

    /// A target, or a dead-letter queue, did not take an occurrence.
    pub(super) fn trace_refused(&self, occurrence: &Occurrence, error: &Error) {
        if self.host.trace.is_on() {
            let subject = Subject::Numbered(self.id, occurrence.number);
            let (resource, at) = (&self.name, self.host.now());
            let detail = format_args!("{}", error.message());
            self.host.trace.note(&Note { subject, what: What::Failed, resource, at, detail });
        }
    }
}
