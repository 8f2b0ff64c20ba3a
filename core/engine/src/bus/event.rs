//! An event as it is put, completed to the envelope that rules match and targets get.
//!
//! The detail is kept as it was written. Everything else is written anew, in the order of
//! EventBridge: version, id, detail-type, source, account, time, region, resources, detail; an
//! event that is replayed has the name of its replay behind its region.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trunkline_types::{Code, Error, Millis, ResourceName, Result};

/// What a time counts for in the size of an event.
pub(super) const TIME_BYTES: usize = 14;

/// The fields of an event as a caller writes them.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "detail-type", skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "replay-name", skip_serializing_if = "Option::is_none")]
    pub replay_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a RawValue>,
}

/// A completed event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its id.
    pub id: String,
    /// The whole envelope, as JSON.
    pub text: Vec<u8>,
    /// What traces it. It goes with the event to its targets, and is no part of it.
    pub trace_header: Option<String>,
}

/// What completes an envelope.
pub(super) struct Completion<'a> {
    /// The bus, whose account and region an event has unless it says otherwise.
    pub bus: &'a ResourceName,
    /// The id of an event that brings none.
    pub id: String,
    /// The time of an event that brings none.
    pub now: Millis,
    /// The largest event, in bytes as EventBridge counts them.
    pub bytes_max: usize,
}

impl<'a> Envelope<'a> {
    /// Reads the JSON text of an event.
    pub fn read(text: &'a [u8]) -> Result<Self> {
        let refused = |problem: &dyn std::fmt::Display| {
            invalid(format!(
                "The event is not valid: {problem}. It must be a JSON object of source, \
                 detail-type and detail, and may have id, time, account, region, resources and \
                 version."
            ))
        };
        // An array would be read as the values of the fields in their order.
        if text.trim_ascii_start().first() == Some(&b'[') {
            return Err(refused(&"it is an array"));
        }
        serde_json::from_slice(text).map_err(|problem| refused(&problem))
    }

    /// Checks an event that a caller puts, and completes it.
    pub fn complete(mut self, with: Completion<'_>) -> Result<Event> {
        required(self.source.as_deref(), "source")?;
        required(self.detail_type.as_deref(), "detail-type")?;
        let detail = self.detail.ok_or_else(|| missing("detail"))?;
        if !detail.get().starts_with('{') {
            return Err(invalid("The event's detail is malformed: it must be a JSON object."));
        }
        if self.replay_name.is_some() {
            return Err(invalid("The event has a replay-name: only a replay gives one."));
        }
        let size = self.size(detail);
        if size > with.bytes_max {
            return Err(too_large(size, with.bytes_max));
        }
        let time = match &self.time {
            Some(time) => whole_seconds(time)?,
            None => iso(with.now / 1_000 * 1_000),
        };
        let id = self.id.take().filter(|id| !id.is_empty());
        let id = id.map_or(with.id, Cow::into_owned);
        self.id = Some(id.clone().into());
        self.version = Some("0".into());
        self.account.get_or_insert_with(|| with.bus.account.clone().into());
        self.region.get_or_insert_with(|| with.bus.region.clone().into());
        self.time = Some(time.into());
        self.resources.get_or_insert_default();
        Ok(Event { id, text: self.write()?, trace_header: None })
    }

    /// The same event as a replay puts it.
    pub fn replayed(mut self, replay: &str) -> Result<Event> {
        self.replay_name = Some(replay.to_owned().into());
        let id = self.id.as_deref().unwrap_or_default().to_owned();
        Ok(Event { id, text: self.write()?, trace_header: None })
    }

    pub fn write(&self) -> Result<Vec<u8>> {
        let unwritten = |problem| invalid(format!("The event cannot be written: {problem}."));
        serde_json::to_vec(self).map_err(unwritten)
    }

    /// The size in an archive, as EventBridge counts it.
    pub fn size_kept(&self) -> usize {
        let account = self.account.as_deref().map_or(0, str::len);
        account + self.detail.map_or(0, |detail| self.size(detail))
    }

    /// The size as EventBridge counts it.
    fn size(&self, detail: &RawValue) -> usize {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map_or(0, str::len);
        let resources = self.resources.iter().flatten().map(|resource| resource.len());
        let time = if self.time.is_some() { TIME_BYTES } else { 0 };
        time + text(&self.source)
            + text(&self.detail_type)
            + detail.get().len()
            + resources.sum::<usize>()
    }
}

fn required(text: Option<&str>, field: &str) -> Result<()> {
    match text {
        None | Some("") => Err(missing(field)),
        Some(_) => Ok(()),
    }
}

