//! The records of queues: one variant a fact, absolute rather than relative where a fact may be
//! relocated, so that replaying an older copy before a newer one is harmless.
//!
//! Their first bytes are 2 to 9 and 34. `docs/format.md` has the layout.

mod fan_out;

use std::ops::RangeInclusive;

use trunkline_host::{Encode, Put, Take, damaged};
use trunkline_types::{
    DeadLetter, DedupScope, Millis, QueueConfig, QueueKind, ResourceId, Result, Seq,
};

pub(crate) use self::fan_out::{FAN_OUT, FanOutRecord, FanOutTarget, TARGET_BYTES, TARGETS_MAX};

/// One fact, borrowed from the bytes it was read from or will be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// A queue exists with this definition.
    Defined(Definition<'a>),
    /// A queue is gone, with everything in it.
    Removed { queue: ResourceId, at: Millis },
    /// A message is in a queue, in this state.
    Message(MessageRecord<'a>),
    /// A message was delivered.
    Leased { queue: ResourceId, seq: Seq, delivery: u32, due: Millis, at: Millis },
    /// The lease of a message ends at another time; a time that has passed makes it visible.
    Extended { queue: ResourceId, seq: Seq, due: Millis },
    /// A message is gone.
    Deleted { queue: ResourceId, seq: Seq },
    /// Every message before `before` is gone, and the dedup window is empty.
    Purged { queue: ResourceId, before: Seq, at: Millis },
    /// A deduplication id is remembered although its message is gone.
    Remembered { queue: ResourceId, key: u128, seq: Seq, at: Millis },
    /// Messages of several queues, which refer to one payload.
    FanOut(FanOutRecord),
}

/// The definition of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition<'a> {
    pub queue: ResourceId,
    pub account: &'a str,
    pub region: &'a str,
    pub name: &'a str,
    pub config: QueueConfig,
    /// Account, region and name of the dead-letter queue.
    pub dead_letter_name: Option<[&'a str; 3]>,
    /// What the surfaces keep with the queue; the engine does not read it.
    pub document: &'a [u8],
    pub created: Millis,
    pub modified: Millis,
    /// No message of the queue written later has a smaller number.
    pub next_seq: Seq,
}

/// A message in its whole state. `payload` stays behind the record's head, so that a message can be
/// read back from where it lies in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageRecord<'a> {
    pub queue: ResourceId,
    pub seq: Seq,
    pub flags: u8,
    pub sent: Millis,
    /// When it becomes visible: the end of a delay or of a lease; 0 when it is visible.
    pub due: Millis,
    pub deliveries: u32,
    /// 0 when it was never received.
    pub first_received: Millis,
    /// The key of its deduplication id, in a FIFO queue.
    pub dedup: Option<u128>,
    /// The message this one replaces: a move takes one away and adds the other at once.
    pub moved_from: Option<(ResourceId, Seq)>,
    pub payload: &'a [u8],
}

const DEFINED: u8 = 2;
const REMOVED: u8 = 3;
const HELD: u8 = 4;
const LEASED: u8 = 5;
const EXTENDED: u8 = 6;
const DELETED: u8 = 7;
const PURGED: u8 = 8;
const REMEMBERED: u8 = 9;

// Of a definition.
const IS_FIFO: u8 = 1;
const HAS_DEAD_LETTER_NAME: u8 = 2;

// Of a message.
const HAS_DEDUP: u8 = 1;
const HAS_ORIGIN: u8 = 2;

impl MessageRecord<'_> {
    /// The record up to its payload, so that the payload need not be copied twice.
    pub fn put_head(&self, out: &mut Vec<u8>) {
        out.put_u8(HELD);
        out.put_u32(self.queue.0);
        out.put_u64(self.seq);
        out.put_u8(self.flags);
        out.put_u64(self.sent);
        out.put_u64(self.due);
        out.put_u32(self.deliveries);
        out.put_u64(self.first_received);
        let present = u8::from(self.dedup.is_some()) * HAS_DEDUP
            + u8::from(self.moved_from.is_some()) * HAS_ORIGIN;
        out.put_u8(present);
        if let Some(dedup) = self.dedup {
            out.put_u128(dedup);
        }
        if let Some((queue, seq)) = self.moved_from {
            out.put_u32(queue.0);
            out.put_u64(seq);
        }
    }
}

