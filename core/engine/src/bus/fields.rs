//! An event by its fields, for a surface that has read and checked them: the envelope is written
//! once, and nothing is read again.

use trunkline_types::Result;

use super::event::{Completion, Event, TIME_BYTES, invalid, iso, too_large, whole_seconds};

/// The fields of a new event. Source, detail-type and detail are not empty.
#[derive(Debug, Clone, Copy)]
pub struct EventFields<'a> {
    /// Who tells of it.
    pub source: &'a str,
    /// What kind of thing happened.
    pub detail_type: &'a str,
    /// The account that it comes from.
    pub account: &'a str,
    /// The region that it comes from.
    pub region: &'a str,
    /// When it happened; now if `None`.
    pub time: Option<&'a str>,
    /// What it is about.
    pub resources: &'a [&'a str],
    /// A JSON object without white space between its tokens.
    pub detail: &'a [u8],
}

impl EventFields<'_> {
    /// The event as rules match it and targets get it.
    pub(super) fn complete(&self, with: Completion<'_>) -> Result<Event> {
        debug_assert!(self.detail.starts_with(b"{"), "the detail was checked");
        let size = self.size();
        if size > with.bytes_max {
            return Err(too_large(size, with.bytes_max));
        }
        let time = match self.time {
            Some(time) => whole_seconds(time)?,
            None => iso(with.now / 1_000 * 1_000),
        };
        // More than the names of the fields and the times have.
        const ENVELOPE_BYTES: usize = 256;
        let mut text = Vec::with_capacity(size + ENVELOPE_BYTES + self.account.len());
        text.extend_from_slice(b"{\"version\":\"0\"");
        let fields: [(&[u8], &str); 6] = [
            (b",\"id\":", &with.id),
            (b",\"detail-type\":", self.detail_type),
            (b",\"source\":", self.source),
            (b",\"account\":", self.account),
            (b",\"time\":", &time),
            (b",\"region\":", self.region),
        ];
        for (name, value) in fields {
            text.extend_from_slice(name);
            write_text(value, &mut text)?;
        }
        text.extend_from_slice(b",\"resources\":[");
        for (place, name) in self.resources.iter().enumerate() {
            if place > 0 {
                text.push(b',');
            }
            write_text(name, &mut text)?;
        }
        text.extend_from_slice(b"],\"detail\":");
        text.extend_from_slice(self.detail);
        text.push(b'}');
        Ok(Event { id: with.id, text, trace_header: None })
    }

    /// The size as EventBridge counts it.
    fn size(&self) -> usize {
        let time = if self.time.is_some() { TIME_BYTES } else { 0 };
        let resources: usize = self.resources.iter().map(|name| name.len()).sum();
        time + self.source.len() + self.detail_type.len() + self.detail.len() + resources
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(out, text).map_err(|problem| invalid(problem.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use trunkline_types::{ResourceKind, ResourceName};

    use super::super::event::Envelope;
    use super::*;

    #[test]
    fn an_event_of_fields_is_the_same_as_that_of_its_text() {
        let bus = ResourceName::local(ResourceKind("bus"), "default");
        let with = || Completion {
            bus: &bus,
            id: "an-id".to_owned(),
            now: 1_700_000_000_123,
            bytes_max: 60,
        };
        let fields = EventFields {
            source: "s\"",
            detail_type: "t",
            account: "000000000000",
            region: "us-east-1",
            time: None,
            resources: &["a\n", "b"],
            detail: br#"{"b":1.0}"#,
        };
        let text =
            r#"{"source":"s\"","detail-type":"t","resources":["a\n","b"],"detail":{"b":1.0}"#;
        let read = |text: &str| Envelope::read(text.as_bytes()).unwrap().complete(with());
        assert_eq!(fields.complete(with()), read(&format!("{text}}}")));
        for time in ["2020-01-01T01:00:00.5+01:00", "noon"] {
            let fields = EventFields { time: Some(time), ..fields };
            assert_eq!(fields.complete(with()), read(&format!(r#"{text},"time":"{time}"}}"#)));
        }
        let long = "x".repeat(60);
        let fields = EventFields { resources: &[&long], ..fields };
        let text = text.replace(r#""a\n","b""#, &format!("{long:?}"));
        assert_eq!(fields.complete(with()), read(&format!("{text}}}")));
    }
}
