//! The functions of a stream: create, find, put, read.

#![allow(unsafe_code)] // Only the attribute of exported names, and promises about layouts.

use std::ffi::c_char;
use std::mem::size_of;
use std::sync::Arc;

use trunkline_engine::{
    HashKey, HashKeyError, LongPoll, NewRecord, Result, SequenceNumber, ShardId, ShardPosition,
    Start, Stream, StreamConfig, StreamRecord, stream_name, stream_operation as operation,
};
use trunkline_types::sync::lock;

use crate::border::{Bytes, Growing, In, Out, Text};
use crate::check::{self, COUNT_MAX, WAIT_MAX, invalid};
use crate::failure::guard;
use crate::handle::{EngineHandle, OpenEngine, OpenStream, StreamHandle};
use crate::options::{UNSET, characters, growing};
use crate::records::{RecordBatch, Records};
use crate::status::Status;
use crate::topic::{exists, missing};

/// The longest name of a stream: Kinesis's.
const NAME_CHARS_MAX: usize = 128;
/// How long a stream keeps records if it does not say: a day, as in Kinesis.
const RETENTION_MS: u64 = 86_400_000;
/// Records of a read that names no number.
const RECORDS: u64 = 1_000;
/// Bytes of keys and data that one read returns at most, apart from a single larger record.
const READ_BYTES_MAX: usize = 64 << 20;

/// The rules of a stream. A new stream gets the value named here for a field that is not set.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StreamOptions {
    /// Set by TRUNKLINE_STREAM_OPTIONS_INIT.
    pub size: usize,
    /// Shards of equal width; 1.
    pub shards: i64,
    /// How long records are kept; a day.
    pub retention_ms: i64,
}

/// How a record is put.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RecordOptions {
    /// Set by TRUNKLINE_RECORD_OPTIONS_INIT.
    pub size: usize,
    /// A decimal number below 2^128 that takes the place of the hash of the key, or NULL.
    pub hash_key: Text,
    /// A trunkline_durability that is not above the engine's.
    pub durability: i64,
}

/// A record that was put.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RecordPut {
    /// Set by TRUNKLINE_RECORD_PUT_INIT.
    pub size: usize,
    /// The shard it is in, such as "shardId-000000000000".
    pub shard: [c_char; 24],
    /// Its sequence number, 56 digits that grow within the shard.
    pub sequence: [c_char; 64],
}

/// What is read of a stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ReadOptions {
    /// Set by TRUNKLINE_READ_OPTIONS_INIT.
    pub size: usize,
    /// The shard; NULL for the one that the sequence number names, or for all of them, in the order
    /// of the records' times.
    pub shard: Text,
    /// "earliest", "latest", or the sequence number of the first record; NULL for "earliest".
    pub start: Text,
    /// The sequence number of the last record that was read; goes before start. NULL for none.
    pub after: Text,
    /// The time of the first record; goes before start.
    pub start_ms: i64,
    /// At most this many records; 1,000.
    pub max: i64,
    /// How long the calling thread waits for the first record; 0.
    pub wait_ms: i64,
}

growing!(StreamOptions { shards: UNSET, retention_ms: UNSET });
growing!(RecordOptions { hash_key: Text::NULL, durability: UNSET });
growing!(RecordPut { shard: [0; 24], sequence: [0; 64] });
growing!(ReadOptions {
    shard: Text::NULL,
    start: Text::NULL,
    after: Text::NULL,
    start_ms: UNSET,
    max: UNSET,
    wait_ms: UNSET,
});

/// Creates the stream `name`. A stream that exists already is TRUNKLINE_RESOURCE_IN_USE_EXCEPTION.
/// `options` may be NULL. The handle is given back with trunkline_stream_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_stream_create(
    engine: EngineHandle,
    name: Text,
    options: In<StreamOptions>,
    stream: Out<StreamHandle>,
) -> Status {
    stream.put(StreamHandle::NULL);
    guard(|| {
        stream.check("stream")?;
        let open = engine.get()?;
        let created = create(&open, name.get("name")?, &options.get("options")?)?;
        stream.put(StreamHandle::new(OpenStream::new(open, created))?);
        Ok(())
    })
}

/// Finds the stream `name`; if there is none, that is TRUNKLINE_RESOURCE_NOT_FOUND_EXCEPTION. The
/// handle is given back with trunkline_stream_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_stream_find(
    engine: EngineHandle,
    name: Text,
    stream: Out<StreamHandle>,
) -> Status {
    stream.put(StreamHandle::NULL);
    guard(|| {
        stream.check("stream")?;
        let (open, name) = (engine.get()?, name.get("name")?);
        let found = open.engine.find_stream(&stream_name(name))?;
        let found = found.ok_or_else(|| missing("stream", name, "trunkline_stream_create"))?;
        stream.put(StreamHandle::new(OpenStream::new(open, found))?);
        Ok(())
    })
}

/// Gives the handle back; the stream itself stays. NULL, and a handle that was given back, do
/// nothing.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_stream_free(stream: StreamHandle) {
    guard(|| {
        stream.free();
        Ok(())
    });
}

/// Removes the stream with its records and readers. The handle stays to be given back.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_stream_remove(stream: StreamHandle) -> Status {
    guard(|| {
        let stream = stream.get()?;
        let ticket = stream.stream.remove()?;
        stream.settle(ticket, stream.level)
    })
}

