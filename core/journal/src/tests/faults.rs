//! Disk failures: the journal reports them for good, and no caller waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use trunkline_types::{Code, Durability};

use super::workload::options;
use crate::mutant::Mutant;
use crate::sim::{Fault, SimStorage, Verb};
use crate::{Journal, Signal, Storage, Ticket};

fn open(disk: &SimStorage, mutant: Option<Mutant>) -> (Journal, usize) {
    let mut count = 0;
    let opened = Journal::open(Arc::new(disk.clone()), options(mutant), &mut |_, _| {
        count += 1;
        Ok(())
    });
    (opened.expect("opened"), count)
}

fn append(journal: &Journal) -> Ticket {
    let mut appender = journal.lock().expect("usable");
    appender.append(&[&[9; 700]]);
    appender.ticket()
}

#[test]
fn a_failed_write_or_sync_poisons_the_journal_for_good() {
    for (verb, fault, code) in [
        (Verb::Write, Fault::Broken, Code::StorageFailure),
        (Verb::Write, Fault::Full, Code::StorageFull),
        (Verb::Sync, Fault::Broken, Code::StorageFailure),
    ] {
        let disk = SimStorage::new();
        let (journal, _) = open(&disk, None);
        journal.commit(append(&journal), Durability::Disk).expect("healthy");
        disk.plan(verb, 0, fault);
        let ticket = append(&journal);
        let first = journal.commit(ticket, Durability::Disk).expect_err("the disk failed");
        assert_eq!(first.code(), code);
        let steps = disk.steps();
        let later = journal.lock().expect_err("poisoned");
        assert_eq!(later.code(), Code::EnginePoisoned);
        assert!(later.message().contains(first.message()), "{later}");
        let again = journal.commit(ticket, Durability::Disk).expect_err("poisoned");
        assert_eq!(again.code(), Code::EnginePoisoned);
        assert_eq!(journal.close().expect_err("poisoned").code(), Code::EnginePoisoned);
        assert_eq!(disk.steps(), steps, "nothing is tried after a failure");
        assert!(open(&disk, None).1 >= 1, "reopening replays the truth");
    }
}