impl Encode for Record<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Defined(definition) => definition.put(out),
            Self::Removed { queue, at } => {
                out.put_u8(REMOVED);
                out.put_u32(queue.0);
                out.put_u64(*at);
            }
            Self::Message(message) => message.encode(out),
            Self::Leased { queue, seq, delivery, due, at } => {
                put_message(out, LEASED, *queue, *seq);
                out.put_u32(*delivery);
                out.put_u64(*due);
                out.put_u64(*at);
            }
            Self::Extended { queue, seq, due } => {
                put_message(out, EXTENDED, *queue, *seq);
                out.put_u64(*due);
            }
            Self::Deleted { queue, seq } => put_message(out, DELETED, *queue, *seq),
            Self::Purged { queue, before, at } => {
                put_message(out, PURGED, *queue, *before);
                out.put_u64(*at);
            }
            Self::Remembered { queue, key, seq, at } => {
                put_message(out, REMEMBERED, *queue, *seq);
                out.put_u128(*key);
                out.put_u64(*at);
            }
            Self::FanOut(fan_out) => fan_out.encode(out),
        }
    }
}

impl<'a> Record<'a> {
    /// The record in `bytes`. Bytes of another shape are an error, never a panic.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let kind = take.u8()?;
        Ok(match kind {
            DEFINED => Self::Defined(Definition::take(take)?),
            REMOVED => Self::Removed { queue: ResourceId(take.u32()?), at: take.u64()? },
            HELD => Self::Message(take_held(take)?),
            LEASED => Self::Leased {
                queue: ResourceId(take.u32()?),
                seq: take.u64()?,
                delivery: take.u32()?,
                due: take.u64()?,
                at: take.u64()?,
            },
            EXTENDED => Self::Extended {
                queue: ResourceId(take.u32()?),
                seq: take.u64()?,
                due: take.u64()?,
            },
            DELETED => Self::Deleted { queue: ResourceId(take.u32()?), seq: take.u64()? },
            PURGED => Self::Purged {
                queue: ResourceId(take.u32()?),
                before: take.u64()?,
                at: take.u64()?,
            },
            REMEMBERED => {
                let (queue, seq) = (ResourceId(take.u32()?), take.u64()?);
                Self::Remembered { queue, seq, key: take.u128()?, at: take.u64()? }
            }
            FAN_OUT => Self::FanOut(FanOutRecord::decode(bytes)?),
            _ => return Err(damaged("a kind this version does not know")),
        })
    }
}

/// The first bytes of the records of queues.
pub(crate) const KINDS: &[RangeInclusive<u8>] = &[DEFINED..=REMEMBERED, FAN_OUT..=FAN_OUT];
/// The kind of the sections of queues in a checkpoint.
pub(crate) const SECTION: u8 = DEFINED;

impl Encode for MessageRecord<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.put_head(out);
        out.extend_from_slice(self.payload);
    }
}

/// The payload of a message's record.
pub(crate) fn payload_of(record: &[u8]) -> Result<&[u8]> {
    match Record::decode(record)? {
        Record::Message(held) => Ok(held.payload),
        _ => Err(damaged("something else where a message should be")),
    }
}

fn put_message(out: &mut Vec<u8>, kind: u8, queue: ResourceId, seq: Seq) {
    out.put_u8(kind);
    out.put_u32(queue.0);
    out.put_u64(seq);
}

