//! Splits, merges and resizing, with the order of each key.

use std::collections::BTreeMap;

use trunkline_engine::{Code, HashKey, ShardId, Start, Stream};

use crate::common::{START, memory, on_disk};
use crate::{create, fetch, join, put};

#[test]
fn resharding_keeps_the_order_of_each_key_for_a_reader() {
    let engine = memory();
    let stream = create(&engine, 2);
    let member = join(&stream, "billing", Start::TrimHorizon);
    let mut number = 0;
    let mut fill = |stream: &Stream| {
        for _ in 0..60 {
            put(stream, &format!("user-{}", number % 13), &format!("{number:04}"));
            number += 1;
        }
    };
    fill(&stream);
    let (children, _) = stream.split(ShardId(0), None).unwrap();
    assert_eq!(children, [ShardId(2), ShardId(3)]);
    fill(&stream);
    let (merged, _) = stream.merge(ShardId(1), ShardId(3)).unwrap();
    assert_eq!(merged, [ShardId(4)]);
    fill(&stream);
    stream.resize(5).unwrap();
    fill(&stream);
    assert_eq!(stream.shards().open().count(), 5);
    let (mut seen, mut rounds) = (Vec::new(), 0);
    loop {
        let (found, taken) = fetch(&member);
        if found.is_empty() {
            break;
        }
        seen.extend(found);
        member.commit(&taken).unwrap();
        rounds += 1;
    }
    assert!(rounds >= 3, "children come after their parents");
    let mut last: BTreeMap<u32, u32> = BTreeMap::new();
    for number in seen.iter().map(|text| text.parse::<u32>().unwrap()) {
        assert!(last.insert(number % 13, number).is_none_or(|before| before < number));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..240).map(|number| format!("{number:04}")).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_resharded_is_refused() {
    let engine = memory();
    let stream = create(&engine, 3);
    let code = |result: trunkline_engine::Result<_>| result.map(|(ids, _)| ids).unwrap_err().code();
    assert_eq!(code(stream.split(ShardId(9), None)), Code::ResourceNotFoundException);
    assert_eq!(code(stream.split(ShardId(0), Some(HashKey(0)))), Code::InvalidParameterValue);
    assert_eq!(code(stream.merge(ShardId(0), ShardId(2))), Code::InvalidParameterValue);
    assert_eq!(code(stream.resize(0)), Code::InvalidParameterValue);
    // Neighbours may be named in any order.
    assert_eq!(stream.merge(ShardId(1), ShardId(0)).unwrap().0, [ShardId(3)]);
    assert_eq!(code(stream.split(ShardId(1), None)), Code::InvalidParameterValue);
}

#[test]
fn many_putters_keep_the_order_of_their_keys_while_the_stream_is_resharded() {
    let folder = tempfile::tempdir().unwrap();
    // One shard of an engine in memory is put to without the lock of the stream.
    for (engine, shards) in [(memory(), 1), (memory(), 2), (on_disk(folder.path(), START), 2)] {
        let stream = create(&engine, shards);
        std::thread::scope(|scope| {
            for putter in 0..4 {
                let stream = &stream;
                scope.spawn(move || {
                    for number in 0..300 {
                        put(stream, &format!("key-{putter}"), &format!("{putter} {number}"));
                    }
                });
            }
            for count in [5, 1, 3, 2, 7] {
                stream.resize(count).unwrap();
            }
        });
        let member = join(&stream, "check", Start::TrimHorizon);
        let mut next = [0; 4];
        loop {
            let (found, taken) = fetch(&member);
            for record in &found {
                let (putter, number) = record.split_once(' ').unwrap();
                let next: &mut u32 = &mut next[putter.parse::<usize>().unwrap()];
                assert_eq!(*next, number.parse::<u32>().unwrap(), "of putter {putter}");
                *next += 1;
            }
            if found.is_empty() {
                break;
            }
            member.commit(&taken).unwrap();
        }
        assert_eq!(next, [300; 4]);
    }
}
