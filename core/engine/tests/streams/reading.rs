//! Putting records, and reading one shard.

use std::collections::BTreeMap;

use trunkline_engine::{
    Code, Engine, HashKey, NewRecord, ReadRequest, SequenceNumber, Shard, ShardId, ShardPosition,
    Start, StreamConfig, StreamRecord, stream_name,
};

use crate::common::{START, memory, on_disk};
use crate::{DAY, all, create, find, put, put_numbers, read};

#[test]
fn a_batch_is_told_in_order_whichever_shards_it_goes_to() {
    for shards in [1, 4] {
        let folder = tempfile::tempdir().unwrap();
        for engine in [memory(), on_disk(folder.path(), START)] {
            let stream = create(&engine, shards);
            let texts: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
            // Runs of records of one shard, and records that go from shard to shard.
            let key = |number: usize| &*texts[if number < 1_000 { number / 50 } else { number }];
            let record = |number: usize| NewRecord {
                key: key(number),
                hash_key: None,
                data: texts[number].as_bytes(),
            };
            let records: Vec<_> = (0..2_000).map(record).collect();
            let mut told = Vec::new();
            stream.put_batch(&records, |put| told.push(put)).unwrap();
            assert_eq!(told.len(), 2_000);
            for (number, put) in told.iter().enumerate() {
                assert_eq!(put.shard, stream.shard_for(&records[number]).unwrap());
                let found = &read(&stream, put.shard, put.sequence.offset())[0];
                assert_eq!((&*found.0, &found.1), (key(number), &texts[number]));
            }
        }
    }
}

#[test]
fn records_of_a_key_go_to_one_shard_in_order_and_numbers_grow() {
    let engine = memory();
    let stream = create(&engine, 4);
    let mut last: BTreeMap<ShardId, SequenceNumber> = BTreeMap::new();
    for number in 0..200 {
        let key = format!("user-{}", number % 17);
        let sequence = put(&stream, &key, &number.to_string());
        let owner = stream.shards().owner(HashKey::of(&key));
        assert_eq!(sequence.shard, owner);
        assert!(last.insert(owner, sequence).is_none_or(|before| before < sequence));
    }
    assert_eq!(last.len(), 4, "every shard takes a part");
    for shard in 0..4 {
        let mut newest: BTreeMap<String, u32> = BTreeMap::new();
        for (key, data) in read(&stream, ShardId(shard), 0) {
            let number = data.parse().unwrap();
            assert!(newest.insert(key, number).is_none_or(|before| before < number));
        }
    }
    assert_eq!(all(&stream).len(), 200);
}

#[test]
fn an_explicit_hash_key_chooses_the_shard() {
    let engine = memory();
    let stream = create(&engine, 2);
    for (hash_key, shard) in [(0, 0), (u128::MAX, 1), (1 << 127, 1), ((1 << 127) - 1, 0)] {
        let record = NewRecord { key: "same", hash_key: Some(HashKey(hash_key)), data: b"" };
        assert_eq!(stream.put(&record).unwrap().shard, ShardId(shard));
    }
}

#[test]
fn reading_starts_where_it_is_told_to() {
    let engine = memory();
    let stream = create(&engine, 1);
    let shard = ShardId(0);
    let mut numbers = Vec::new();
    for number in 0..10 {
        numbers.push(put(&stream, "k", &number.to_string()));
        engine.advance(1_000).unwrap();
    }
    let at = |start| stream.offset_at(shard, start).unwrap();
    assert_eq!((at(Start::TrimHorizon), at(Start::Latest)), (0, 10));
    assert_eq!((at(Start::At(numbers[3])), at(Start::After(numbers[3]))), (3, 4));
    assert_eq!(at(Start::At(SequenceNumber::start_of(shard, START))), 0);
    for (time, offset) in [(0, 0), (START, 0), (START + 4_001, 5), (START + DAY, 10)] {
        assert_eq!(at(Start::AtTimestamp(time)), offset, "{time}");
    }
    let foreign = SequenceNumber::of(ShardId(3), START, 0, START);
    let refused = stream.offset_at(shard, Start::At(foreign)).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidParameterValue);
    let other_stream = SequenceNumber::of(shard, START + 5_000, 0, START);
    assert!(stream.offset_at(shard, Start::At(other_stream)).is_err());
    let unknown = stream.offset_at(ShardId(9), Start::Latest).unwrap_err();
    assert_eq!(unknown.code(), Code::ResourceNotFoundException);
}

