//! `PutRecord` and `PutRecords`.

use trunkline_engine::{
    HashKey, HashKeyError, NewRecord, PutRecord, SequenceNumber, Stream, stream_operation,
};

use super::check;
use super::errors::{from_engine, invalid};
use super::input::{PutRecordInput, PutRecordsInput};
use super::lookup::{self, Admittance, Found};
use super::output::List;
use crate::error::Result;
use crate::limits::{HASH_KEY_RANGE, MIB, PUT_RECORDS_BYTES_MAX};
use crate::service::{Call, Input, Outcome};
use crate::services::sqs::output::Object;

pub(super) fn one(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: PutRecordInput<'_> = input.read()?;
    check::put_record(&input, call.engine.limits())?;
    let (name, arn) = (input.stream_name.as_deref(), input.stream_arn.as_deref());
    let found = lookup::find(call, "PutRecord", name, arn)?;
    let stream = &found.stream;
    if let Some(number) = input.sequence_number_for_ordering.as_deref() {
        check_minimum(call, stream, number)?;
    }
    let record = NewRecord {
        key: input.partition_key.as_deref().unwrap_or_default(),
        hash_key: hash_key(input.explicit_hash_key.as_deref())?,
        data: input.data.as_ref().map_or(&[][..], |data| &data.0),
    };
    check_size(stream, &record)?;
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

pub(super) fn many(call: &Call<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: PutRecordsInput<'_> = input.read()?;
    let (name, arn) = (input.stream_name.as_deref(), input.stream_arn.as_deref());
    check::put_records(name, input.records.as_deref(), call.engine.limits())?;
    let found = lookup::find(call, "PutRecords", name, arn)?;
    let entries = input.records.unwrap_or_default();
    let records: Vec<NewRecord<'_>> = entries
        .iter()
        .map(|entry| {
            Ok(NewRecord {
                key: entry.partition_key.as_deref().unwrap_or_default(),
                hash_key: hash_key(entry.explicit_hash_key.as_deref())?,
                data: entry.data.as_ref().map_or(&[][..], |data| &data.0),
            })
        })
        .collect::<Result<_>>()?;
    let stream = &found.stream;
    records.iter().try_for_each(|record| check_size(stream, record))?;
    let bytes: usize = records.iter().map(|record| record.key.len() + record.data.len()).sum();
    if bytes > PUT_RECORDS_BYTES_MAX {
        return Err(invalid(format!(
            "Records size exceeds {} MB limit",
            PUT_RECORDS_BYTES_MAX / MIB
        )));
    }
    let admitted = match lookup::admit(call, stream_operation::PUT, stream.name())? {
        Admittance::Ready(admitted) => admitted,
        Admittance::Held(held) => return Ok(Outcome::Held(held)),
    };
    let mut out = Vec::with_capacity(64 + records.len() * 130);
    let mut object = Object::open(&mut out);
    object.key("FailedRecordCount").push(b'0');
    let mut list = List::open(object.key("Records"));
    let each = |put: PutRecord| {
        let mut object = list.object();
        write(&mut object, &put);
        object.close();
    };
    let ticket = stream.put_batch_admitted(&admitted, &records, each);
    let ticket = ticket.map_err(|error| from_engine(&error))?;
    list.close();
    write_encryption(&mut object, &found);
    object.close();
    lookup::settle(call, stream, ticket, out)
}

fn write(object: &mut Object<'_>, put: &PutRecord) {
    object.plain("ShardId", put.shard.to_string().as_bytes());
    object.plain("SequenceNumber", put.sequence.to_string().as_bytes());
}

fn write_encryption(object: &mut Object<'_>, found: &Found) {
    if let Some(kind) = found.settings.encryption_type() {
        object.text("EncryptionType", kind);
    }
}

/// An explicit hash key, whose digits were checked.
fn hash_key(text: Option<&str>) -> Result<Option<HashKey>> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|error| match error {
        HashKeyError::TooLarge | HashKeyError::Malformed => invalid(format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: \
             {HASH_KEY_RANGE}. Specified value was {text}"
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
