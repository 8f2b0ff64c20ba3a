//! Subscribers of a topic that are no queues: streams, and event buses. Each takes a message in a
//! step of its own, before the queues get theirs, so that a message which it refuses can be a dead
//! letter in their step.

use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_host::{Accepted, Content, Host, Routed};
use trunkline_types::{Code, Error, ResourceId, Result};

use crate::bus::Bus;
use crate::topic::{Notification, Publishing, Selected, renderer};

/// The source of an event whose detail is a notification.
const SOURCE: &str = "trunkline.topic";

/// An event that tells of a notification.
#[derive(Serialize)]
struct Told<'a> {
    source: &'a str,
    #[serde(rename = "detail-type")]
    detail_type: &'a str,
    resources: [&'a str; 1],
    detail: &'a RawValue,
}

/// Hands a message to one subscriber.
pub(super) fn deliver(
    host: &Host,
    publishing: &Publishing<'_>,
    selected: &Selected,
    message: &Notification<'_>,
    context: &[u8],
    hops: u32,
) -> Result<Accepted> {
    let id = publishing.message_id.to_string();
    let body = match selected.is_raw {
        true => message.body.to_vec(),
        false => envelope(host, publishing, selected, message, context)?,
    };
    // A stream keeps the order of a group, or takes messages in any order.
    let group = Some(message.group.unwrap_or(&id));
    host.deliver(selected.target, &Routed { body: &body, group, hops, ..Routed::default() })
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
    let rendered = host.render(renderer(selected.id, false), &content)?.body;
    if host.directory.get::<Bus>(selected.target).is_none() {
        return Ok(rendered);
    }
    let arn = publishing.topic().arn();
    let told = serde_json::from_slice(&rendered).and_then(|detail| {
        let resources = [arn.as_str()];
        serde_json::to_vec(&Told { source: SOURCE, detail_type: "Notification", resources, detail })
    });
    told.map_err(|error| {
        Error::new(Code::InternalError, format!("The notification is no JSON: {error}."))
    })
}
