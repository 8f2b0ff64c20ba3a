//! Notifications: who is told of a change, in S3's words.
//!
//! A queue or a topic that is told takes the message in the step of the change: a crash leaves
//! both or neither. What else is told takes a step of its own, right behind. A target that is gone
//! or takes no message is not told, as on AWS.

use serde_json::{Map, Value, json};
use trunkline_host::{Also, Routed};
use trunkline_journal::Ticket;
use trunkline_types::{Millis, ResourceId, Result};

use super::config::Notification;
use super::object::Object;
use super::put::{Cause, Change, Step};
use super::{Bucket, errors};
use crate::attributes::{self, Attribute};
use crate::bus::BUS;

/// A target of notifications, and which events it is told of.
struct Told {
    target: ResourceId,
    is_bus: bool,
    body: Vec<u8>,
    /// The attribute block.
    attributes: Vec<u8>,
}

impl Told {
    fn routed(&self) -> Routed<'_> {
        Routed { body: &self.body, attributes: &self.attributes, ..Routed::default() }
    }
}

impl Bucket {
    /// Appends and applies a change, and tells of it. The caller holds `changing`.
    pub(super) fn commit(
        &self,
        key: &str,
        change: Change,
        now: Millis,
        cause: &Cause<'_>,
    ) -> Result<Option<Ticket>> {
        let mut told = self.told(key, change.object(), now, cause);
        let step = Step::new(self, key, change);
        let mut ticket = None;
        if let Some(place) = told.iter().position(|one| !one.is_bus) {
            let first = told.remove(place);
            let routed = Routed { also: Some(&step), ..first.routed() };
            if let Ok(accepted) = self.host.deliver(first.target, &routed) {
                ticket = accepted.ticket;
            }
        }
        if step.frees() {
            self.host.watch_unused_bodies();
        }
        if !step.is_appended.get() {
            let mut log = self.host.append_at(now)?;
            if step.records() > 1 {
                // Too long for one batch only with thousands of parts; then a crash between the two
                // may leave the upload beside the object, and it can be aborted.
                let _kept_together = log.reserve(step.records(), step.bytes());
            }
            step.append(&mut log);
            ticket = log.ticket();
        }
        for one in &told {
            if let Ok(accepted) = self.host.deliver(one.target, &one.routed()) {
                ticket = accepted.ticket.or(ticket);
            }
        }
        Ok(ticket)
    }

    /// Sends a message to who is told of changes.
    pub fn tell(&self, notification: &Notification, body: &[u8]) -> Result<()> {
        let target = self.target_of(&notification.target).ok_or_else(errors::no_target)?;
        self.host.deliver(target, &Routed { body, ..Routed::default() }).map(drop)
    }

    fn told(&self, key: &str, object: &Object, now: Millis, cause: &Cause<'_>) -> Vec<Told> {
        let config = self.config();
        let mut told = Vec::new();
        for notification in config.notifications.iter().filter(|one| one.matches(cause.event, key))
        {
            let Some(target) = self.target_of(&notification.target) else { continue };
            let is_bus = notification.target.0 == BUS.0;
            let event = match is_bus {
                true => self.bus_event(key, object, cause),
                false => Some(self.record(key, object, &notification.id, now, cause)),
            };
            let Some(event) = event else { continue };
            let body = event.to_string().into_bytes();
            let attributes = attributes_for(&notification.qualifier);
            told.push(Told { target, is_bus, body, attributes });
        }
        told
    }

    /// Whether the target of a notification exists.
    pub fn has_target(&self, notification: &Notification) -> bool {
        self.target_of(&notification.target).is_some()
    }

    fn target_of(&self, target: &(String, String, String, String)) -> Option<ResourceId> {
        let (kind, account, region, name) = target;
        self.host.directory.id_of(&crate::bucket::target_name(kind, account, region, name)?)
    }

