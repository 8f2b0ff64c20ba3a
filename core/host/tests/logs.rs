//! Logs of a host: with and without a journal, through compaction, restarts, copies and expiry.

use std::sync::Arc;

use trunkline_host::{Host, LOGS, Log, Logs, OpenOptions};
use trunkline_journal::{MemoryStorage, Storage};
use trunkline_types::{Clock, Code, Durability};

const START: u64 = 1_000_000;
const SEGMENT_BYTES: u32 = 64 << 10;

fn open(storage: Option<Arc<dyn Storage>>) -> Arc<Host> {
    let durability =
        if storage.is_some() { Durability::Disk } else { OpenOptions::memory().durability };
    let options = OpenOptions {
        storage,
        durability,
        clock: Arc::new(Clock::virtual_at(START)),
        segment_bytes: SEGMENT_BYTES,
        background: false,
        ..OpenOptions::memory()
    };
    Host::open(options, &[&LOGS]).expect("opens")
}

fn logs(host: &Host) -> Arc<Logs> {
    host.component().expect("registered")
}

fn append(host: &Host, log: &Log, numbers: std::ops::Range<u64>) {
    for number in numbers {
        host.clock.set(START + number);
        let mut step = host.append().expect("usable");
        let payload = vec![number as u8; 1_000];
        let sequence = log.append(&mut step, START + number, &[&payload]).expect("appended");
        assert_eq!(sequence, number + 1);
        drop(step);
        logs(host).on_append(log);
    }
}

fn read(log: &Log, from: u64) -> Vec<(u64, u64, u8)> {
    let mut found = Vec::new();
    log.read(from, &mut |entry| {
        found.push((entry.sequence, entry.time, entry.payload[0]));
        true
    })
    .expect("readable");
    found
}

fn expected(numbers: std::ops::Range<u64>) -> Vec<(u64, u64, u8)> {
    numbers.map(|number| (number + 1, START + number, number as u8)).collect()
}

#[test]
fn a_log_is_the_same_with_and_without_a_journal() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    for storage in [None, Some(storage)] {
        let host = open(storage);
        let log = logs(&host).create().expect("created");
        append(&host, &log, 0..50);
        assert_eq!(log.range(), (1, 51));
        assert_eq!(read(&log, 0), expected(0..50));
        assert_eq!(read(&log, 31), expected(30..50));
        assert_eq!(log.find_time(START + 20).expect("found"), 21);
        assert_eq!(log.find_time(START + 900).expect("found"), 51);
        let fork = host.fork(Arc::new(Clock::virtual_at(START))).expect("forked");
        assert_eq!(read(&logs(&fork).get(log.id()).expect("copied"), 0), expected(0..50));
    }
}

#[test]
fn compaction_seals_entries_and_everything_is_found_after_a_restart() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let sealed = |storage: &Arc<dyn Storage>| {
        let names = storage.list().expect("listed");
        names.iter().filter(|name| name.starts_with("retained-")).count()
    };
    let id = {
        let host = open(Some(Arc::clone(&storage)));
        let log = logs(&host).create().expect("created");
        for round in 0..10 {
            append(&host, &log, round * 60..(round + 1) * 60);
            host.flush().expect("flushed");
            host.compact_oldest().expect("compacted");
        }
        assert!(sealed(&storage) >= 3);
        assert_eq!(read(&log, 0), expected(0..600));
        host.close().expect("closed");
        log.id()
    };
    let host = open(Some(Arc::clone(&storage)));
    let log = logs(&host).get(id).expect("found again");
    assert_eq!(read(&log, 0), expected(0..600));
    append(&host, &log, 600..620);
    let expired = logs(&host).expire(&log, START + 200).expect("expired");
    assert!((60..=200).contains(&expired), "{expired} entries expired");
    assert_eq!(read(&log, 0), expected(expired..620));
    let fork = host.fork(Arc::new(Clock::virtual_at(START))).expect("forked");
    assert_eq!(read(&logs(&fork).get(id).expect("copied"), 0), expected(expired..620));
    logs(&host).remove(id).expect("removed");
    assert_eq!(sealed(&storage), 0);
    host.close().expect("closed");
    assert!(logs(&open(Some(storage))).get(id).is_none());
}

#[test]
fn a_log_with_many_entries_is_sealed_by_a_job() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let host = open(Some(Arc::clone(&storage)));
    let log = logs(&host).create().expect("created");
    append(&host, &log, 0..17_600);
    trunkline_host::advance(&host.clock, &[&host], 1).expect("jobs ran");
    let names = storage.list().expect("listed");
    assert_eq!(names.iter().filter(|name| name.starts_with("retained-")).count(), 1);
    assert_eq!(read(&log, 17_599), expected(17_598..17_600));
}

#[test]
fn an_append_to_a_removed_log_fails_with_and_without_a_journal() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    for kept in [None, Some(storage.clone())] {
        let host = open(kept);
        let log = logs(&host).create().expect("created");
        append(&host, &log, 0..60);
        logs(&host).remove(log.id()).expect("removed");
        let mut step = host.append().expect("usable");
        let error = log.append(&mut step, START, &[b"late"]).expect_err("removed");
        drop(step);
        assert_eq!(error.code(), Code::ResourceNotFoundException);
        assert_eq!(read(&log, 0), []);
        host.close().expect("closed");
    }
    open(Some(storage)).close().expect("the folder opens again");
}

#[test]
fn entries_expire_that_were_never_sealed() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let mut id = None;
    for kept in [None, Some(Arc::clone(&storage))] {
        let host = open(kept.clone());
        let log = logs(&host).create().expect("created");
        append(&host, &log, 0..60);
        assert_eq!(logs(&host).expire(&log, START + 20).expect("expired"), 20);
        assert_eq!(logs(&host).expire(&log, START + 20).expect("expired"), 0);
        assert_eq!((log.range(), read(&log, 0)), ((21, 61), expected(20..60)));
        id = Some(log.id());
        host.close().expect("closed");
    }
    let id = id.expect("it was created");
    let host = open(Some(Arc::clone(&storage)));
    let log = logs(&host).get(id).expect("found again");
    assert_eq!(read(&log, 0), expected(20..60));
    assert_eq!(logs(&host).expire(&log, u64::MAX).expect("expired"), 40);
    host.close().expect("closed");
    let host = open(Some(storage));
    let log = logs(&host).get(id).expect("an empty log keeps its numbers");
    assert_eq!(log.range(), (61, 61));
}

#[test]
fn a_log_that_was_never_written_to_is_made_again_under_its_id() {
    let host = open(None);
    let log = logs(&host).get_or_create(trunkline_types::ResourceId(77));
    append(&host, &log, 0..3);
    let same = logs(&host).get_or_create(log.id());
    assert_eq!((same.id().0, read(&same, 0)), (77, expected(0..3)));
}
