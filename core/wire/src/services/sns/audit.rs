//! Audits of data protection policies: a sample of what is published is looked through, and what
//! was found is told in a record, as AWS writes it.
//!
//! The streams that get records stand beside the policy in the topic's document: those behind log
//! groups and delivery streams, by their ids. A stream that is gone or full gets none, as the
//! message was published all the same.

use serde_json::{Value, json};
use trunkline_engine::{Engine, MessageId, NewRecord, ResourceId, Ticket, Topic};

use super::access;
use super::finder::Finder;
use crate::codec::time;
use crate::model::TimeFormat;

/// Sample rates are hundredths.
const WHOLE: u128 = 100;

/// The audit of one message.
pub(super) struct Audit {
    finders: Vec<Finder>,
    rate: u8,
    text: String,
    principal: String,
    found: Vec<ResourceId>,
    clean: Vec<ResourceId>,
}

impl Audit {
    /// The audit of a text that `principal` publishes; `None` where no stream gets it.
    /// `streams` is what the topic's document says of them.
    pub fn new(
        (finders, rate): (&[Finder], u8),
        text: &str,
        principal: &str,
        streams: &Value,
    ) -> Option<Self> {
        let of = |name: &str| {
            let ids = streams[name].as_array().into_iter().flatten();
            ids.filter_map(|id| id.as_u64()?.try_into().ok().map(ResourceId)).collect::<Vec<_>>()
        };
        let (found, clean) = (of("found"), of("clean"));
        let is_wanted = rate > 0 && !(found.is_empty() && clean.is_empty());
        is_wanted.then(|| Self {
            finders: finders.to_vec(),
            rate,
            text: text.to_owned(),
            principal: principal.to_owned(),
            found,
            clean,
        })
    }

    /// Tells what is in the message, which was published under `id`; the ticket of the last record.
    pub fn tell(&self, engine: &Engine, topic: &Topic, id: MessageId) -> Option<Ticket> {
        // Ids are random, so a share of them is a sample.
        if u128::from_le_bytes(id.0) % WHOLE >= u128::from(self.rate) {
            return None;
        }
        let identifiers = self.identifiers();
        let streams = if identifiers.is_empty() { &self.clean } else { &self.found };
        if streams.is_empty() {
            return None;
        }
        let id = id.to_string();
        let at = (engine.host().now() / 1_000) as f64;
        let record = json!({
            "messageId": id,
            "auditTimestamp": time::write(at, TimeFormat::Iso),
            "callerPrincipal": self.principal,
            "resourceArn": access::arn(topic.name()),
            "dataIdentifiers": identifiers,
        });
        let data = record.to_string().into_bytes();
        let record = NewRecord { key: &id, hash_key: None, data: &data };
        let put = |stream: &ResourceId| {
            let stream = engine.stream_of_id(*stream).ok().flatten()?;
            stream.put(&record).ok()?.ticket
        };
        // Each stream is written to; the ticket of the last stands for all.
        streams.iter().filter_map(put).fold(None, |_, ticket| Some(ticket))
    }

    /// What was found, by identifier: places count characters, from 0, and the end is behind.
    fn identifiers(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for finder in &self.finders {
            let mut places = Vec::new();
            finder.find(&self.text, &mut places);
            places.retain(|place| !place.is_empty());
            places.sort_unstable_by_key(|place| place.start);
            if places.is_empty() {
                continue;
            }
            // Counted from one place to the next: a text may have thousands of them.
            let (mut at, mut start) = (0, 0);
            let detections: Vec<Value> = places
                .iter()
                .map(|place| {
                    start += self.text[at..place.start].chars().count();
                    at = place.start;
                    let end = start + self.text[place.clone()].chars().count();
                    json!({"start": start, "end": end})
                })
                .collect();
            all.push(json!({
                "name": finder.name(),
                "count": detections.len(),
                "detections": detections,
            }));
        }
        all
    }
}