#[test]
fn records_of_several_shards_are_read_in_the_order_of_their_times() {
    let engine = memory();
    let stream = create(&engine, 3);
    let mut expected = Vec::new();
    for number in 0..900 {
        let data = format!("{number:04}");
        put(&stream, &number.to_string(), &data);
        expected.push(data);
        engine.advance(1).unwrap();
        if number == 450 {
            stream.split(ShardId(1), None).unwrap();
        }
    }
    let place = |shard: &Shard| ShardPosition { shard: shard.id, offset: 0 };
    let mut positions: Vec<_> = stream.shards().all().map(place).collect();
    let mut seen = Vec::new();
    let see = |seen: &mut Vec<String>, record: StreamRecord<'_>| {
        seen.push(String::from_utf8(record.data.to_vec()).unwrap());
    };
    // In pieces, each of which goes on behind the one before.
    for max in [1, 10, 500, 10_000] {
        let before = seen.len();
        let count = stream.read_shards(&mut positions, max, 1 << 30, |record| {
            see(&mut seen, record);
        });
        assert_eq!(count.unwrap(), seen.len() - before);
    }
    assert_eq!(seen, expected);
    assert_eq!(stream.read_shards(&mut positions, 9, 1 << 30, |_| {}).unwrap(), 0);
    positions.iter_mut().for_each(|position| position.offset = 0);
    let some = stream.read_shards(&mut positions, 9, 14, |_| {}).unwrap();
    assert_eq!(some, 2, "a record has 5 bytes");
}

#[test]
fn a_read_ends_at_its_bounds_and_goes_on_behind_them() {
    let engine = memory();
    let stream = create(&engine, 1);
    put_numbers(&stream, 10);
    let (mut offset, mut seen) = (0, Vec::new());
    for _ in 0..4 {
        let request = ReadRequest { shard: ShardId(0), offset, max: 3, max_bytes: 1 << 20 };
        let outcome = stream.read(&request, |record| seen.push(record.data[0] - b'0')).unwrap();
        assert!(!outcome.is_end);
        offset = outcome.next;
    }
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    let request = ReadRequest { shard: ShardId(0), offset: 0, max: 9, max_bytes: 5 };
    assert_eq!(stream.read(&request, |_| {}).unwrap().records, 2, "two bytes a record");
    let request = ReadRequest { max_bytes: 0, ..request };
    assert_eq!(stream.read(&request, |_| {}).unwrap().records, 1);
}

#[test]
fn bad_input_is_refused_and_nothing_of_a_batch_is_put() {
    let engine = memory();
    let stream = create(&engine, 1);
    let long = "k".repeat(257);
    let record = |key| NewRecord { key, hash_key: None, data: b"data" };
    for key in ["", long.as_str()] {
        let refused = stream.put_batch(&[record("good"), record(key)], |_| {}).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidParameterValue);
        assert!(refused.message().starts_with("records[1]: "), "{refused}");
    }
    assert_eq!(all(&stream), []);
    for (shards, retention) in [(0, DAY), (10_001, DAY), (1, DAY - 1), (1, 366 * DAY)] {
        let config = StreamConfig { shards, retention };
        let refused = engine.create_stream(stream_name("other"), &config, b"").err().unwrap();
        assert_eq!(refused.code(), Code::InvalidParameterValue);
    }
    let config = StreamConfig { shards: 1, retention: DAY };
    let refused = engine.create_stream(stream_name("clicks"), &config, b"").err().unwrap();
    assert_eq!(refused.code(), Code::ResourceInUseException);
}

#[test]
fn damage_of_a_sealed_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let stream = create(&engine, 1);
    let data = "x".repeat(100_000);
    for _ in 0..200 {
        put(&stream, "k", &data);
    }
    engine.advance(1).unwrap();
    engine.close().unwrap();
    let is_sealed = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_string_lossy().starts_with("retained-")
    };
    let mut paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let path = paths.find(is_sealed).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[50_000] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let engine = on_disk(folder.path(), START);
    let request = ReadRequest { shard: ShardId(0), offset: 0, max: 9, max_bytes: 1 << 30 };
    let error = find(&engine).read(&request, |_| {}).unwrap_err();
    assert_eq!(error.code(), Code::CorruptJournal);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(error.message().contains(&name), "{error}");
    engine.close().unwrap();
    let verified = trunkline_engine::verify(folder.path(), false).unwrap_err();
    assert!(verified.message().contains(&name), "{verified}");
    std::fs::write(&path, &bytes[..1_000]).unwrap();
    let refused = Engine::open(trunkline_engine::OpenOptions::at(folder.path())).err().unwrap();
    assert!(refused.message().contains(&name), "{refused}");
}
