//! Streams under test: puts, batches, resharding, retention, and readers that commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::{
    Engine, FetchRequest, NewRecord, ReadRequest, Result, ShardId, Signal, Start, StreamConfig,
    StreamRecord, Ticket, stream_name,
};
use trunkline_host::Awaited;
use trunkline_journal::sim::Random;

use crate::Noun;

const DAY: u64 = 86_400_000;

/// Streams under test.
pub struct StreamNoun;

impl Noun for StreamNoun {
    fn name(&self) -> &'static str {
        "streams"
    }

    fn fill(&self, engine: &Engine) {
        let config = StreamConfig { shards: 2, retention: DAY };
        let stream = engine.create_stream(stream_name("clicks"), &config, b"document").unwrap();
        let (reader, _) = stream.reader("billing", Start::TrimHorizon).unwrap();
        let member = stream.join(&reader, 60_000).unwrap();
        let put = |number: u32| {
            let (key, data) = (number.to_string(), format!("{number:0200}"));
            let record = NewRecord { key: &key, hash_key: None, data: data.as_bytes() };
            stream.put(&record).unwrap();
        };
        (0..20).for_each(put);
        let some = FetchRequest { max: 15, max_bytes: 1 << 20 };
        member.commit(&member.fetch(&some, |_| {}).unwrap()).unwrap();
        stream.split(ShardId(0), None).unwrap();
        (20..40).for_each(put);
        engine.create_stream(stream_name("empty"), &config, b"").unwrap();
        stream.reader("gone", Start::Latest).unwrap();
        stream.remove_reader("gone").unwrap();
        engine.create_stream(stream_name("gone"), &config, b"").unwrap().remove().unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut seen = Vec::new();
        for stream in engine.streams(None, None, "").unwrap() {
            let (name, document) = (&stream.name().name, stream.document());
            seen.push(format!("{name} {document:?} {:?}", stream.shards()));
            for reader in stream.statistics().unwrap().readers {
                // Members are those of one process.
                seen.push(format!("{name} {} {:?}", reader.name, reader.positions));
            }
            for shard in stream.shards().all() {
                let shard = shard.id;
                let all = ReadRequest { shard, offset: 0, max: 1_000, max_bytes: 1 << 20 };
                let see = |record: StreamRecord<'_>| {
                    seen.push(format!("{name} {record:?}"));
                };
                stream.read(&all, see).unwrap();
            }
        }
        seen
    }

    fn resources(&self) -> Vec<&'static str> {
        // The logs of the shards that hold records come first.
        vec!["1", "2", "5", "6", "clicks", "empty"]
    }

    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool {
        let stream = engine.find_stream(&stream_name("clicks")).unwrap().unwrap();
        stream.waiters().subscribe(signal, None);
        true
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let config = StreamConfig { shards: 1, retention: DAY };
        engine.create_stream(stream_name("late"), &config, b"").map(drop)
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let name = stream_name("clicks");
        let Some(stream) = engine.find_stream(&name).unwrap() else {
            let config = StreamConfig { shards: 2, retention: DAY };
            engine.create_stream(name, &config, b"document").unwrap();
            return None;
        };
        let data = vec![b'x'; if random.once_in(3) { 2_500 } else { 20 }];
        let keys: Vec<String> =
            (0..=random.below(4)).map(|_| format!("user-{}", random.below(7))).collect();
        let record = |key| NewRecord { key, hash_key: None, data: &data };
        match random.below(8) {
            0..=1 => stream.put(&record(&keys[0])).unwrap().ticket,
            2..=3 => {
                let records: Vec<_> = keys.iter().map(|key| record(key)).collect();
                stream.put_batch(&records, |_| {}).unwrap()
            }
            4 => stream.resize(1 + random.below(4) as u32).unwrap().1,
            5 => stream.set_retention(DAY * (1 + random.below(3) as u64)).unwrap(),
            _ => {
                let name = ["billing", "audit"][random.below(2)];
                let (reader, ticket) = stream.reader(name, Start::TrimHorizon).unwrap();
                // One record at a time: what a crash tears apart are operations, not their parts.
                let request = FetchRequest { max: 1, max_bytes: 1 << 20 };
                let member = stream.join(&reader, 60_000).unwrap();
                let taken = member.fetch(&request, |_| {}).unwrap();
                if ticket.is_some() || taken.is_empty() {
                    return ticket;
                }
                member.commit(&taken).unwrap()
            }
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let mut look = BTreeMap::new();
        for stream in engine.streams(None, None, "").unwrap() {
            let shards = stream.shards();
            let retention = stream.retention();
            look.insert("stream".to_owned(), format!("{retention} {shards:?}").into());
            for shard in shards.all() {
                let shard = shard.id;
                let all = ReadRequest { shard, offset: 0, max: usize::MAX, max_bytes: usize::MAX };
                let see = |record: StreamRecord<'_>| {
                    let name = format!("stream record {}", record.sequence);
                    look.insert(name, [record.key.as_bytes(), record.data].concat());
                };
                stream.read(&all, see).unwrap();
            }
            for reader in stream.statistics().unwrap().readers {
                let positions: Vec<_> =
                    reader.positions.iter().map(|(shard, at, _)| (shard.0, *at)).collect();
                let name = format!("stream reader {}", reader.name);
                look.insert(name, format!("{positions:?}").into());
            }
        }
        look
    }
}
