//! Streams: put, read, resharding, retention and readers, through the engine.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod readers;
mod reading;
mod resharding;
mod retention;

use std::sync::Arc;

use trunkline_engine::{
    Engine, FetchRequest, NewRecord, ReadRequest, SequenceNumber, ShardId, Start, Stream,
    StreamConfig, StreamMember, Taken, stream_name,
};

const DAY: u64 = 86_400_000;
const ALL: FetchRequest = FetchRequest { max: 10_000, max_bytes: 1 << 30 };

fn create(engine: &Engine, shards: u32) -> Arc<Stream> {
    let config = StreamConfig { shards, retention: DAY };
    engine.create_stream(stream_name("clicks"), &config, b"document").unwrap()
}

fn find(engine: &Engine) -> Arc<Stream> {
    engine.find_stream(&stream_name("clicks")).unwrap().unwrap()
}

fn put(stream: &Stream, key: &str, data: &str) -> SequenceNumber {
    let record = NewRecord { key, hash_key: None, data: data.as_bytes() };
    stream.put(&record).unwrap().sequence
}

fn put_numbers(stream: &Stream, count: u32) {
    for number in 0..count {
        put(stream, &number.to_string(), &number.to_string());
    }
}

/// Key and data of the records of a shard from `offset` on.
fn read(stream: &Stream, shard: ShardId, offset: u64) -> Vec<(String, String)> {
    let request = ReadRequest { shard, offset, max: usize::MAX, max_bytes: usize::MAX };
    let mut found = Vec::new();
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    stream.read(&request, |one| found.push((one.key.to_owned(), text(one.data)))).unwrap();
    found
}

fn all(stream: &Stream) -> Vec<(String, String)> {
    let shards: Vec<_> = stream.shards().all().map(|shard| shard.id).collect();
    shards.into_iter().flat_map(|shard| read(stream, shard, 0)).collect()
}

fn fetch(member: &StreamMember) -> (Vec<String>, Vec<Taken>) {
    let mut found = Vec::new();
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    let taken = member.fetch(&ALL, |record| found.push(text(record.data))).unwrap();
    (found, taken)
}

fn join(stream: &Arc<Stream>, name: &str, start: Start) -> StreamMember {
    let (reader, _) = stream.reader(name, start).unwrap();
    stream.join(&reader, 60_000).unwrap()
}
