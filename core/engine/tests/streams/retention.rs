//! What becomes of old records, closed shards and removed streams.

use trunkline_engine::{Code, NewRecord, ShardId, Start};

use crate::common::{START, memory, on_disk};
use crate::{ALL, DAY, all, create, fetch, find, join, put};

#[test]
fn old_records_are_gone_and_a_longer_retention_brings_none_back() {
    let folder = tempfile::tempdir().unwrap();
    for engine in [memory(), on_disk(folder.path(), START)] {
        let stream = create(&engine, 1);
        put(&stream, "k", "old");
        engine.advance(DAY - 1_000).unwrap();
        put(&stream, "k", "young");
        assert_eq!(all(&stream).len(), 2);
        engine.advance(1_001).unwrap();
        assert_eq!(all(&stream), [("k".to_owned(), "young".to_owned())]);
        stream.set_retention(30 * DAY).unwrap();
        assert_eq!(all(&stream).len(), 1);
        engine.advance(20 * DAY).unwrap();
        assert_eq!(all(&stream).len(), 1);
        stream.set_retention(DAY).unwrap();
        assert_eq!(all(&stream), []);
        // It is not only hidden: the log is empty after a while, and its numbers go on.
        engine.advance(2 * DAY).unwrap();
        let statistics = stream.statistics().unwrap();
        assert_eq!((statistics.shards[0].records, statistics.shards[0].put), (0, 2));
        assert_eq!(put(&stream, "k", "new").index, 3);
    }
}

#[test]
fn what_was_trimmed_is_gone_and_its_files_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let stream = create(&engine, 1);
    let data = "x".repeat(100_000);
    for _ in 0..200 {
        put(&stream, "k", &data);
    }
    let first = sealed(folder.path());
    assert!(first > 0);
    engine.advance(10).unwrap();
    put(&stream, "k", "young");
    stream.trim(START + 10).unwrap();
    assert_eq!(all(&stream), [("k".to_owned(), "young".to_owned())]);
    assert!(sealed(folder.path()) < first);
    // A time that lies behind brings nothing back, one that lies ahead takes nothing to come.
    stream.trim(0).unwrap();
    assert_eq!(all(&stream).len(), 1);
    stream.trim(START + DAY).unwrap();
    put(&stream, "k", "next");
    assert_eq!(all(&stream).last().unwrap().1, "next");
    engine.close().unwrap();
    drop(engine);
    let engine = on_disk(folder.path(), START + 11);
    assert_eq!(all(&find(&engine)).last().unwrap().1, "next");
}

/// How many files of retained logs the folder has.
fn sealed(folder: &std::path::Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap();
    names
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("retained-")
        })
        .count()
}

#[test]
fn a_closed_shard_goes_with_its_last_record() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let stream = create(&engine, 1);
    let member = join(&stream, "billing", Start::TrimHorizon);
    put(&stream, "k", "parent");
    stream.split(ShardId(0), None).unwrap();
    engine.advance(DAY / 2).unwrap();
    put(&stream, "k", "child");
    assert_eq!(stream.shards().all().count(), 3);
    engine.advance(DAY / 2 + DAY / 20).unwrap();
    assert_eq!(stream.shards().all().count(), 2);
    let gone = stream.offset_at(ShardId(0), Start::TrimHorizon).unwrap_err();
    assert_eq!(gone.code(), Code::ResourceNotFoundException);
    // A reader that was behind goes on with what is left.
    assert_eq!(fetch(&member).0, ["child"]);
    drop(member);
    engine.close().unwrap();
    let engine = on_disk(folder.path(), START + 2 * DAY);
    assert_eq!(find(&engine).shards().all().count(), 2);
}

#[test]
fn a_removed_stream_is_gone_with_its_files_and_its_name_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let stream = create(&engine, 2);
    let member = join(&stream, "billing", Start::TrimHorizon);
    let data = "x".repeat(100_000);
    for _ in 0..200 {
        put(&stream, "k", &data);
    }
    engine.advance(1).unwrap();
    assert!(sealed(folder.path()) > 0);
    stream.remove().unwrap();
    assert_eq!(sealed(folder.path()), 0);
    let record = NewRecord { key: "k", hash_key: None, data: b"late" };
    assert_eq!(stream.put(&record).unwrap_err().code(), Code::ResourceNotFoundException);
    assert!(member.fetch(&ALL, |_| {}).is_err() && member.commit(&[]).is_err());
    assert_eq!(all(&create(&engine, 1)), []);
    engine.flush().unwrap();
    engine.close().unwrap();
    let engine = on_disk(folder.path(), START);
    assert_eq!(find(&engine).shards().all().count(), 1);
}

#[test]
fn a_look_into_the_folder_tells_the_records_with_their_stream() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let stream = create(&engine, 2);
    crate::put_numbers(&stream, 30);
    join(&stream, "billing", Start::TrimHorizon);
    engine.close().unwrap();
    let report = trunkline_engine::inspect(folder.path()).unwrap();
    let told: Vec<_> = report.others.iter().map(|one| (&*one.name.name, one.kind().0)).collect();
    assert_eq!(told, [("clicks", "stream")]);
    let count = |name| report.others[0].counter(name);
    assert_eq!((count("records"), count("open_shards"), count("readers")), (30, 2, 1));
}
