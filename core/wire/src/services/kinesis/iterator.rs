//! `GetShardIterator`: where in a shard reading starts.

use std::sync::atomic::{AtomicU32, Ordering};

use trunkline_engine::{
    Engine, SequenceError, SequenceNumber, ShardId, ShardIterator, Start, Stream,
};
use trunkline_types::Millis;

use super::errors::{dry_run, from_engine, invalid, not_found};
use super::input::{GetShardIteratorInput, Moment};
use super::throttle::{Throttle, exceeded};
use super::{check, lookup};
use crate::codec::cbor::TimeUnit;
use crate::error::{Result, WireError};
use crate::protocol::Dialect;
use crate::service::{Call, Input, Outcome, Output};

/// The members that say where reading starts.
#[derive(Clone, Copy)]
pub(super) struct Position<'a> {
    /// The operation that the messages name.
    pub operation: &'a str,
    /// One of the five types.
    pub kind: &'a str,
    pub number: Option<&'a str>,
    pub time: Option<Moment>,
}

pub(super) fn start(call: &Call<'_>, input: &Input<'_>, throttle: &Throttle) -> Result<Outcome> {
    let input: GetShardIteratorInput<'_> = input.read()?;
    check::get_shard_iterator(&input)?;
    let (name, arn) = (input.stream_name.as_deref(), input.stream_arn.as_deref());
    let stream = lookup::find(call, "GetShardIterator", name, arn)?.stream;
    let shard = shard_of(&stream, input.shard_id.as_deref().unwrap_or_default())?;
    let position = Position {
        operation: "GetShardIterator",
        kind: input.shard_iterator_type.as_deref().unwrap_or_default(),
        number: input.starting_sequence_number.as_deref(),
        time: input.timestamp,
    };
    let start = position.start(call, &stream, shard)?;
    let offset = stream.offset_at(shard, start).map_err(|error| from_engine(&error))?;
    if input.dry_run == Some(true) {
        return Err(dry_run());
    }
    if !throttle.may_begin(call.engine.limits(), (&*stream, shard), call.engine.host().now()) {
        return Err(exceeded(shard, stream.name()));
    }
    let token = token(call.engine, &stream, shard, offset);
    Ok(Outcome::Done(Output(format!("{{\"ShardIterator\":\"{token}\"}}").into_bytes()).into()))
}

/// A new token for a place in a shard.
pub(super) fn token(engine: &Engine, stream: &Stream, shard: ShardId, offset: u64) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nonce = NEXT.fetch_add(1, Ordering::Relaxed);
    let issued = engine.host().now();
    let iterator = ShardIterator { stream: stream.id().0, shard, offset, issued, nonce };
    iterator.encode(engine.key())
}

/// The shard that a text names, if the stream has it.
pub(super) fn shard_of(stream: &Stream, text: &str) -> Result<ShardId> {
    let name = stream.name();
    let Ok(shard) = text.parse::<ShardId>() else {
        return Err(not_found(format!(
            "Could not find shard {text} in stream {} under account {}.",
            name.name, name.account
        )));
    };
    if stream.shards().get(shard).is_none() {
        return Err(not_found(format!(
            "Shard {shard} in stream {} under account {} does not exist",
            name.name, name.account
        )));
    }
    Ok(shard)
}

impl Position<'_> {
    /// Where reading of `shard` starts.
    pub fn start(&self, call: &Call<'_>, stream: &Stream, shard: ShardId) -> Result<Start> {
        match (self.kind, self.number, self.time) {
            ("TRIM_HORIZON", None, _) => Ok(Start::TrimHorizon),
            ("LATEST", None, _) => Ok(Start::Latest),
            ("AT_TIMESTAMP", None, Some(time)) => {
                at_time(time, unit_of(call), call.engine.host().now())
            }
            ("AT_SEQUENCE_NUMBER", Some(text), _) => {
                self.number(text, stream, shard).map(Start::At)
            }
            ("AFTER_SEQUENCE_NUMBER", Some(text), _) => {
                self.number(text, stream, shard).map(Start::After)
            }
            ("AT_TIMESTAMP", None, None) => {
                Err(invalid("Must specify timestamp parameter for iterator of type AT_TIMESTAMP."))
            }
            (kind, number, _) => {
                let given = match number {
                    Some(_) => "and also a StartingSequenceNumber",
                    None => "and no StartingSequenceNumber",
                };
                Err(invalid(format!(
                    "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and \
                     StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no \
                     StartingSequenceNumber. Request specified {kind} {given}."
                )))
            }
        }
    }

    fn number(&self, text: &str, stream: &Stream, shard: ShardId) -> Result<SequenceNumber> {
        let refused = |why: &str| -> WireError {
            let (name, operation) = (stream.name(), self.operation);
            invalid(format!(
                "StartingSequenceNumber {text} used in {operation} on shard {shard} in stream {} \
                 under account {} is invalid{why}.",
                name.name, name.account
            ))
        };
        const FOREIGN: &str = " because it did not come from this stream";
        let number: SequenceNumber = match text.parse() {
            Ok(number) => number,
            // The number 0 is one of an old form, which no stream here has given out.
            Err(SequenceError::Foreign) if text == "0" => return Err(refused(FOREIGN)),
            Err(SequenceError::Foreign | SequenceError::Malformed) => return Err(refused("")),
        };
        if number.shard != shard {
            return Err(invalid(format!(
                "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a \
                 shard with {shard}",
                number.shard
            )));
        }
        let created = stream.shards().get(shard).map(|shard| shard.created / 1_000);
        if created == Some(number.created) { Ok(number) } else { Err(refused(FOREIGN)) }
    }
}

/// How the request counts time.
fn unit_of(call: &Call<'_>) -> TimeUnit {
    Dialect::of(call.request).map_or(TimeUnit::Seconds, |dialect| dialect.unit)
}

fn at_time(Moment(time): Moment, unit: TimeUnit, now: Millis) -> Result<Start> {
    let millis = match unit {
        TimeUnit::Seconds => (time * 1_000.0).round(),
        TimeUnit::Millis => time,
    };
    // A time before 1970, or one that is no number, is before every record.
    let millis = millis.max(0.0) as Millis;
    if millis > now {
        return Err(invalid(format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: {millis}, currentTimestampInMillis: {now}"
        )));
    }
    Ok(Start::AtTimestamp(millis))
}