    /// The message that queues and topics get.
    fn record(
        &self,
        key: &str,
        object: &Object,
        configuration: &str,
        now: Millis,
        cause: &Cause<'_>,
    ) -> Value {
        let name = &self.name;
        let mut told = self.described(key, object, cause);
        told.insert("sequencer".to_owned(), format!("{:016X}", object.seq).into());
        json!({"Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": name.region,
            "eventTime": time(now),
            "eventName": cause.event,
            "userIdentity": {"principalId": format!("AWS:{}", cause.principal)},
            "requestParameters": {"sourceIPAddress": cause.source_ip},
            "responseElements": {
                "x-amz-request-id": cause.request_id,
                "x-amz-id-2": cause.request_id,
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": name.name,
                    "ownerIdentity": {"principalId": name.account},
                    "arn": self.arn(),
                },
                "object": told,
            },
        }]})
    }

    fn described(&self, key: &str, object: &Object, cause: &Cause<'_>) -> Map<String, Value> {
        let mut told = Map::new();
        told.insert("key".to_owned(), escaped(key).into());
        if !cause.event.contains("Removed") && !cause.event.contains("Expiration") {
            told.insert("size".to_owned(), object.size.into());
            told.insert("eTag".to_owned(), object.etag.as_str().into());
        }
        if !object.is_null {
            told.insert("versionId".to_owned(), self.version_id(object).into());
        }
        told
    }

    /// The event that a bus gets; `None` for changes that EventBridge is not told of.
    fn bus_event(&self, key: &str, object: &Object, cause: &Cause<'_>) -> Option<Value> {
        let (kind, what) = cause.event.split_once(':')?;
        let (detail_type, reason) = match (kind, what) {
            ("ObjectCreated", "Put") => ("Object Created", Some("PutObject")),
            ("ObjectCreated", "Copy") => ("Object Created", Some("CopyObject")),
            ("ObjectCreated", other) => ("Object Created", Some(other)),
            ("ObjectRemoved", _) => ("Object Deleted", Some("DeleteObject")),
            ("LifecycleExpiration", _) => ("Object Deleted", Some("Lifecycle Expiration")),
            ("ObjectTagging", "Put") => ("Object Tags Added", None),
            ("ObjectTagging", _) => ("Object Tags Deleted", None),
            _ => return None,
        };
        let mut about = Map::new();
        about.insert("key".to_owned(), key.into());
        if detail_type == "Object Created" {
            about.insert("size".to_owned(), object.size.into());
        }
        if !object.etag.is_empty() {
            about.insert("etag".to_owned(), object.etag.as_str().into());
        }
        if !object.is_null {
            about.insert("version-id".to_owned(), self.version_id(object).into());
        }
        about.insert("sequencer".to_owned(), format!("{:016X}", object.seq).into());
        let mut detail = json!({
            "version": "0",
            "bucket": {"name": self.name.name},
            "object": about,
            "request-id": cause.request_id,
            "requester": cause.principal,
            "source-ip-address": cause.source_ip,
        });
        if let (Some(reason), Some(detail)) = (reason, detail.as_object_mut()) {
            detail.insert("reason".to_owned(), reason.into());
            if detail_type == "Object Deleted" {
                let is_marker = cause.event.ends_with("DeleteMarkerCreated");
                let kind = if is_marker { "Delete Marker Created" } else { "Permanently Deleted" };
                detail.insert("deletion-type".to_owned(), kind.into());
            }
        }
        Some(json!({
            "source": "aws.s3",
            "detail-type": detail_type,
            "account": self.name.account,
            "region": self.name.region,
            "resources": [self.arn()],
            "detail": detail,
        }))
    }

    /// The resource name of the bucket.
    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.name.name)
    }
}

/// The attribute of an invocation that names a version or an alias.
const QUALIFIER: &str = "Qualifier";

/// The attributes of a message to a version or an alias of a function.
fn attributes_for(qualifier: &str) -> Vec<u8> {
    if qualifier.is_empty() {
        return Vec::new();
    }
    attributes::encode(&[Attribute {
        name: QUALIFIER.to_owned(),
        data_type: "String".to_owned(),
        value: qualifier.as_bytes().to_vec(),
        system: false,
    }])
}

/// A moment as S3's events have it.
fn time(millis: Millis) -> String {
    let moment =
        i64::try_from(millis).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(String::new, |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A key as S3's events have it: escaped as in a form, slashes kept.
fn escaped(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'*' | b'/' => out.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => out.push(byte as char),
            _ => {
                use std::fmt::Write;
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_times_are_written_as_s3_writes_them() {
        assert_eq!(escaped("a b/ü+c.txt"), "a+b/%C3%BC%2Bc.txt");
        assert_eq!(time(1_767_323_045_250), "2026-01-02T03:04:05.250Z");
    }
}
