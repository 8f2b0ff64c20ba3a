//! The records of topics. Each says the whole state of one thing, or that it is gone, so an older
//! copy before a newer one does no harm. Their first bytes are 48 to 51; `docs/format.md` has the
//! layout.

use std::ops::RangeInclusive;

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{Millis, ResourceId, Result, Seq};

const TOPIC: u8 = 48;
const SUBSCRIPTION: u8 = 49;
const PUBLISHED: u8 = 50;
const ARCHIVE: u8 = 51;

// Of an archive or a replay, which share a first byte: that of the kind as a whole must not change.
const IS_THERE: u8 = 1;
const IS_REPLAY: u8 = 2;

/// The first bytes of the records of topics.
pub(super) const KINDS: RangeInclusive<u8> = TOPIC..=ARCHIVE;

/// The length of the record of a message that was published.
pub(super) const PUBLISHED_BYTES: u32 = 37;

/// The length of the record of a replay that runs.
pub(super) const REPLAY_BYTES: usize = 67;

// Of a topic.
const IS_FIFO: u8 = 1;
const CONTENT_BASED_DEDUP: u8 = 2;
const DEDUP_BY_GROUP: u8 = 4;

// Of a subscription.
const IS_RAW: u8 = 1;
const IS_OWNED: u8 = 2;
const FILTERS_BODY: u8 = 4;
const HAS_FILTER: u8 = 8;
const HAS_NAME: u8 = 16;
const IS_PENDING: u8 = 32;

/// Something that records describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Topic,
    Subscription,
    /// By its topic.
    Archive,
    /// By its subscription.
    Replay,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record<'a> {
    Topic(TopicRecord<'a>),
    Subscription(SubscriptionRecord<'a>),
    /// It is gone, with everything that belonged to it.
    Gone(Subject, ResourceId),
    /// A FIFO topic has published a message.
    Published(Published),
    Archive(ArchiveRecord),
    Replay(ReplayRecord<'a>),
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicRecord<'a> {
    pub id: ResourceId,
    pub account: &'a str,
    pub region: &'a str,
    pub name: &'a str,
    pub config: TopicConfig,
    pub created: Millis,
    /// What the surfaces keep with the topic; the engine does not read it.
    pub document: &'a [u8],
}

/// The rules of a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopicConfig {
    /// Whether it keeps order by group.
    pub is_fifo: bool,
    /// FIFO: the SHA-256 of the body stands in for a missing deduplication id.
    pub content_based_dedup: bool,
    /// FIFO: a deduplication id counts in its group, instead of in the whole topic.
    pub dedup_by_group: bool,
}

/// A subscription as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubscriptionRecord<'a> {
    pub id: ResourceId,
    pub topic: ResourceId,
    /// The resource that gets the messages.
    pub target: ResourceId,
    /// Whether that resource was made for this subscription and goes with it.
    pub is_owned: bool,
    /// Whether the target gets the message as it was published, without an envelope.
    pub is_raw: bool,
    /// Whether nothing is delivered yet: its owner has not confirmed it.
    pub is_pending: bool,
    /// The queue that takes messages which the target does not.
    pub dead_letter: Option<ResourceId>,
    pub filter: Option<&'a str>,
    /// Whether the filter is matched against the body instead of the attributes.
    pub filters_body: bool,
    /// How the target is named outside of the engine.
    pub endpoint: &'a str,
    /// Its own name, unique in the topic.
    pub name: Option<&'a str>,
}

/// A message that a FIFO topic has published: the newest one, or one of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Published {
    pub topic: ResourceId,
    pub seq: Seq,
    /// The digest of its deduplication id.
    pub key: u128,
    pub at: Millis,
}

/// The archive of a FIFO topic. Its messages are in a retained log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArchiveRecord {
    pub topic: ResourceId,
    pub log: ResourceId,
    pub retention: Millis,
    pub since: Millis,
}

/// Where the replay of a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReplayRecord<'a> {
    pub subscription: ResourceId,
    pub topic: ResourceId,
    pub number: ResourceId,
    pub start: Millis,
    /// 0 if it has no end.
    pub end: Millis,
    pub state: u8,
    /// The sequence number of the next entry in the log of the archive; 0 before the first step.
    pub next: u64,
    pub replayed: u64,
    pub started: Millis,
    /// When it ended; 0 while it runs.
    pub ended: Millis,
    pub failure: &'a str,
}

fn put_head(out: &mut Vec<u8>, kind: u8, id: ResourceId, is_there: bool) {
    put_flagged(out, kind, id, u8::from(is_there));
}

