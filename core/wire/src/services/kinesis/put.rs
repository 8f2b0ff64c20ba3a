//! `PutRecord` and `PutRecords`.

use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_engine::{
    HashKey, HashKeyError, NewRecord, PutRecord, SequenceNumber, ShardId, Stream, stream_operation,
};

use super::decoded::{Decoded, Entry};
use super::errors::{dry_run, from_engine, invalid};
use super::input::{PutRecordInput, PutRecordsInput};
use super::lookup::{self, Admittance, Found};
use super::output::{self, List};
use super::throttle::{self, Throttle};
use super::{check, settings::Settings, usual};
use crate::codec::object::Object;
use crate::error::Result;
use crate::limits::{HASH_KEY_RANGE, MIB, PUT_RECORDS_BYTES_MAX};
use crate::service::{Call, Input, Outcome};

pub(super) fn one(call: &Call<'_>, input: &Input<'_>, throttle: &Throttle) -> Result<Outcome> {
    let input: PutRecordInput<'_> = input.read()?;
    check::put_record(&input, call.engine.limits())?;
    let (name, arn) = (input.stream_name.as_deref(), input.stream_arn.as_deref());
    let found = lookup::find(call, "PutRecord", name, arn)?;
    let stream = &found.stream;
    if let Some(number) = input.sequence_number_for_ordering.as_deref() {
        check_minimum(call, stream, number)?;
    }
    let (key, explicit) = (input.partition_key.as_deref(), input.explicit_hash_key.as_deref());
    let (key, hash_key) = placed(&found.settings, (key, explicit), || "partitionKey".to_owned())?;
    let record = NewRecord { key, hash_key, data: input.data.as_ref().map_or(&[], |data| &data.0) };
    check_size(stream, &record)?;
    if input.dry_run == Some(true) {
        return Err(dry_run());
    }
    if let Some(shard) = refused_by(call, throttle, stream, &record)? {
        return Err(throttle::exceeded(shard, stream.name()));
    }
    let admitted = match lookup::admit(call, stream_operation::PUT, stream.name())? {
        Admittance::Ready(admitted) => admitted,
        Admittance::Held(held) => return Ok(Outcome::Held(held)),
    };
    let put = stream.put_admitted(&admitted, &record).map_err(|error| from_engine(&error))?;
    let mut out = Vec::with_capacity(160);
    let mut object = Object::open(&mut out);
    write(&mut object, &put);
    write_encryption(&mut object, &found);
    object.close();
    lookup::settle(call, stream, put.ticket, out)
}

pub(super) fn many(call: &Call<'_>, input: &Input<'_>, throttle: &Throttle) -> Result<Outcome> {
    let usual = match *input {
        Input::Json(body) => usual::read(body),
        _ => None,
    };
    let (input, decoded) = match usual {
        Some(read) => read,
        None => {
            let input: PutRecordsInput<'_> = input.read()?;
            let decoded = Decoded::of(input.records.as_deref().unwrap_or_default())?;
            (input, decoded)
        }
    };
    let (name, arn) = (input.stream_name.as_deref(), input.stream_arn.as_deref());
    let encoded = input.records.as_deref();
    let entries = decoded.entries(encoded.unwrap_or_default());
    check::put_records(name, encoded.map(|_| &*entries), call.engine.limits())?;
    let found = lookup::find(call, "PutRecords", name, arn)?;
    let records = records_of(&entries, &found)?;
    if input.dry_run == Some(true) {
        return Err(dry_run());
    }
    let stream = &found.stream;
    let refusals = refusals(call, throttle, stream, &records)?;
    let admitted = match lookup::admit(call, stream_operation::PUT, stream.name())? {
        Admittance::Ready(admitted) => admitted,
        Admittance::Held(held) => return Ok(Outcome::Held(held)),
    };
    let mut out = Vec::with_capacity(64 + records.len() * 130);
    let mut object = Object::open(&mut out);
    let failed = refusals.iter().flatten().count();
    object.key("FailedRecordCount").extend_from_slice(failed.to_string().as_bytes());
    let mut list = List::open(object.key("Records"));
    let ticket = if failed == 0 {
        let each = |put: PutRecord| {
            let mut object = list.object();
            write(&mut object, &put);
            object.close();
        };
        stream.put_batch_admitted(&admitted, &records, each)
    } else {
        put_some(stream, &admitted, (&records, &refusals), &mut list)
    };
    let ticket = ticket.map_err(|error| from_engine(&error))?;
    list.close();
    write_encryption(&mut object, &found);
    object.close();
    lookup::settle(call, stream, ticket, out)
}

/// The records of a request, each checked.
fn records_of<'a>(entries: &[Entry<'a>], found: &Found) -> Result<Vec<NewRecord<'a>>> {
    let mut records = Vec::with_capacity(entries.len());
    let mut bytes = 0;
    for (place, entry) in entries.iter().enumerate() {
        let given = (entry.partition_key, entry.explicit_hash_key);
        let path = || format!("records.{}.member.partitionKey", place + 1);
        let (key, hash_key) = placed(&found.settings, given, path)?;
        let data = entry.data.unwrap_or_default();
        let record = NewRecord { key, hash_key, data };
        check_size(&found.stream, &record)?;
        bytes += key.len() + data.len();
        records.push(record);
    }
    if bytes > PUT_RECORDS_BYTES_MAX {
        let limit = PUT_RECORDS_BYTES_MAX / MIB;
        return Err(invalid(format!("Records size exceeds {limit} MB limit")));
    }
    Ok(records)
}

