//! The records of streams in the journal. What is put into a shard is an entry of the shard's log.
//!
//! ```text
//! 56 stream    | id 4 | created 8 | retention 8 | floor 8 | next_shard 4 | account | region |
//!              | name | document | count 4 | shard ... |
//!    shard     | id 4 | start 16 | end 16 | parent 4 | adjacent 4 | created 8 | closed 8 | log 4 |
//! 57 removed   | id 4 |
//! 58 reader    | stream 4 | reader 4 | created 8 | name |
//! 59 position  | stream 4 | reader 4 | shard 4 | next 8 |
//! 60 removed   | stream 4 | reader 4 |
//! 61 stream    | as 56, and behind the shards: | change 1 | until 8 | record_bytes_max 4 |
//! ```
//!
//! Text and the document have their lengths before them, 4 bytes each. A parent that is absent is
//! `ffff_ffff`; a shard that is open was closed at 0.
//! Streams were written as 56 before they had states.

use std::ops::RangeInclusive;

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_stream::{HashKey, HashKeyRange, Shard, ShardId};
use trunkline_types::{Millis, ResourceId, Result};

use super::status::{Pending, StreamChange};

/// The first bytes of the records; 62 and 63 are kept for later.
pub(super) const KINDS: RangeInclusive<u8> = STREAM_WITHOUT_STATE..=63;

const STREAM_WITHOUT_STATE: u8 = 56;
const STREAM_REMOVED: u8 = 57;
const READER: u8 = 58;
const POSITION: u8 = 59;
const READER_REMOVED: u8 = 60;
const STREAM: u8 = 61;

const ABSENT: u32 = u32::MAX;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// A stream, whole.
    Stream(StreamRecord),
    /// The stream is gone, with its readers and logs.
    StreamRemoved(ResourceId),
    /// A reader of a stream.
    Reader { key: ReaderKey, created: Millis, name: &'a str },
    /// How far a reader has committed one shard.
    Position { key: ReaderKey, shard: ShardId, next: u64 },
    /// The reader is gone, with its positions.
    ReaderRemoved(ReaderKey),
}

/// A stream and one of its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReaderKey {
    pub stream: ResourceId,
    pub reader: u32,
}

/// A stream as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamRecord {
    pub id: ResourceId,
    pub created: Millis,
    pub retention: Millis,
    /// Records before this time are gone, whatever the retention became later.
    pub floor: Millis,
    pub next_shard: ShardId,
    pub account: String,
    pub region: String,
    pub name: String,
    pub document: Vec<u8>,
    pub pending: Option<Pending>,
    /// Largest record in bytes; 0 stands for the engine's limit.
    pub record_bytes_max: u32,
    /// The shards that are not expired, each with the id of its log.
    pub shards: Vec<(Shard, ResourceId)>,
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Stream(stream) => stream.encode(out),
            Self::StreamRemoved(id) => {
                out.put_u8(STREAM_REMOVED);
                out.put_u32(id.0);
            }
            Self::Reader { key, created, name } => {
                key.encode(READER, out);
                out.put_u64(*created);
                out.put_bytes(name.as_bytes());
            }
            Self::Position { key, shard, next } => {
                key.encode(POSITION, out);
                out.put_u32(shard.0);
                out.put_u64(*next);
            }
            Self::ReaderRemoved(key) => key.encode(READER_REMOVED, out),
        }
    }
}

impl<'a> Record<'a> {
    /// Reads a record. Accepts any bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let record = match take.u8()? {
            STREAM_WITHOUT_STATE => Self::Stream(StreamRecord::decode(&mut take)?),
            STREAM => {
                let mut stream = StreamRecord::decode(&mut take)?;
                stream.decode_state(&mut take)?;
                Self::Stream(stream)
            }
            STREAM_REMOVED => Self::StreamRemoved(ResourceId(take.u32()?)),
            READER => {
                let (key, created) = (ReaderKey::decode(&mut take)?, take.u64()?);
                Self::Reader { key, created, name: take.text()? }
            }
            POSITION => {
                let (key, shard) = (ReaderKey::decode(&mut take)?, ShardId(take.u32()?));
                Self::Position { key, shard, next: take.u64()? }
            }
            READER_REMOVED => Self::ReaderRemoved(ReaderKey::decode(&mut take)?),
            _ => return Err(damaged("a kind this version does not know")),
        };
        if take.0.is_empty() { Ok(record) } else { Err(damaged("more bytes than its kind needs")) }
    }
}

impl ReaderKey {
    fn encode(self, kind: u8, out: &mut Vec<u8>) {
        out.put_u8(kind);
        out.put_u32(self.stream.0);
        out.put_u32(self.reader);
    }

    fn decode(take: &mut Take<'_>) -> Result<Self> {
        Ok(Self { stream: ResourceId(take.u32()?), reader: take.u32()? })
    }
}

