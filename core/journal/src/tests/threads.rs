//! Many threads on one journal.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use trunkline_types::{Code, Durability};

use super::folders::{Folder, open};
use crate::{Access, Journal, Lsn, Signal, Ticket};

const THREADS: u32 = 8;
const EACH: u32 = 60;

fn append(journal: &Journal, payload: &[u8]) -> (Lsn, Ticket) {
    journal.wait_for_capacity().expect("capacity");
    let mut appender = journal.lock().expect("usable");
    let lsn = appender.append(&[payload]);
    (lsn, appender.ticket())
}

#[test]
fn every_committer_is_answered_and_finds_its_records() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    let start = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (journal, start) = (&journal, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..EACH {
                    let payload = vec![(thread * EACH + number) as u8; 10 + number as usize * 30];
                    let (lsn, ticket) = append(journal, &payload);
                    let level = [Durability::Disk, Durability::Os][number as usize % 2];
                    let mut early = Vec::new();
                    assert!(journal.read(lsn, Some(payload.len()), &mut early).expect("readable"));
                    journal.commit(ticket, level).expect("committed");
                    assert!(journal.is_settled(ticket, level).expect("settled"));
                    let mut late = Vec::new();
                    assert!(journal.read(lsn, None, &mut late).expect("readable"));
                    assert_eq!((early, late), (payload.clone(), payload));
                }
            });
        }
    });
    let mut scanned = 0;
    for segment in journal.segments() {
        journal
            .scan_segment(segment.number, &mut |_, _| {
                scanned += 1;
                Ok(())
            })
            .expect("scanned");
    }
    assert_eq!(scanned, THREADS * EACH);
    journal.close().expect("closed");
    let (_, found) = open(&folder, Access::ReadWrite).expect("opened again");
    assert_eq!(found.len() as u32, THREADS * EACH);
}

#[test]
fn completions_come_once_each_without_a_waiting_thread() {
    struct Tell(AtomicU32, mpsc::Sender<()>);
    impl Signal for Tell {
        fn signal(&self) {
            assert_eq!(self.0.fetch_add(1, Ordering::SeqCst), 0, "signalled twice");
            self.1.send(()).expect("the test listens");
        }
    }
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    let (sender, told) = mpsc::channel();
    for number in 0..500u32 {
        let (_, ticket) = append(&journal, &number.to_le_bytes().repeat(50));
        let signal = Arc::new(Tell(AtomicU32::new(0), sender.clone()));
        journal.notify_when(ticket, Durability::Disk, signal).expect("accepted");
    }
    drop(sender);
    assert_eq!(told.iter().count(), 500);
    assert_eq!(journal.settled(Durability::Disk), journal.appended());
}

#[test]
fn a_commit_that_was_begun_comes_to_its_end_without_a_waiting_thread() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    for number in 0..500u32 {
        let (_, ticket) = append(&journal, &number.to_le_bytes().repeat(50));
        journal.begin_commit(ticket, Durability::Disk).expect("begun");
    }
    let last = journal.appended();
    // The test ends: each begun commit is one of all that was appended before.
    while !journal.is_settled(last, Durability::Disk).expect("healthy") {
        thread::yield_now();
    }
    let syncs = journal.statistics().syncs;
    journal.begin_commit(last, Durability::Disk).expect("settled");
    journal.begin_commit(last, Durability::Memory).expect("nothing to do");
    journal.close().expect("closed");
    assert_eq!(journal.statistics().syncs, syncs, "nothing was left to be synced");
    let refused = journal.begin_commit(Ticket::from_u64(u64::MAX), Durability::Disk);
    assert_eq!(refused.map_err(|error| error.code()), Err(Code::EngineClosed));
}

#[test]
fn segments_are_given_up_while_others_append_and_read() {
    let folder = Folder::new();
    let (journal, _) = open(&folder, Access::ReadWrite).expect("a new folder");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for number in 0..600u32 {
                    let (lsn, ticket) = append(&journal, &[number as u8; 900]);
                    if number % 50 == 0 {
                        journal.commit(ticket, Durability::Disk).expect("committed");
                    }
                    let mut bytes = Vec::new();
                    // False when the cleaner was faster: the record was given up.
                    if journal.read(lsn, None, &mut bytes).expect("readable") {
                        assert_eq!(bytes, [number as u8; 900]);
                    }
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                journal.reclaim_oldest().expect("released");
            }
        });
    });
    journal.close().expect("closed");
    open(&folder, Access::ReadWrite).expect("opened again");
}