fn put_flagged(out: &mut Vec<u8>, kind: u8, id: ResourceId, flags: u8) {
    out.put_u8(kind);
    out.put_u32(id.0);
    out.put_u8(flags);
}

fn bits(flags: &[(bool, u8)]) -> u8 {
    flags.iter().filter(|(is, _)| *is).map(|(_, bit)| bit).sum()
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Topic(topic) => {
                put_head(out, TOPIC, topic.id, true);
                for text in [topic.account, topic.region, topic.name] {
                    out.put_bytes(text.as_bytes());
                }
                let TopicConfig { is_fifo, content_based_dedup, dedup_by_group } = topic.config;
                out.put_u8(bits(&[
                    (is_fifo, IS_FIFO),
                    (content_based_dedup, CONTENT_BASED_DEDUP),
                    (dedup_by_group, DEDUP_BY_GROUP),
                ]));
                out.put_u64(topic.created);
                out.extend_from_slice(topic.document);
            }
            Self::Subscription(subscription) => subscription.put(out),
            Self::Gone(Subject::Topic, id) => put_head(out, TOPIC, *id, false),
            Self::Gone(Subject::Subscription, id) => put_head(out, SUBSCRIPTION, *id, false),
            Self::Gone(Subject::Archive, id) => put_head(out, ARCHIVE, *id, false),
            Self::Gone(Subject::Replay, id) => put_flagged(out, ARCHIVE, *id, IS_REPLAY),
            Self::Archive(archive) => {
                put_head(out, ARCHIVE, archive.topic, true);
                out.put_u32(archive.log.0);
                out.put_u64(archive.retention);
                out.put_u64(archive.since);
            }
            Self::Replay(replay) => replay.put(out),
            Self::Published(Published { topic, seq, key, at }) => {
                out.put_u8(PUBLISHED);
                out.put_u32(topic.0);
                out.put_u64(*seq);
                out.put_u128(*key);
                out.put_u64(*at);
            }
        }
    }
}

impl SubscriptionRecord<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        put_head(out, SUBSCRIPTION, self.id, true);
        out.put_u32(self.topic.0);
        out.put_u32(self.target.0);
        // Ids start at one, so zero says "none".
        out.put_u32(self.dead_letter.map_or(0, |queue| queue.0));
        out.put_u8(bits(&[
            (self.is_raw, IS_RAW),
            (self.is_owned, IS_OWNED),
            (self.filters_body, FILTERS_BODY),
            (self.filter.is_some(), HAS_FILTER),
            (self.name.is_some(), HAS_NAME),
            (self.is_pending, IS_PENDING),
        ]));
        out.put_bytes(self.endpoint.as_bytes());
        if let Some(name) = self.name {
            out.put_bytes(name.as_bytes());
        }
        out.extend_from_slice(self.filter.unwrap_or_default().as_bytes());
    }
}

impl ReplayRecord<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        put_flagged(out, ARCHIVE, self.subscription, IS_THERE | IS_REPLAY);
        out.put_u32(self.topic.0);
        out.put_u32(self.number.0);
        out.put_u64(self.start);
        out.put_u64(self.end);
        out.put_u8(self.state);
        for number in [self.next, self.replayed, self.started, self.ended] {
            out.put_u64(number);
        }
        out.put_bytes(self.failure.as_bytes());
    }
}

impl<'a> Record<'a> {
    /// The record in `bytes`. Bytes of another shape are an error, never a panic.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let (kind, id) = (take.u8()?, ResourceId(take.u32()?));
        if kind == PUBLISHED {
            let (seq, key, at) = (take.u64()?, take.u128()?, take.u64()?);
            return Ok(Self::Published(Published { topic: id, seq, key, at }));
        }
        let flags = take.u8()?;
        let is_there = flags & IS_THERE != 0;
        if kind == ARCHIVE && flags & IS_REPLAY != 0 {
            return match is_there {
                true => replay(id, take).map(Self::Replay),
                false => Ok(Self::Gone(Subject::Replay, id)),
            };
        }
        Ok(match (kind, is_there) {
            (TOPIC, true) => {
                let (account, region, name) = (take.text()?, take.text()?, take.text()?);
                let flags = take.u8()?;
                let config = TopicConfig {
                    is_fifo: flags & IS_FIFO != 0,
                    content_based_dedup: flags & CONTENT_BASED_DEDUP != 0,
                    dedup_by_group: flags & DEDUP_BY_GROUP != 0,
                };
                let created = take.u64()?;
                let document = take.rest();
                Self::Topic(TopicRecord { id, account, region, name, config, created, document })
            }
            (SUBSCRIPTION, true) => Self::Subscription(subscription(id, take)?),
            (ARCHIVE, true) => {
                let (log, retention) = (ResourceId(take.u32()?), take.u64()?);
                Self::Archive(ArchiveRecord { topic: id, log, retention, since: take.u64()? })
            }
            (ARCHIVE, false) => Self::Gone(Subject::Archive, id),
            (TOPIC, false) => Self::Gone(Subject::Topic, id),
            (SUBSCRIPTION, false) => Self::Gone(Subject::Subscription, id),
            _ => return Err(damaged("a kind this version does not know")),
        })
    }
}

