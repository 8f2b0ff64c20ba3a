//! The record of a fan-out: one shared payload in up to [`TARGETS_MAX`] queues, where it is visible
//! at once. A target takes a few bytes: its numbers are written as differences.
//!
//! A message that is placed by such a record lies at the record, as its neighbours do. What reads
//! it there gets the record that it would have of its own ([`FanOutRecord::message`]), and
//! compaction appends it again as a record of one message.

use trunkline_host::{Encode, Put, Renderer, Take, damaged};
use trunkline_types::{Millis, ResourceId, Result, Seq};

use super::MessageRecord;
use crate::queue::envelope::{Reference, SHARED_ALONE};

/// The first byte of such a record.
pub(crate) const FAN_OUT: u8 = 34;
/// Queues of one record. To read one message the whole record is read.
pub(crate) const TARGETS_MAX: usize = 16;
/// More bytes than a target takes, with its part of the record's head; or with a record of its own,
/// if its queue was given a delay meanwhile.
pub(crate) const TARGET_BYTES: usize = 72;
/// The largest sequence number.
const SEQ_MAX: u64 = 1 << 60;

/// One shared payload in several queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FanOutRecord {
    /// The number of the payload.
    pub payload: u64,
    pub sent: Millis,
    /// Who renders the payload for receivers; `None` for as it is.
    pub renderer: Option<ResourceId>,
    pub targets: Vec<FanOutTarget>,
}

/// A message of a fan-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FanOutTarget {
    pub queue: ResourceId,
    pub seq: Seq,
    /// For the renderer; 0 without one.
    pub variant: u64,
}

/// What the numbers of the first target are told from.
const FIRST: FanOutTarget = FanOutTarget { queue: ResourceId(0), seq: 0, variant: 0 };

impl FanOutRecord {
    /// The record that a message of its own record has, if it is as it was sent.
    pub fn of_one(message: &MessageRecord<'_>) -> Result<Option<Self>> {
        let MessageRecord { queue, seq, flags, sent, .. } = *message;
        let Some(reference) = Reference::read(flags, message.payload)? else { return Ok(None) };
        let mut head = Vec::new();
        reference.put_head(&mut head);
        let is_fresh = message.due == 0 && message.deliveries == 0 && message.first_received == 0;
        let is_alone = message.dedup.is_none() && message.moved_from.is_none();
        if flags != SHARED_ALONE || head != message.payload || !is_fresh || !is_alone {
            return Ok(None);
        }
        let renderer = reference.renderer;
        let variant = renderer.map_or(0, |renderer| renderer.variant);
        let targets = vec![FanOutTarget { queue, seq, variant }];
        let renderer = renderer.map(|renderer| renderer.resource);
        Ok(Some(Self { payload: reference.id, sent, renderer, targets }))
    }

    /// The record in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut take = Take(bytes);
        if take.u8()? != FAN_OUT {
            return Err(damaged("something else where a fan-out should be"));
        }
        let (payload, sent, renderer) = (take.u64()?, take.u64()?, take.u32()?);
        // Ids of resources start at one.
        let renderer = (renderer != 0).then_some(ResourceId(renderer));
        let (mut targets, mut last) = (Vec::with_capacity(TARGETS_MAX), FIRST);
        while !take.0.is_empty() {
            let queue = u64::from(last.queue.0).wrapping_add(difference(&mut take)?);
            let seq = last.seq.wrapping_add(difference(&mut take)?);
            let variant = match renderer {
                None => 0,
                Some(_) => last.variant.wrapping_add(difference(&mut take)?),
            };
            let Some(queue) = u32::try_from(queue).ok().filter(|_| seq <= SEQ_MAX) else {
                return Err(damaged("a number larger than any that is written"));
            };
            last = FanOutTarget { queue: ResourceId(queue), seq, variant };
            targets.push(last);
        }
        Ok(Self { payload, sent, renderer, targets })
    }

    /// What a target refers to.
    pub fn reference(&self, target: &FanOutTarget) -> Reference {
        let variant = target.variant;
        let renderer = self.renderer.map(|resource| Renderer { resource, variant });
        Reference { id: self.payload, renderer }
    }

    /// Writes message `seq` of `queue` as a record of its own.
    pub fn message(&self, queue: ResourceId, seq: Seq, out: &mut Vec<u8>) -> Result<()> {
        let is_it = |target: &&FanOutTarget| target.queue == queue && target.seq == seq;
        let Some(target) = self.targets.iter().find(is_it) else {
            return Err(damaged("a fan-out to other queues where a message should be"));
        };
        self.own_record(target).put_head(out);
        self.reference(target).put_head(out);
        Ok(())
    }

    /// The record that a target has of its own, without its payload.
    pub fn own_record(&self, target: &FanOutTarget) -> MessageRecord<'static> {
        MessageRecord {
            queue: target.queue,
            seq: target.seq,
            flags: SHARED_ALONE,
            sent: self.sent,
            due: 0,
            deliveries: 0,
            first_received: 0,
            dedup: None,
            moved_from: None,
            payload: &[],
        }
    }
}

