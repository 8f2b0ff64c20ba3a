//! A step whose records are kept together, whatever its length: a crash or a full disk leaves all
//! of them or none.

use std::sync::Arc;

use trunkline_types::{Code, Durability};

use crate::sim::{Fault, SimStorage, Verb};
use crate::{Journal, Lsn, Options, limits};

const SEGMENT_BYTES: u32 = 1 << 20;
const KIB: usize = 1 << 10;

fn open(disk: &SimStorage) -> (Journal, Vec<u8>) {
    let options = Options { segment_bytes: SEGMENT_BYTES, background: false, ..Options::default() };
    let mut found = Vec::new();
    let opened = Journal::open(Arc::new(disk.clone()), options, &mut |_, record| {
        found.push(record[0]);
        Ok(())
    });
    (opened.expect("it opens"), found)
}

/// Appends a step of `count` records of `length` bytes, which begin with `mark`.
fn append_step(journal: &Journal, mark: u8, count: usize, length: usize) -> (Vec<Lsn>, Lsn) {
    let mut appender = journal.lock().expect("usable");
    assert!(appender.reserve(count, count * length));
    let body = vec![mark; length - 1];
    let places = (0..count).map(|_| appender.append(&[&[mark], &body])).collect();
    (places, appender.end())
}

/// Opens what a crash after each step of the disk from `first` on leaves; how many of the crashes
/// lost the records with `mark`. Each leaves all of the `count`, or none.
fn losses(disk: &SimStorage, first: usize, mark: u8, count: usize) -> usize {
    let mut lost = 0;
    for step in first..=disk.steps() {
        for seed in 0..3 {
            let image = SimStorage::from_image(disk.power_loss(step, seed));
            let found = open(&image).1.iter().filter(|one| **one == mark).count();
            assert!(found == 0 || found == count, "{found} of {count} after step {step}");
            lost += usize::from(found == 0);
        }
    }
    lost
}

#[test]
fn a_step_longer_than_a_batch_is_one_batch() {
    let disk = SimStorage::new();
    let (journal, _) = open(&disk);
    let before = disk.steps();
    let (places, end) = append_step(&journal, 7, 6, 120 * KIB);
    let span = end.offset() - places[0].offset();
    assert!(span as usize > limits::BATCH_BYTES_MAX, "{span} bytes");
    assert!(places.iter().all(|place| place.segment() == end.segment()));
    journal.flush().expect("durable");
    assert!(losses(&disk, before, 7, 6) > 0, "no crash came before the step was durable");
    journal.close().expect("closed");
    assert_eq!(open(&disk).1, [7; 6]);
}

#[test]
fn a_step_longer_than_the_rest_of_a_segment_or_than_a_segment_begins_one() {
    // The second step is longer than a whole segment.
    for (count, length) in [(6, 120 * KIB), (12, 120 * KIB)] {
        let disk = SimStorage::new();
        let (journal, _) = open(&disk);
        let (_, first) = append_step(&journal, 1, 5, 100 * KIB);
        journal.flush().expect("durable");
        let before = disk.steps();
        let (places, end) = append_step(&journal, 7, count, length);
        assert_eq!(places[0].segment(), first.segment() + 1);
        assert!(places.iter().all(|place| place.segment() == end.segment()));
        journal.flush().expect("durable");
        assert!(losses(&disk, before, 7, count) > 0, "no crash came before the step was durable");
        // What follows finds its segment, also behind one that is longer than usual.
        append_step(&journal, 2, 2, 100 * KIB);
        journal.close().expect("closed");
        let found = open(&disk).1;
        assert_eq!(found, [vec![1; 5], vec![7; count], vec![2; 2]].concat());
    }
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_step_takes_none_of_it() {
    // In the segment that is there, and in a new one.
    for before in [1, 5] {
        for fault in [Fault::Full, Fault::Broken] {
            let disk = SimStorage::new();
            let (journal, _) = open(&disk);
            append_step(&journal, 1, before, 100 * KIB);
            journal.flush().expect("durable");
            disk.plan(Verb::Write, 0, fault);
            append_step(&journal, 7, 6, 120 * KIB);
            let ticket = journal.lock().expect("usable").ticket();
            let failed = journal.commit(ticket, Durability::Disk).expect_err("the disk failed");
            assert!([Code::StorageFull, Code::StorageFailure].contains(&failed.code()), "{failed}");
            assert_eq!(journal.lock().expect_err("poisoned").code(), Code::EnginePoisoned);
            journal.close().expect_err("poisoned");
            assert_eq!(open(&disk).1, vec![1; before], "{fault:?} behind {before}");
        }
    }
}

#[test]
fn a_step_longer_than_the_longest_record_is_refused_before_it_begins() {
    let (journal, _) = open(&SimStorage::new());
    let mut appender = journal.lock().expect("usable");
    let end = appender.end();
    assert!(!appender.reserve(2, limits::RECORD_BYTES_MAX));
    assert!(!appender.reserve(usize::MAX, usize::MAX));
    assert_eq!(appender.end(), end);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "a step is longer than was reserved for it")]
fn a_step_that_outgrows_what_was_reserved_is_an_error_of_its_sender() {
    let (journal, _) = open(&SimStorage::new());
    let mut appender = journal.lock().expect("usable");
    assert!(appender.reserve(2, 2_000));
    let half = vec![0; limits::BATCH_BYTES_MAX / 2];
    for _ in 0..3 {
        appender.append(&[&half]);
    }
}