#[test]
fn signals_are_called_once_also_when_the_disk_fails() {
    struct Count(AtomicU32);
    impl Signal for Count {
        fn signal(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    for fails in [false, true] {
        let disk = SimStorage::new();
        let (journal, _) = open(&disk, None);
        let count = Arc::new(Count(AtomicU32::new(0)));
        if fails {
            disk.plan(Verb::Sync, 0, Fault::Broken);
        }
        let ticket = append(&journal);
        for level in [Durability::Disk, Durability::Os, Durability::Memory] {
            journal.notify_when(ticket, level, count.clone()).expect("accepted");
        }
        assert_eq!(count.0.load(Ordering::SeqCst), 3);
        let settled = journal.is_settled(ticket, Durability::Disk);
        assert_eq!(
            settled.map_err(|error| error.code()),
            match fails {
                false => Ok(true),
                true => Err(Code::EnginePoisoned),
            }
        );
    }
}

/// After a failed sync the page cache holds bytes that the system takes for clean. A journal that
/// is opened again sees them, and has to write them again before it builds on them.
fn found_after_failed_sync_and_power_loss(mutant: Option<Mutant>) -> Result<usize, Code> {
    let disk = SimStorage::new();
    let (journal, _) = open(&disk, mutant);
    disk.plan(Verb::Sync, 0, Fault::Broken);
    journal.commit(append(&journal), Durability::Disk).expect_err("the disk failed");
    drop(journal);
    let (journal, found) = open(&disk, mutant);
    assert_eq!(found, 1, "the page cache still has it");
    let after = SimStorage::from_image(disk.power_loss(disk.steps(), 0));
    std::mem::forget(journal);
    let mut count = 0;
    let opened = Journal::open(Arc::new(after), options(mutant), &mut |_, _| {
        count += 1;
        Ok(())
    });
    opened.map(|_| count).map_err(|error| error.code())
}

#[test]
fn what_a_failed_sync_dropped_is_written_again_at_the_next_open() {
    assert_eq!(found_after_failed_sync_and_power_loss(None), Ok(1));
    let mutant = Some(Mutant::SkipRewriteAtRecovery);
    assert_eq!(found_after_failed_sync_and_power_loss(mutant), Err(Code::CorruptJournal));
}

#[test]
fn a_failed_read_at_open_is_an_error_and_no_empty_journal() {
    let disk = SimStorage::new();
    let (journal, _) = open(&disk, None);
    journal.commit(append(&journal), Durability::Disk).expect("healthy");
    journal.close().expect("closed");
    for (nth, fault) in [0, 1, 2, 3]
        .into_iter()
        .flat_map(|nth| [Fault::Broken, Fault::Short].map(|fault| (nth, fault)))
    {
        let disk = SimStorage::from_image(disk.killed(disk.steps()));
        disk.plan(Verb::Read, nth, fault);
        let opened = Journal::open(Arc::new(disk), options(None), &mut |_, _| Ok(()));
        let code = opened.expect_err("the disk failed").code();
        let allowed = [Code::StorageFailure, Code::CorruptJournal, Code::ForeignFormat];
        assert!(allowed.contains(&code), "{fault:?} of read {nth}: {code:?}");
    }
}

#[test]
fn a_full_disk_refuses_messages_and_accepts_records_that_free_space() {
    let disk = SimStorage::new();
    let (journal, _) = open(&disk, None);
    journal.commit(append(&journal), Durability::Disk).expect("healthy");
    let (number, bytes) = journal.segments().last().map(|s| (s.number, s.bytes)).expect("one");
    // Neither one of the usual length fits, nor one of half of it.
    disk.plan(Verb::Write, 0, Fault::Full);
    disk.plan(Verb::Write, 1, Fault::Full);
    journal.shared.preallocate_after(number, bytes);
    assert!(journal.is_full());
    let refused = journal.wait_for_capacity().expect_err("the disk is full");
    assert_eq!(refused.code(), Code::StorageFull);
    assert!(disk.list().expect("listed").iter().all(|name| !name.contains("draft")));
    // records that free space are taken, and durable.
    journal.commit(append(&journal), Durability::Disk).expect("the reserve takes it");
    assert_eq!(journal.wait_for_capacity().expect_err("not asked again").code(), Code::StorageFull);
    journal.shared.disk_space.allow_probe();
    journal.wait_for_capacity().expect("the disk has space again");
    assert!(!journal.is_full());
    (0..20).for_each(|_| assert!(append(&journal) > Ticket::NOTHING));
    journal.flush().expect("the next segments are there");
    journal.close().expect("closed");
    assert_eq!(open(&disk, None).1, 22);
}

#[test]
fn a_want_of_descriptors_is_back_pressure_and_passes() {
    let disk = SimStorage::new();
    let (journal, _) = open(&disk, None);
    journal.commit(append(&journal), Durability::Disk).expect("healthy");
    let (number, bytes) = journal.segments().last().map(|s| (s.number, s.bytes)).expect("one");
    disk.plan(Verb::Create, 0, Fault::Descriptors);
    journal.shared.preallocate_after(number, bytes);
    let refused = journal.wait_for_capacity().expect_err("no descriptor");
    assert_eq!(refused.code(), Code::StorageFailure);
    journal.shared.disk_space.allow_probe();
    journal.wait_for_capacity().expect("a descriptor is free again");
    // The leader that meets it at a rotation waits for it to pass.
    for _ in 0..3 {
        disk.plan(Verb::Create, 0, Fault::Descriptors);
        disk.plan(Verb::Create, 1, Fault::Descriptors);
        (0..12).for_each(|_| assert!(append(&journal) > Ticket::NOTHING));
        journal.flush().expect("the journal is not poisoned");
    }
    journal.close().expect("closed");
    assert_eq!(open(&disk, None).1, 37);
}

#[test]
fn a_folder_that_is_no_longer_owned_is_not_written_to() {
    let disk = SimStorage::new();
    let (journal, _) = open(&disk, None);
    disk.plan(Verb::Claim, 0, Fault::Broken);
    let ticket = append(&journal);
    let steps = disk.steps();
    journal.commit(ticket, Durability::Disk).expect_err("not ours any more");
    assert_eq!(journal.lock().expect_err("poisoned").code(), Code::EnginePoisoned);
    journal.close().expect_err("poisoned");
    assert_eq!(disk.steps(), steps);
}
