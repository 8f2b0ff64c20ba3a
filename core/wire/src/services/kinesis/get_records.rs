//! `GetRecords`: what lies behind a shard iterator.

use trunkline_engine::{
    IteratorError, ReadOutcome, ReadRequest, ResourceId, ShardIterator, Stream, StreamRecord,
    stream_operation,
};
use trunkline_types::Millis;

use super::errors::{dry_run, from_engine, invalid, not_found};
use super::input::GetRecordsInput;
use super::iterator::token;
use super::lookup::{self, Admittance, Found};
use super::output::{self, List};
use super::throttle::{Throttle, exceeded};
use super::{check, target};
use crate::codec::object::Object;
use crate::codec::time;
use crate::error::{Result, WireError};
use crate::limits::{GET_RECORDS_BYTES_MAX, GET_RECORDS_MAX};
use crate::model::TimeFormat;
use crate::service::{Call, Input, Outcome, Output};

pub(super) fn start(call: &Call<'_>, input: &Input<'_>, throttle: &Throttle) -> Result<Outcome> {
    let input: GetRecordsInput<'_> = input.read()?;
    check::get_records(&input)?;
    let now = call.engine.host().now();
    let text = input.shard_iterator.as_deref().unwrap_or_default();
    let iterator =
        ShardIterator::decode(text, call.engine.key(), now).map_err(|error| refused(error, now))?;
    let found = stream_of(call, &iterator, input.stream_arn.as_deref())?;
    let stream = &found.stream;
    if input.dry_run == Some(true) {
        return Err(dry_run());
    }
    let (limits, place) = (call.engine.limits(), (&**stream, iterator.shard));
    if call.held.is_none() && !throttle.may_read(limits, place, now) {
        return Err(exceeded(iterator.shard, stream.name()));
    }
    let admitted = match lookup::admit(call, stream_operation::READ, stream.name())? {
        Admittance::Ready(admitted) => admitted,
        Admittance::Held(held) => return Ok(Outcome::Held(held)),
    };
    let request = ReadRequest {
        shard: iterator.shard,
        offset: iterator.offset,
        max: input.limit.unwrap_or(GET_RECORDS_MAX) as usize,
        max_bytes: GET_RECORDS_BYTES_MAX,
    };
    let mut out = Vec::with_capacity(512);
    let mut object = Object::open(&mut out);
    let mut list = List::open(object.key("Records"));
    let (encryption, mut last) = (found.settings.encryption_type(), None);
    let read = stream.read_admitted(&admitted, &request, |record: StreamRecord<'_>| {
        let mut object = list.object();
        output::record(&mut object, &record, encryption);
        object.close();
        last = Some(record.time);
    });
    let read = read.map_err(|error| from_engine(&error))?;
    list.close();
    throttle.note_read(limits, place, read.bytes, now);
    let behind = behind(&read, last, now);
    object.key("MillisBehindLatest").extend_from_slice(behind.to_string().as_bytes());
    if read.is_end {
        output::child_shards(&mut object, &stream.shards(), iterator.shard);
    } else {
        let next = token(call.engine, stream, iterator.shard, read.next);
        object.plain("NextShardIterator", next.as_bytes());
    }
    object.close();
    Ok(Outcome::Done(Output(out).into()))
}

/// How far a reader is behind the tip: the age of the last record that it got, if there are more.
pub(super) fn behind(read: &ReadOutcome, last: Option<Millis>, now: Millis) -> Millis {
    match last {
        Some(last) if !read.is_tip => now.saturating_sub(last),
        _ => 0,
    }
}

/// The stream that an iterator belongs to.
fn stream_of(call: &Call<'_>, iterator: &ShardIterator, arn: Option<&str>) -> Result<Found> {
    let stream = call
        .engine
        .stream_of_id(ResourceId(iterator.stream))
        .map_err(|error| from_engine(&error))?
        .ok_or_else(|| {
            not_found(format!(
                "The stream of the shard iterator under account {} does not exist any more.",
                call.account
            ))
        })?;
    check_arn(&stream, arn)?;
    lookup::of_stream(call, "GetRecords", stream)
}

fn check_arn(stream: &Stream, arn: Option<&str>) -> Result<()> {
    match arn {
        Some(arn) if target::of_arn(arn).as_ref() != Some(stream.name()) => {
            Err(invalid(format!("StreamARN {arn} is not that of the shard iterator.")))
        }
        _ => Ok(()),
    }
}

fn refused(error: IteratorError, now: Millis) -> WireError {
    match error {
        IteratorError::Invalid => invalid("Invalid ShardIterator."),
        IteratorError::Expired { issued } => WireError::new(
            "ExpiredIteratorException",
            400,
            format!(
                "Iterator expired. The iterator was created at time {} while right now it is {} \
                 which is further in the future than the tolerated delay of 300000 milliseconds.",
                utc_text(issued),
                utc_text(now)
            ),
        ),
    }
}

/// A time as `Thu Jan 22 01:22:02 UTC 2015`.
fn utc_text(at: Millis) -> String {
    let text = time::write((at / 1_000) as f64, TimeFormat::Http);
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    match *words {
        [weekday, day, month, year, clock, _] => {
            format!("{weekday} {month} {day} {clock} UTC {year}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_java_tells_them() {
        assert_eq!(utc_text(1_421_889_722_000), "Thu Jan 22 01:22:02 UTC 2015");
    }
}