/// A time as text, with milliseconds if it has some.
pub(super) fn iso(time: Millis) -> String {
    let time = i64::try_from(time).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(time).unwrap_or(Timestamp::MAX).to_string()
}

pub(super) fn whole_seconds(text: &str) -> Result<String> {
    let time: Timestamp = text.parse().map_err(|_| {
        invalid(format!("The event's time {text:?} is not a time such as 2026-01-31T12:00:00Z."))
    })?;
    Ok(Timestamp::from_second(time.as_second()).unwrap_or(time).to_string())
}

#[cold]
pub(super) fn too_large(size: usize, max: usize) -> Error {
    invalid(format!(
        "The event is too large: {size} bytes. Source, detail-type, detail and resources may have \
         {max} bytes together."
    ))
}

#[cold]
fn missing(field: &str) -> Error {
    let text = format!("The event has no {field}. Reason: {field} is required.");
    Error::new(Code::InvalidParameterValue, text)
}

#[cold]
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use trunkline_types::ResourceKind;

    use super::*;

    fn complete(text: &str) -> Result<Event> {
        let bus = ResourceName::local(ResourceKind("bus"), "default");
        let id = "an-id".to_owned();
        let with = Completion { bus: &bus, id, now: 1_700_000_000_123, bytes_max: 100 };
        Envelope::read(text.as_bytes())?.complete(with)
    }

    fn text(event: &str) -> String {
        String::from_utf8(complete(event).unwrap().text).unwrap()
    }

    #[test]
    fn an_event_is_completed_in_the_order_of_event_bridge() {
        assert_eq!(
            text(r#"{"detail": {"b": 1.0, "a" : 2}, "source":"s","detail-type":"t"}"#),
            concat!(
                r#"{"version":"0","id":"an-id","detail-type":"t","source":"s","#,
                r#""account":"000000000000","time":"2023-11-14T22:13:20Z","region":"us-east-1","#,
                r#""resources":[],"detail":{"b": 1.0, "a" : 2}}"#
            )
        );
    }

    #[test]
    fn what_a_caller_gives_is_kept() {
        let given = concat!(
            r#"{"version":"0","id":"i","detail-type":"t","source":"s","account":"1","#,
            r#""time":"2020-01-01T00:00:00Z","region":"r","resources":["a\n"],"detail":{}}"#
        );
        assert_eq!(text(given), given);
        let zoned = given.replace("00:00:00Z", "01:00:00.5+01:00");
        assert_eq!(text(&zoned), given, "times are in UTC and whole seconds");
    }

    #[test]
    fn bad_events_are_refused_by_the_name_of_the_field() {
        let cases = [
            ("", "JSON object"),
            ("[]", "JSON object"),
            (r#"{"source":"s","detail-type":"t","detail":{}} x"#, "trailing"),
            (r#"{"detail-type":"t","detail":{}}"#, "source is required"),
            (r#"{"source":"","detail-type":"t","detail":{}}"#, "source is required"),
            (r#"{"source":"s","detail":{}}"#, "detail-type is required"),
            (r#"{"source":"s","detail-type":"t"}"#, "detail is required"),
            (r#"{"source":"s","detail-type":"t","detail":"{}"}"#, "malformed"),
            (r#"{"source":"s","detail-type":"t","detail":[1]}"#, "malformed"),
            (r#"{"source":"s","detail-type":"t","detail":{}"#, "EOF"),
            (r#"{"source":"s","detail-type":"t","detail":{},"x":1}"#, "`x`"),
            (r#"{"source":1,"detail-type":"t","detail":{}}"#, "source"),
            (r#"{"source":"s","detail-type":"t","detail":{},"time":"noon"}"#, "noon"),
            (r#"{"source":"s","detail-type":"t","detail":{},"replay-name":"r"}"#, "replay"),
        ];
        for (event, part) in cases {
            let error = complete(event).unwrap_err();
            assert_eq!(error.code(), Code::InvalidParameterValue, "{event}");
            let said = error.message().contains(part) || part == "source";
            assert!(said, "{event}: {error}");
        }
        let large = format!(r#"{{"source":"s","detail-type":"t","detail":{{"a":"{:0100}"}}}}"#, 0);
        assert!(complete(&large).unwrap_err().message().contains("too large"));
    }

    #[test]
    fn a_replayed_event_keeps_everything_and_names_its_replay() {
        let event = complete(r#"{"source":"s","detail-type":"t","detail":{"a":1}}"#).unwrap();
        let again = Envelope::read(&event.text).unwrap().replayed("again").unwrap();
        let expected = String::from_utf8(event.text).unwrap();
        let expected = expected.replace(r#""resources""#, r#""replay-name":"again","resources""#);
        assert_eq!((again.id, again.text), (event.id, expected.into_bytes()));
    }
}