fn take_held(mut take: Take<'_>) -> Result<MessageRecord<'_>> {
    let mut held = MessageRecord {
        queue: ResourceId(take.u32()?),
        seq: take.u64()?,
        flags: take.u8()?,
        sent: take.u64()?,
        due: take.u64()?,
        deliveries: take.u32()?,
        first_received: take.u64()?,
        dedup: None,
        moved_from: None,
        payload: &[],
    };
    let present = take.u8()?;
    if present & HAS_DEDUP != 0 {
        held.dedup = Some(take.u128()?);
    }
    if present & HAS_ORIGIN != 0 {
        held.moved_from = Some((ResourceId(take.u32()?), take.u64()?));
    }
    held.payload = take.rest();
    Ok(held)
}

impl<'a> Definition<'a> {
    fn put(&self, out: &mut Vec<u8>) {
        let config = &self.config;
        out.put_u8(DEFINED);
        out.put_u32(self.queue.0);
        for text in [self.account, self.region, self.name] {
            out.put_bytes(text.as_bytes());
        }
        let fifo = if config.kind == QueueKind::Fifo { IS_FIFO } else { 0 };
        let named = if self.dead_letter_name.is_some() { HAS_DEAD_LETTER_NAME } else { 0 };
        out.put_u8(fifo | named);
        for time in [config.delay, config.retention, config.visibility, config.receive_wait] {
            out.put_u64(time);
        }
        out.put_u32(config.message_bytes_max);
        out.put_u8(u8::from(config.content_based_dedup));
        out.put_u8(u8::from(config.dedup_scope == DedupScope::Group));
        // Queue ids start at one, so zero says "none".
        out.put_u32(config.dead_letter.map_or(0, |dead| dead.queue.0));
        out.put_u32(config.dead_letter.map_or(0, |dead| dead.max_receive_count));
        for number in [self.created, self.modified, self.next_seq] {
            out.put_u64(number);
        }
        for text in self.dead_letter_name.into_iter().flatten() {
            out.put_bytes(text.as_bytes());
        }
        out.extend_from_slice(self.document);
    }

    fn take(mut take: Take<'a>) -> Result<Self> {
        let queue = ResourceId(take.u32()?);
        let (account, region, name) = (take.text()?, take.text()?, take.text()?);
        let flags = take.u8()?;
        let kind = if flags & IS_FIFO == 0 { QueueKind::Standard } else { QueueKind::Fifo };
        let (delay, retention) = (take.u64()?, take.u64()?);
        let (visibility, receive_wait) = (take.u64()?, take.u64()?);
        let message_bytes_max = take.u32()?;
        let content_based_dedup = take.u8()? != 0;
        let dedup_scope = if take.u8()? == 0 { DedupScope::Queue } else { DedupScope::Group };
        let (dead, max_receive_count) = (take.u32()?, take.u32()?);
        let dead_letter =
            (dead != 0).then_some(DeadLetter { queue: ResourceId(dead), max_receive_count });
        let config = QueueConfig {
            kind,
            delay,
            retention,
            visibility,
            receive_wait,
            message_bytes_max,
            content_based_dedup,
            dedup_scope,
            dead_letter,
        };
        let (created, modified, next_seq) = (take.u64()?, take.u64()?, take.u64()?);
        let dead_letter_name = match flags & HAS_DEAD_LETTER_NAME {
            0 => None,
            _ => Some([take.text()?, take.text()?, take.text()?]),
        };
        let document = take.rest();
        Ok(Self {
            queue,
            account,
            region,
            name,
            config,
            dead_letter_name,
            document,
            created,
            modified,
            next_seq,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Record<'static>> {
        let queue = ResourceId(3);
        let config = QueueConfig {
            kind: QueueKind::Fifo,
            delay: 1,
            retention: 2,
            visibility: 3,
            receive_wait: 4,
            message_bytes_max: 5,
            content_based_dedup: true,
            dedup_scope: DedupScope::Group,
            dead_letter: Some(DeadLetter { queue: ResourceId(9), max_receive_count: 4 }),
        };
        let held = MessageRecord {
            queue,
            seq: 7,
            flags: 3,
            sent: 11,
            due: 12,
            deliveries: 2,
            first_received: 13,
            dedup: Some(99),
            moved_from: Some((ResourceId(1), 5)),
            payload: b"payload",
        };
        vec![
            Record::Defined(Definition {
                queue,
                account: "000000000000",
                region: "us-east-1",
                name: "orders.fifo",
                config,
                dead_letter_name: Some(["000000000000", "us-east-1", "dead.fifo"]),
                document: b"{}",
                created: 1,
                modified: 2,
                next_seq: 3,
            }),
            Record::Removed { queue, at: 5 },
            Record::Message(held),
            Record::Message(MessageRecord { dedup: None, moved_from: None, payload: b"", ..held }),
            Record::Leased { queue, seq: 1, delivery: 2, due: 3, at: 4 },
            Record::Extended { queue, seq: 1, due: 3 },
            Record::Deleted { queue, seq: 1 },
            Record::Purged { queue, before: 4, at: 5 },
            Record::Remembered { queue, key: 1 << 100, seq: 2, at: 3 },
            Record::FanOut(FanOutRecord {
                payload: 1,
                sent: 2,
                renderer: None,
                targets: vec![FanOutTarget { queue, seq: 3, variant: 0 }],
            }),
        ]
    }

    #[test]
    fn every_record_survives_its_bytes() {
        for record in samples() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert_eq!(Record::decode(&bytes), Ok(record));
        }
    }

    #[test]
    fn cut_records_and_unknown_kinds_never_panic() {
        assert!(Record::decode(&[]).is_err());
        assert!(Record::decode(&[200, 1, 2]).is_err());
        for record in samples() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            for length in 0..bytes.len() {
                let _ = Record::decode(&bytes[..length]);
            }
        }
    }
}