impl Encode for FanOutRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(FAN_OUT);
        out.put_u64(self.payload);
        out.put_u64(self.sent);
        out.put_u32(self.renderer.map_or(0, |renderer| renderer.0));
        let mut last = FIRST;
        for target in &self.targets {
            put_difference(out, u64::from(last.queue.0), u64::from(target.queue.0));
            put_difference(out, last.seq, target.seq);
            if self.renderer.is_some() {
                put_difference(out, last.variant, target.variant);
            }
            last = *target;
        }
    }
}

/// Writes how far `to` is from `from`: twice the distance, one less for a step back.
fn put_difference(out: &mut Vec<u8>, from: u64, to: u64) {
    let step = to.wrapping_sub(from) as i64;
    out.put_varint((step << 1 ^ step >> 63) as u64);
}

/// Reads what is to be added.
fn difference(take: &mut Take<'_>) -> Result<u64> {
    let folded = take.varint()?;
    Ok(folded >> 1 ^ (folded & 1).wrapping_neg())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::queue::record::Record;

    fn target(queue: u32, seq: Seq, variant: u64) -> FanOutTarget {
        FanOutTarget { queue: ResourceId(queue), seq, variant }
    }

    fn sample(renderer: Option<ResourceId>) -> FanOutRecord {
        let mut targets = vec![
            target(7, 1_000_000, 1 << 40 | 3),
            target(8, 1_000_001, 1 << 40 | 4),
            target(3, 5, 1),
            target(u32::MAX, SEQ_MAX, 0),
        ];
        if renderer.is_none() {
            targets.iter_mut().for_each(|target| target.variant = 0);
        }
        FanOutRecord { payload: 9, sent: 1_900_000_000_000, renderer, targets }
    }

    fn encoded(record: &FanOutRecord) -> Vec<u8> {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        bytes
    }

    #[test]
    fn a_fan_out_survives_its_bytes() {
        for renderer in [None, Some(ResourceId(12))] {
            let record = sample(renderer);
            let bytes = encoded(&record);
            assert_eq!(FanOutRecord::decode(&bytes), Ok(record));
            for length in 0..bytes.len() {
                let _ = FanOutRecord::decode(&bytes[..length]);
            }
        }
    }

    #[test]
    fn neighbours_take_few_bytes() {
        let targets = (0..16).map(|number| target(70_000 + number, 5_000, 0)).collect();
        let record = FanOutRecord { targets, ..sample(None) };
        assert!(encoded(&record).len() <= 21 + 16 * 2 + 3, "{} bytes", encoded(&record).len());
    }

    #[test]
    fn each_message_is_read_as_a_record_of_its_own_and_back() {
        for renderer in [None, Some(ResourceId(12))] {
            let record = sample(renderer);
            for one in &record.targets {
                let mut own = Vec::new();
                record.message(one.queue, one.seq, &mut own).unwrap();
                let Ok(Record::Message(message)) = Record::decode(&own) else { panic!() };
                assert_eq!((message.queue, message.seq), (one.queue, one.seq));
                let again = FanOutRecord::of_one(&message).unwrap().unwrap();
                assert_eq!(again, FanOutRecord { targets: vec![*one], ..record.clone() });
                let delivered = MessageRecord { deliveries: 1, ..message };
                assert_eq!(FanOutRecord::of_one(&delivered), Ok(None));
            }
            assert!(record.message(ResourceId(7), 4, &mut Vec::new()).is_err());
        }
    }

    #[test]
    fn numbers_that_are_never_written_are_damage() {
        for (queue, seq) in [(u64::from(u32::MAX) + 1, 1), (1, SEQ_MAX + 1)] {
            let mut bytes = encoded(&FanOutRecord { targets: Vec::new(), ..sample(None) });
            put_difference(&mut bytes, 0, queue);
            put_difference(&mut bytes, 0, seq);
            assert!(FanOutRecord::decode(&bytes).is_err());
        }
    }
}