/// Puts a record. Records of one partition key go to one shard, in the order in which they are put.
/// `options` and `put` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_stream_put(
    stream: StreamHandle,
    key: Text,
    data: Bytes,
    data_length: usize,
    options: In<RecordOptions>,
    put: Out<RecordPut>,
) -> Status {
    guard(|| {
        let size = if put.is_null() { None } else { Some(put.check_sized("put")?) };
        let stream = stream.get()?;
        let options = options.get("options")?;
        let hash_key = options.hash_key.optional("hash_key")?.map(hash_key).transpose()?;
        let record =
            NewRecord { key: key.get("key")?, hash_key, data: data.get(data_length, "data")? };
        let level = check::call_level(stream.level, options.durability)?;
        let done = stream.stream.put(&record)?;
        stream.settle(done.ticket, level)?;
        if let Some(size) = size {
            let (shard, sequence) = (done.shard.to_string(), done.sequence.to_string());
            let described =
                RecordPut { size, shard: characters(&shard), sequence: characters(&sequence) };
            put.put_sized(described, size);
        }
        Ok(())
    })
}

/// Reads records and hands them over in `records`, none if none came in time. Blocks the calling
/// thread, if at all, for wait_ms. Read on with `after`, the sequence number of the last record of
/// the shard. `options` may be NULL. The old content of `records` is not looked at; whatever the
/// outcome, give it back with trunkline_records_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_stream_read(
    stream: StreamHandle,
    options: In<ReadOptions>,
    records: Out<Records>,
) -> Status {
    records.put(Records::EMPTY);
    guard(|| {
        records.check("records")?;
        let batch = read(&*stream.get()?, &options.get("options")?)?;
        records.put(batch.into_records());
        Ok(())
    })
}

/// Gives the memory of records back, and empties `records`. NULL and empty records do nothing, so
/// once more does no harm.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_records_free(records: Out<Records>) {
    guard(|| {
        if let Some(records) = records.replace(Records::EMPTY) {
            records.free();
        }
        Ok(())
    });
}

fn create(open: &OpenEngine, name: &str, options: &StreamOptions) -> Result<Arc<Stream>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(plain) {
        let reason = format!(
            "Can only include alphanumeric characters, underscores, dots or hyphens. 1 to \
             {NAME_CHARS_MAX} in length."
        );
        return Err(invalid(name, "name", &reason));
    }
    let limits = open.engine.limits();
    let most = u64::from(limits.stream_shards_max);
    let shards = check::number(options.shards, "shards", 1, most)?.unwrap_or(1);
    let (least, most) = (limits.stream_retention_min, limits.stream_retention_max);
    let retention = check::number(options.retention_ms, "retention_ms", least, most)?;
    let config = StreamConfig {
        shards: u32::try_from(shards).unwrap_or(u32::MAX),
        retention: retention.unwrap_or(RETENTION_MS),
    };
    let _defining = lock(&open.defining);
    if open.engine.find_stream(&stream_name(name))?.is_some() {
        return Err(exists("stream", name, "trunkline_stream_find"));
    }
    let stream = open.engine.create_stream(stream_name(name), &config, b"")?;
    open.engine.acknowledge()?;
    Ok(stream)
}

fn read(open: &OpenStream, options: &ReadOptions) -> Result<RecordBatch> {
    let stream = &open.stream;
    let max = check::number(options.max, "max", 1, COUNT_MAX)?.unwrap_or(RECORDS);
    let wait = check::number(options.wait_ms, "wait_ms", 0, WAIT_MAX)?.unwrap_or(0);
    let start = start(options)?;
    let shard = options.shard.optional("shard")?.map(shard).transpose()?;
    let shard = match start {
        // A sequence number is of one shard.
        Start::At(number) | Start::After(number) => Some(shard.unwrap_or(number.shard)),
        _ => shard,
    };
    let call = open.owner.engine.host().admit(operation::READ, stream.name())?;
    let shards: Vec<ShardId> = match shard {
        Some(shard) => vec![shard],
        None => stream.shards().all().map(|shard| shard.id).collect(),
    };
    let place = |shard| Ok(ShardPosition { shard, offset: stream.offset_at(shard, start)? });
    let mut positions = shards.into_iter().map(place).collect::<Result<Vec<_>>>()?;
    let attempt = || {
        let mut batch = RecordBatch::default();
        let sink = |record: StreamRecord<'_>| batch.add(&record);
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        stream.read_shards_admitted(&call, &mut positions, max, READ_BYTES_MAX, sink)?;
        Result::Ok((!batch.is_empty()).then_some(batch))
    };
    Ok(LongPoll::new(stream.clone(), wait).block(attempt)?.unwrap_or_default())
}

fn start(options: &ReadOptions) -> Result<Start> {
    if let Some(after) = options.after.optional("after")? {
        return Ok(Start::After(sequence(after, "after")?));
    }
    if let Some(time) = check::number(options.start_ms, "start_ms", 0, i64::MAX as u64)? {
        return Ok(Start::AtTimestamp(time));
    }
    match options.start.optional("start")? {
        None | Some("earliest") => Ok(Start::TrimHorizon),
        Some("latest") => Ok(Start::Latest),
        Some(number) => Ok(Start::At(sequence(number, "start")?)),
    }
}

fn sequence(text: &str, field: &str) -> Result<SequenceNumber> {
    let reason = "Must be the sequence number of a record of this stream.";
    text.parse().map_err(|_| invalid(text, field, reason))
}

fn shard(text: &str) -> Result<ShardId> {
    let reason = "Must be the id of a shard, such as \"shardId-000000000000\".";
    text.parse().map_err(|()| invalid(text, "shard", reason))
}

fn hash_key(text: &str) -> Result<HashKey> {
    text.parse().map_err(|error| {
        let reason = match error {
            HashKeyError::Malformed => "Must be a decimal number without sign.",
            HashKeyError::TooLarge => "Must be below 2^128.",
        };
        invalid(text, "hash_key", reason)
    })
}
