//! `SubscribeToShard`: the records of a shard, pushed as a stream of events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{
    Awaited, Engine, ReadRequest, SequenceNumber, ShardId, Stream, StreamRecord, stream_operation,
};
use trunkline_types::Millis;

use super::errors::{dry_run, from_engine, not_found};
use super::get_records::behind;
use super::input::SubscribeInput;
use super::iterator::{Position, shard_of};
use super::output::{self, List};
use super::settings::Settings;
use super::subscriptions::{Lease, Subscriptions};
use super::{check, lookup, target};
use crate::codec::object::Object;
use crate::error::Result;
use crate::limits::{
    GET_RECORDS_MAX, SUBSCRIPTION_EVENT_BYTES_MAX, SUBSCRIPTION_HEARTBEAT, SUBSCRIPTION_LIFETIME,
};
use crate::service::{Call, Event, EventStream, Input, NextEvent, Outcome, Output};

pub(super) fn start(
    call: &Call<'_>,
    input: &Input<'_>,
    subscriptions: &Arc<Subscriptions>,
) -> Result<Outcome> {
    let input: SubscribeInput<'_> = input.read()?;
    check::subscribe(&input)?;
    let arn = input.consumer_arn.as_deref().unwrap_or_default();
    let found = lookup::find(call, "SubscribeToShard", None, Some(arn))?;
    let (stream, now) = (found.stream, call.engine.host().now());
    let consumer = target::consumer_of(arn)
        .filter(|(name, created)| found.settings.has_consumer(name, created, now))
        .ok_or_else(|| {
            let name = stream.name();
            not_found(format!(
                "Consumer {arn} of stream {} under account {} not found, or not active.",
                name.name, name.account
            ))
        })?;
    let shard = shard_of(&stream, input.shard_id.as_deref().unwrap_or_default())?;
    let starting = input.starting_position.as_ref();
    let position = Position {
        operation: "SubscribeToShard",
        kind: starting.and_then(|one| one.kind.as_deref()).unwrap_or_default(),
        number: starting.and_then(|one| one.sequence_number.as_deref()),
        time: starting.and_then(|one| one.timestamp),
    };
    let start = position.start(call, &stream, shard)?;
    let offset = stream.offset_at(shard, start).map_err(|error| from_engine(&error))?;
    if input.dry_run == Some(true) {
        return Err(dry_run());
    }
    let lease = subscriptions.take(&stream, shard, consumer.0, now)?;
    // The one before notices at its next look that it was taken over.
    stream.waiters().wake_all();
    let engine = call.engine.clone();
    let settings = found.settings;
    let told = Instant::now();
    let ended = false;
    let push = Push { engine, stream, settings, shard, offset, lease, told, ended };
    Ok(Outcome::Stream(Box::new(push)))
}

/// One subscription.
struct Push {
    engine: Arc<Engine>,
    stream: Arc<Stream>,
    settings: Arc<Settings>,
    shard: ShardId,
    /// The offset of the next record.
    offset: u64,
    lease: Lease,
    /// When the last event was sent.
    told: Instant,
    ended: bool,
}

impl EventStream for Push {
    fn next(&mut self) -> Result<NextEvent> {
        self.lease.check()?;
        if self.ended {
            return Ok(NextEvent::End);
        }
        let host = self.engine.host();
        let admitted =
            host.admit_internal(stream_operation::READ).map_err(|error| from_engine(&error))?;
        let request = ReadRequest {
            shard: self.shard,
            offset: self.offset,
            max: GET_RECORDS_MAX as usize,
            max_bytes: SUBSCRIPTION_EVENT_BYTES_MAX,
        };
        let mut out = Vec::with_capacity(512);
        let mut object = Object::open(&mut out);
        let mut list = List::open(object.key("Records"));
        let (encryption, mut last) = (self.settings.encryption_type(), None);
        let read = self.stream.read_admitted(&admitted, &request, |record: StreamRecord<'_>| {
            let mut object = list.object();
            output::record(&mut object, &record, encryption);
            object.close();
            last = Some(record.time);
        });
        let read = read.map_err(|error| from_engine(&error))?;
        list.close();
        let is_due = self.told.elapsed() >= SUBSCRIPTION_HEARTBEAT;
        if read.records == 0 && !read.is_end && !is_due {
            return Ok(NextEvent::Wait);
        }
        self.told = Instant::now();
        self.offset = read.next;
        let now = host.now();
        let behind = behind(&read, last, now).to_string();
        object.key("MillisBehindLatest").extend_from_slice(behind.as_bytes());
        let shards = self.stream.shards();
        if read.is_end {
            self.ended = true;
            output::child_shards(&mut object, &shards, self.shard);
        } else if let Some(shard) = shards.get(self.shard) {
            let number = SequenceNumber::behind(self.shard, shard.created, self.offset, now);
            object.plain("ContinuationSequenceNumber", number.to_string().as_bytes());
        }
        object.close();
        Ok(NextEvent::Event(Event { name: "SubscribeToShardEvent", output: Output(out) }))
    }

    fn resource(&self) -> Arc<dyn Awaited> {
        self.stream.clone()
    }

    fn lifetime(&self) -> Millis {
        SUBSCRIPTION_LIFETIME
    }

    fn heartbeat(&self) -> Option<Duration> {
        Some(SUBSCRIPTION_HEARTBEAT.saturating_sub(self.told.elapsed()))
    }
}
