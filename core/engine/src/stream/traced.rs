//! What a stream notes in the trace, while it is on: where a record was put, and who read it.

use trunkline_host::{Note, Subject, What};

use super::Stream;
use super::put::PutRecord;
use super::read::StreamRecord;

impl Stream {
    /// A record was put.
    #[cold]
    pub(super) fn trace_put(&self, put: &PutRecord, key: &str) {
        let (id, at) = (put.sequence.to_string(), self.host.now());
        let note = Note {
            subject: Subject::Text(&id),
            what: What::Accepted,
            resource: &self.name,
            at,
            detail: format_args!("{}, key {key}", put.shard),
        };
        self.host.trace.begin(&note, None);
    }

    /// `sink`, with what it gets noted as read: by a reader, or without one.
    #[inline]
    pub(super) fn traced<'a>(
        &'a self,
        reader: Option<&'a str>,
        mut sink: impl FnMut(StreamRecord<'_>) + 'a,
    ) -> impl FnMut(StreamRecord<'_>) + 'a {
        let is_traced = self.host.trace.is_on();
        move |record| {
            if is_traced {
                self.trace_read(&record, reader);
            }
            sink(record);
        }
    }

    #[cold]
    fn trace_read(&self, record: &StreamRecord<'_>, reader: Option<&str>) {
        let (id, at) = (record.sequence.to_string(), self.host.now());
        let (subject, resource) = (Subject::Text(&id), &self.name);
        let detail = match reader {
            Some(reader) => format!("by reader {reader}"),
            None => "without a reader".to_owned(),
        };
        let detail = format_args!("{detail}");
        self.host.trace.note(&Note { subject, what: What::Read, resource, at, detail });
    }
}
