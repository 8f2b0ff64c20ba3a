//! Subscribers of a topic that are no queues. Streams take part in the step of the publish. An
//! event bus takes a message in a step of its own, before the queues get theirs, so that a message
//! which it refuses can be a dead letter in their step.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_host::{Accepted, Content, Host, Routed};
use trunkline_types::{Code, Error, ResourceId, Result};

use super::others;
use crate::bus::Bus;
use crate::stream::Stream;
use crate::topic::{Notification, Protocol, Publishing, Selected};

/// The source of an event whose detail is a notification.
const SOURCE: &str = "trunkline.topic";

/// An event that tells of a notification.
#[derive(Serialize)]
struct ToldEvent<'a> {
    source: &'a str,
    #[serde(rename = "detail-type")]
    detail_type: &'a str,
    resources: [&'a str; 1],
    detail: &'a RawValue,
}

/// A message for one subscriber.
pub(super) struct Told<'a> {
    pub selected: Selected,
    body: Cow<'a, [u8]>,
    group: Cow<'a, str>,
    hops: u32,
}

impl<'a> Told<'a> {
    /// Makes what the subscriber gets of a message.
    pub fn new(
        host: &Host,
        publishing: &Publishing<'_>,
        selected: &Selected,
        message: &Notification<'a>,
        context: &[u8],
        hops: u32,
    ) -> Result<Self> {
        let body = match selected.is_raw && !message.is_structured {
            true => message.body.into(),
            false => envelope(host, publishing, selected, message, context)?.into(),
        };
        // A stream keeps the order of a group, or takes messages in any order.
        let group = match message.group {
            Some(group) => group.into(),
            None => publishing.message_id.to_string().into(),
        };
        Ok(Self { selected: *selected, body, group, hops })
    }

    /// Hands it to a bus, or finds out whether another subscriber takes it: `None` if it does, in
    /// the step of the publish.
    pub fn deliver(&self, host: &Host) -> Result<Option<Accepted>> {
        let target = self.selected.target;
        if host.directory.get::<Bus>(target).is_some() {
            return host.deliver(target, &self.routed()).map(Some);
        }
        others::check(host, target, &self.routed()).map(|()| None)
    }

    /// What the subscriber takes.
    pub fn routed(&self) -> Routed<'_> {
        let (body, group) = (&*self.body, Some(&*self.group));
        Routed { body, group, hops: self.hops, ..Routed::default() }
    }
}

/// The envelope of a notification; for an event bus, an event that has it as its detail.
fn envelope(
    host: &Host,
    publishing: &Publishing<'_>,
    selected: &Selected,
    message: &Notification<'_>,
    context: &[u8],
) -> Result<Vec<u8>> {
    let content = Content {
        body: message.body,
        attributes: message.attributes,
        context,
        origin: (ResourceId(0), 0),
        accepted: publishing.now,
        attempt: 1,
    };
    // SNS delivers to no stream but that of Firehose.
    let protocol = match host.directory.get::<Stream>(selected.target) {
        Some(_) => Protocol::Firehose,
        None => Protocol::Default,
    };
    let renderer = publishing.renderer(selected.id, selected.is_raw, protocol);
    let rendered = host.render(renderer, &content)?.body;
    if host.directory.get::<Bus>(selected.target).is_none() {
        return Ok(rendered);
    }
    let arn = publishing.topic().arn();
    let told = serde_json::from_slice(&rendered).and_then(|detail| {
        let resources = [arn.as_str()];
        serde_json::to_vec(&ToldEvent {
            source: SOURCE,
            detail_type: "Notification",
            resources,
            detail,
        })
    });
    told.map_err(|error| {
        Error::new(Code::InternalError, format!("The notification is no JSON: {error}."))
    })
}
