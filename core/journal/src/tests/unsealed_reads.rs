//! Entries that are in the journal only are the same wherever they are read from: the tail, the
//! batches in memory, or segments.

use std::sync::Arc;

use trunkline_types::Durability;

use crate::retained::RetainedLog;
use crate::{Journal, MemoryStorage, Options, limits};

const LOGS: u64 = 3;

fn payload(log: u64, sequence: u64) -> Vec<u8> {
    let length = 64 + (sequence * 37 % 4_000) as usize;
    [&log.to_le_bytes()[..], &sequence.to_le_bytes(), &vec![sequence as u8; length]].concat()
}

/// Appends one entry to each log, beside a record that is none of theirs and long from time to
/// time.
fn append(journal: &Journal, logs: &[RetainedLog], sequence: u64) {
    let mut appender = journal.lock().expect("usable");
    for log in logs {
        let payload = payload(log.id(), sequence);
        let at = log.append(&mut appender, sequence, &[&payload], &mut ()).expect("appended");
        assert_eq!(at, sequence);
    }
    let foreign = if sequence.is_multiple_of(97) { 5 * limits::READ_AHEAD_GAP } else { 9 };
    appender.append(&[&vec![0xff; foreign]]);
}

fn check(logs: &[RetainedLog], from: u64, most: u64, end: u64) {
    for log in logs {
        let mut expected = from;
        log.read(from, &mut |entry| {
            assert_eq!((entry.sequence, entry.time), (expected, expected));
            assert_eq!(entry.payload, payload(log.id(), expected));
            expected += 1;
            expected < from + most
        })
        .expect("reads");
        assert_eq!(expected, end.min(from + most), "from {from}");
    }
}

#[test]
fn an_entry_is_the_same_in_the_tail_in_memory_and_in_a_segment() {
    let options = Options { background: false, ..Options::default() };
    let journal =
        Journal::open(Arc::new(MemoryStorage::new()), options, &mut |_, _| Ok(())).expect("opens");
    let logs: Vec<_> = (1..=LOGS).map(|id| RetainedLog::create(&journal, id, 7)).collect();
    let mut end = 1;
    let mut grow = |count: u64| {
        (end..end + count).for_each(|sequence| append(&journal, &logs, sequence));
        end += count;
        end
    };
    for round in 0..4 {
        // Far more than is kept in memory is written; some of it is not.
        let written = grow(700);
        journal.commit(journal.appended(), Durability::Os).expect("written");
        let end = grow(40);
        for from in [1, 2, 90, 400, written - 300, written - 1, written, end - 1, end] {
            check(&logs, from, 1, end);
            check(&logs, from, 20, end);
            check(&logs, from, u64::MAX / 2, end);
        }
        if round == 2 {
            logs[0].seal(&mut ()).expect("sealed");
        }
    }
    let kept = trunkline_types::sync::lock(&journal.shared.recent).bytes();
    assert!((1..=limits::RECENT_BYTES_MAX).contains(&kept), "{kept}");
}

#[test]
fn a_record_is_the_same_in_the_tail_in_memory_and_in_a_segment() {
    let options = Options { background: false, ..Options::default() };
    let journal =
        Journal::open(Arc::new(MemoryStorage::new()), options, &mut |_, _| Ok(())).expect("opens");
    let _log = RetainedLog::create(&journal, 1, 7);
    let count = 4 * limits::RECENT_BYTES_MAX as u64 / 2_000;
    let mut at = Vec::new();
    for number in 0..count {
        at.push(journal.lock().expect("usable").append(&[&payload(1, number)]));
        if number == count - 10 || number % 50 == 0 {
            journal.commit(journal.appended(), Durability::Os).expect("written");
        }
    }
    for (number, lsn) in at.into_iter().enumerate() {
        let mut read = Vec::new();
        assert!(journal.read(lsn, None, &mut read).expect("reads"));
        assert_eq!(read, payload(1, number as u64));
    }
}

#[test]
fn a_read_goes_on_behind_entries_that_expire_in_front_of_it() {
    for is_sealed in [false, true] {
        let options = Options { background: false, ..Options::default() };
        let storage = Arc::new(MemoryStorage::new());
        let journal = Journal::open(storage, options, &mut |_, _| Ok(())).expect("opens");
        let logs = [RetainedLog::create(&journal, 1, 7)];
        (1..=100).for_each(|sequence| append(&journal, &logs, sequence));
        if is_sealed {
            logs[0].seal(&mut ()).expect("sealed");
            (101..=200).for_each(|sequence| append(&journal, &logs, sequence));
        }
        let mut seen = Vec::new();
        logs[0]
            .read(1, &mut |entry| {
                if seen.is_empty() {
                    logs[0].expire(u64::MAX, &super::as_it_says, &mut ()).expect("expired");
                    append(&journal, &logs, logs[0].range().1);
                }
                seen.push(entry.sequence);
                true
            })
            .expect("reads");
        // Those that were read ahead are handed out, and the one that is there.
        assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
        assert_eq!(seen.last(), Some(if is_sealed { &201 } else { &101 }));
    }
}

#[test]
fn a_journal_without_a_retained_log_keeps_no_batch_in_memory() {
    let options = Options { background: false, ..Options::default() };
    let journal =
        Journal::open(Arc::new(MemoryStorage::new()), options, &mut |_, _| Ok(())).expect("opens");
    for _ in 0..10 {
        journal.lock().expect("usable").append(&[&[7; 100]]);
        journal.flush().expect("written");
    }
    assert_eq!(trunkline_types::sync::lock(&journal.shared.recent).bytes(), 0);
}