/// Puts the records that no limit refuses, and tells of each in its place.
fn put_some(
    stream: &Stream,
    admitted: &trunkline_engine::Admitted,
    (records, refusals): (&[NewRecord<'_>], &[Option<ShardId>]),
    list: &mut List<'_>,
) -> trunkline_engine::Result<Option<trunkline_engine::Ticket>> {
    let both = || records.iter().zip(refusals);
    let accepted: Vec<NewRecord<'_>> =
        both().filter(|(_, refusal)| refusal.is_none()).map(|(record, _)| *record).collect();
    let mut put = Vec::with_capacity(accepted.len());
    let ticket = stream.put_batch_admitted(admitted, &accepted, |one| put.push(one))?;
    let mut put = put.into_iter();
    for refusal in refusals {
        let mut object = list.object();
        if let Some(shard) = refusal {
            object.text("ErrorCode", "ProvisionedThroughputExceededException");
            object.text("ErrorMessage", &throttle::message(*shard, stream.name()));
        } else if let Some(one) = put.next() {
            write(&mut object, &one);
        }
        object.close();
    }
    Ok(ticket)
}

/// For each record the shard whose limits refuse it; nothing where no limits bound writes.
fn refusals(
    call: &Call<'_>,
    throttle: &Throttle,
    stream: &Stream,
    records: &[NewRecord<'_>],
) -> Result<Vec<Option<ShardId>>> {
    if !throttle::bounds_writes(call.engine.limits()) {
        return Ok(Vec::new());
    }
    records.iter().map(|record| refused_by(call, throttle, stream, record)).collect()
}

/// The shard whose limits refuse a record now. A call that was held up was counted before.
fn refused_by(
    call: &Call<'_>,
    throttle: &Throttle,
    stream: &Stream,
    record: &NewRecord<'_>,
) -> Result<Option<ShardId>> {
    let limits = call.engine.limits();
    if !throttle::bounds_writes(limits) || call.held.is_some() {
        return Ok(None);
    }
    let shard = stream.shard_for(record).map_err(|error| from_engine(&error))?;
    let (bytes, now) = (record.key.len() + record.data.len(), call.engine.host().now());
    let may = throttle.may_write(limits, (stream, shard), bytes, now);
    Ok((!may).then_some(shard))
}

fn write(object: &mut Object<'_>, put: &PutRecord) {
    output::shard(object, put.shard);
    output::sequence(object, put.sequence);
}

fn write_encryption(object: &mut Object<'_>, found: &Found) {
    if let Some(kind) = found.settings.encryption_type() {
        object.text("EncryptionType", kind);
    }
}

/// The partition key of a record, and the hash key that takes its place. A stream whose shards
/// Kinesis chooses spreads records evenly, and needs no key.
fn placed<'a>(
    settings: &Settings,
    (key, explicit): (Option<&'a str>, Option<&str>),
    path: impl Fn() -> String,
) -> Result<(&'a str, Option<HashKey>)> {
    /// The key of records that have none.
    const NO_KEY: &str = "0";
    if settings.is_auto() {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        /// The golden ratio: each record falls far from those before it.
        const STEP: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
        let number = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
        return Ok((key.unwrap_or(NO_KEY), Some(HashKey(number.wrapping_mul(STEP)))));
    }
    if key.is_none() {
        check::partition_key(key, &path())?;
    }
    Ok((key.unwrap_or_default(), explicit.map(hash_key).transpose()?))
}

/// An explicit hash key, whose digits were checked.
fn hash_key(text: &str) -> Result<HashKey> {
    text.parse().map_err(|error| match error {
        HashKeyError::TooLarge | HashKeyError::Malformed => invalid(format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: {HASH_KEY_RANGE}. \
             Specified value was {text}"
        )),
    })
}

/// Refuses a number behind which no record can be put: one that is none, or of the future.
fn check_minimum(call: &Call<'_>, stream: &Stream, text: &str) -> Result<()> {
    let now = call.engine.host().now() / 1_000;
    let number: Option<SequenceNumber> = text.parse().ok();
    if number.is_some_and(|number| number.put <= now) {
        return Ok(());
    }
    let name = stream.name();
    Err(invalid(format!(
        "ExclusiveMinimumSequenceNumber {text} used in PutRecord on stream {} under account {} is \
         invalid.",
        name.name, name.account
    )))
}

fn check_size(stream: &Stream, record: &NewRecord<'_>) -> Result<()> {
    let (bytes, max) = (record.key.len() + record.data.len(), stream.record_bytes_max());
    if bytes <= max as usize {
        return Ok(());
    }
    Err(invalid(format!(
        "The record has {bytes} bytes, partition key included, and the stream {} takes records of \
         up to {max} bytes.",
        stream.name().name
    )))
}