fn subscription(id: ResourceId, mut take: Take<'_>) -> Result<SubscriptionRecord<'_>> {
    let (topic, target) = (ResourceId(take.u32()?), ResourceId(take.u32()?));
    let dead_letter = Some(take.u32()?).filter(|id| *id != 0).map(ResourceId);
    let (flags, endpoint) = (take.u8()?, take.text()?);
    let name = (flags & HAS_NAME != 0).then(|| take.text()).transpose()?;
    let filter = std::str::from_utf8(take.rest()).map_err(|_| damaged("text that is not UTF-8"))?;
    Ok(SubscriptionRecord {
        id,
        topic,
        target,
        is_owned: flags & IS_OWNED != 0,
        is_raw: flags & IS_RAW != 0,
        is_pending: flags & IS_PENDING != 0,
        dead_letter,
        filter: (flags & HAS_FILTER != 0).then_some(filter),
        filters_body: flags & FILTERS_BODY != 0,
        endpoint,
        name,
    })
}

fn replay(subscription: ResourceId, mut take: Take<'_>) -> Result<ReplayRecord<'_>> {
    Ok(ReplayRecord {
        subscription,
        topic: ResourceId(take.u32()?),
        number: ResourceId(take.u32()?),
        start: take.u64()?,
        end: take.u64()?,
        state: take.u8()?,
        next: take.u64()?,
        replayed: take.u64()?,
        started: take.u64()?,
        ended: take.u64()?,
        failure: take.text()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Record<'static>> {
        let id = ResourceId(7);
        let config = TopicConfig { is_fifo: true, content_based_dedup: true, dedup_by_group: true };
        let subscription = SubscriptionRecord {
            id,
            topic: ResourceId(3),
            target: ResourceId(4),
            is_owned: true,
            is_raw: true,
            is_pending: true,
            dead_letter: Some(ResourceId(5)),
            filter: Some("{}"),
            filters_body: true,
            endpoint: "https://example.com",
            name: Some("shop"),
        };
        let plain = SubscriptionRecord {
            is_owned: false,
            is_raw: false,
            is_pending: false,
            dead_letter: None,
            filter: None,
            filters_body: false,
            name: None,
            ..subscription.clone()
        };
        vec![
            Record::Topic(TopicRecord {
                id,
                account: "000000000000",
                region: "us-east-1",
                name: "orders.fifo",
                config,
                created: 9,
                document: b"{}",
            }),
            Record::Subscription(subscription),
            Record::Subscription(plain),
            Record::Gone(Subject::Topic, id),
            Record::Gone(Subject::Subscription, id),
            Record::Published(Published { topic: id, seq: 3, key: 1 << 100, at: 5 }),
            Record::Archive(ArchiveRecord { topic: id, log: id, retention: 2, since: 1 }),
            Record::Replay(replayed()),
            Record::Gone(Subject::Archive, id),
            Record::Gone(Subject::Replay, id),
        ]
    }

    fn replayed() -> ReplayRecord<'static> {
        ReplayRecord {
            subscription: ResourceId(7),
            topic: ResourceId(3),
            number: ResourceId(8),
            start: 1,
            end: 2,
            state: 3,
            next: 4,
            replayed: 5,
            started: 6,
            ended: 7,
            failure: "why",
        }
    }

    #[test]
    fn the_record_of_a_replay_that_runs_has_a_known_length() {
        let mut bytes = Vec::new();
        Record::Replay(ReplayRecord { failure: "", ..replayed() }).encode(&mut bytes);
        assert_eq!(bytes.len(), REPLAY_BYTES);
    }

    #[test]
    fn every_record_survives_its_bytes_and_no_part_of_one_panics() {
        for record in samples() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert_eq!(Record::decode(&bytes), Ok(record));
            for length in 0..bytes.len() {
                let _ = Record::decode(&bytes[..length]);
            }
        }
        assert!(Record::decode(&[200, 1, 2, 3, 4, 5]).is_err());
    }
}