impl StreamRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(STREAM);
        out.put_u32(self.id.0);
        out.put_u64(self.created);
        out.put_u64(self.retention);
        out.put_u64(self.floor);
        out.put_u32(self.next_shard.0);
        out.put_bytes(self.account.as_bytes());
        out.put_bytes(self.region.as_bytes());
        out.put_bytes(self.name.as_bytes());
        out.put_bytes(&self.document);
        out.put_u32(self.shards.len() as u32);
        for (shard, log) in &self.shards {
            out.put_u32(shard.id.0);
            out.put_u128(shard.range.start.0);
            out.put_u128(shard.range.end.0);
            out.put_u32(shard.parent.map_or(ABSENT, |id| id.0));
            out.put_u32(shard.adjacent_parent.map_or(ABSENT, |id| id.0));
            out.put_u64(shard.created);
            out.put_u64(shard.closed.unwrap_or(0));
            out.put_u32(log.0);
        }
        let (change, until) = match self.pending {
            None => (0, 0),
            Some(Pending { change: StreamChange::Creating, until }) => (1, until),
            Some(Pending { change: StreamChange::Updating, until }) => (2, until),
            Some(Pending { change: StreamChange::Deleting, until }) => (3, until),
        };
        out.put_u8(change);
        out.put_u64(until);
        out.put_u32(self.record_bytes_max);
    }

    fn decode_state(&mut self, take: &mut Take<'_>) -> Result<()> {
        let change = match take.u8()? {
            0 => None,
            1 => Some(StreamChange::Creating),
            2 => Some(StreamChange::Updating),
            3 => Some(StreamChange::Deleting),
            _ => return Err(damaged("a state that this version does not know")),
        };
        let until = take.u64()?;
        self.pending = change.map(|change| Pending { change, until });
        self.record_bytes_max = take.u32()?;
        Ok(())
    }

    fn decode(take: &mut Take<'_>) -> Result<Self> {
        let mut stream = Self {
            id: ResourceId(take.u32()?),
            created: take.u64()?,
            retention: take.u64()?,
            floor: take.u64()?,
            next_shard: ShardId(take.u32()?),
            account: take.text()?.to_owned(),
            region: take.text()?.to_owned(),
            name: take.text()?.to_owned(),
            document: take.bytes()?.to_vec(),
            pending: None,
            record_bytes_max: 0,
            shards: Vec::new(),
        };
        for _ in 0..take.u32()? {
            stream.shards.push(decode_shard(take)?);
        }
        Ok(stream)
    }
}

fn decode_shard(take: &mut Take<'_>) -> Result<(Shard, ResourceId)> {
    let present = |id: u32| (id != ABSENT).then_some(ShardId(id));
    let id = ShardId(take.u32()?);
    let range = HashKeyRange { start: HashKey(take.u128()?), end: HashKey(take.u128()?) };
    let (parent, adjacent_parent) = (present(take.u32()?), present(take.u32()?));
    let (created, closed) = (take.u64()?, take.u64()?);
    let closed = (closed > 0).then_some(closed);
    let shard = Shard { id, range, parent, adjacent_parent, created, closed };
    Ok((shard, ResourceId(take.u32()?)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use trunkline_stream::Shards;

    use super::*;

    fn records() -> Vec<Record<'static>> {
        let mut shards = Shards::create(2, 7);
        let split = shards.decide_split(ShardId(0), HashKey(1 << 100), 9).unwrap();
        shards.apply(&split);
        let logs = |shard: &Shard| (shard.clone(), ResourceId(40 + shard.id.0));
        let key = ReaderKey { stream: ResourceId(3), reader: 2 };
        vec![
            Record::Stream(StreamRecord {
                id: ResourceId(3),
                created: 7,
                retention: 86_400_000,
                floor: 5,
                next_shard: shards.next_id(),
                account: "000000000000".into(),
                region: "us-east-1".into(),
                name: "clicks".into(),
                document: b"{}".to_vec(),
                pending: Some(Pending { change: StreamChange::Updating, until: 12 }),
                record_bytes_max: 2048,
                shards: shards.all().map(logs).collect(),
            }),
            Record::StreamRemoved(ResourceId(3)),
            Record::Reader { key, created: 8, name: "billing" },
            Record::Position { key, shard: ShardId(1), next: 99 },
            Record::ReaderRemoved(key),
        ]
    }

    #[test]
    fn a_stream_without_a_state_is_active() {
        let Some(Record::Stream(mut stream)) = records().into_iter().next() else {
            panic!("the first record is a stream");
        };
        let mut bytes = Vec::new();
        stream.encode(&mut bytes);
        bytes[0] = STREAM_WITHOUT_STATE;
        bytes.truncate(bytes.len() - 13);
        (stream.pending, stream.record_bytes_max) = (None, 0);
        assert_eq!(Record::decode(&bytes), Ok(Record::Stream(stream)));
    }

    #[test]
    fn every_record_survives_its_bytes_and_a_cut_one_is_damage() {
        for record in records() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert!(KINDS.contains(&bytes[0]));
            assert_eq!(Record::decode(&bytes), Ok(record));
            for length in 0..bytes.len() {
                assert!(Record::decode(&bytes[..length]).is_err(), "{length}");
            }
            bytes.push(0);
            assert!(Record::decode(&bytes).is_err());
        }
    }
}
