//! Closing a journal while another thread changes its folder.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use trunkline_types::{Code, Durability, Result};

use super::folders::Folder;
use crate::retained::RetainedLog;
use crate::{Access, File, FileStorage, Journal, Options, Signal, Storage};

/// How long a change of the folder is held up, for `close` to go wrong.
const HELD_UP: Duration = Duration::from_millis(300);

/// A folder whose renames are noted. When it is armed, the first rename, or what follows the first
/// check of the claim, is held up until the folder is given up, or for a while.
#[derive(Debug)]
struct HeldUp {
    storage: FileStorage,
    notes: Mutex<Vec<String>>,
    armed: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
    given_up: Mutex<Option<mpsc::Sender<()>>>,
}

impl HeldUp {
    fn new(folder: &Folder) -> Arc<Self> {
        Arc::new(Self {
            storage: FileStorage::open(&folder.0, Access::ReadWrite).expect("a folder"),
            notes: Mutex::default(),
            armed: Mutex::default(),
            given_up: Mutex::default(),
        })
    }

    /// Returns what tells that the change has begun.
    fn arm(&self) -> mpsc::Receiver<()> {
        self.notes.lock().expect("whole").clear();
        let (reached, has_reached) = mpsc::channel();
        let (given_up, is_given_up) = mpsc::channel();
        *self.armed.lock().expect("whole") = Some((reached, is_given_up));
        *self.given_up.lock().expect("whole") = Some(given_up);
        has_reached
    }

    fn hold_up(&self) {
        let armed = self.armed.lock().expect("whole").take();
        if let Some((reached, is_given_up)) = armed {
            reached.send(()).expect("the test waits");
            let _in_time = is_given_up.recv_timeout(HELD_UP);
        }
    }

    fn note(&self, what: &str) {
        self.notes.lock().expect("whole").push(what.to_owned());
    }
}

impl Storage for HeldUp {
    fn create(&self, name: &str) -> Result<Arc<dyn File>> {
        self.storage.create(name)
    }

    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        self.storage.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.hold_up();
        self.note("rename");
        self.storage.rename(from, to)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.storage.remove(name)
    }

    fn list(&self) -> Result<Vec<String>> {
        self.storage.list()
    }

    fn sync_dir(&self) -> Result<()> {
        self.storage.sync_dir()
    }

    fn claim(&self, name: &str) -> Result<()> {
        self.storage.claim(name)
    }

    fn check_claim(&self) -> Result<()> {
        self.storage.check_claim()?;
        self.hold_up();
        Ok(())
    }

    fn unlock(&self) {
        self.storage.unlock();
        self.note("unlock");
        if let Some(given_up) = &*self.given_up.lock().expect("whole") {
            let _no_waiter_is_left = given_up.send(());
        }
    }
}

/// A journal of several segments of equal length, so that reclaiming one renames its file.
fn journal(storage: Arc<dyn Storage>) -> Journal {
    let options = Options {
        segment_bytes: 4_096,
        segment_bytes_first: 4_096,
        background: false,
        ..Options::default()
    };
    let journal = Journal::open(storage, options, &mut |_, _| Ok(())).expect("opens");
    for _ in 0..6 {
        let mut appender = journal.lock().expect("usable");
        appender.append(&[&[1; 2_000]]);
        let ticket = appender.ticket();
        drop(appender);
        journal.commit(ticket, Durability::Disk).expect("committed");
    }
    journal
}

/// Closes the journal while `change` goes on; returns its outcome.
fn close_during(change: impl FnOnce(&Journal) -> Result<bool> + Send) -> Result<bool> {
    let folder = Folder::new();
    let storage = HeldUp::new(&folder);
    let journal = journal(storage.clone());
    let has_reached = storage.arm();
    let outcome = thread::scope(|scope| {
        let changing = scope.spawn(|| change(&journal));
        has_reached.recv().expect("it changes the folder");
        journal.close().expect("closed");
        changing.join().expect("no panic")
    });
    assert_eq!(*storage.notes.lock().expect("whole"), ["rename", "unlock"]);
    let reclaimed = journal.reclaim_oldest().expect_err("closed");
    assert_eq!(reclaimed.code(), Code::EngineClosed);
    assert_eq!(storage.check_claim().expect_err("given up").code(), Code::EngineClosed);
    super::folders::open(&folder, Access::ReadWrite).expect("opens again");
    outcome
}

#[test]
fn close_waits_for_a_reclaim() {
    assert!(close_during(Journal::reclaim_oldest).expect("reclaimed"));
}

#[test]
fn close_waits_for_a_checkpoint() {
    let checkpoint = |journal: &Journal| journal.checkpoint(&mut |sink| sink(b"state"));
    assert!(close_during(checkpoint).expect("written"));
}

#[test]
fn close_waits_for_a_log_that_is_sealed() {
    let seal = |journal: &Journal| {
        let log = RetainedLog::create(journal, 1, 7);
        log.append(&mut journal.lock()?, 1, &[b"entry"], &mut ())?;
        log.seal(&mut ()).map(|count| count == 1)
    };
    // The file has its name, but the record of it came too late: a leftover.
    assert_eq!(close_during(seal).expect_err("closed").code(), Code::EngineClosed);
}

#[test]
fn a_signal_that_a_reclaim_calls_may_close_the_journal() {
    struct Close(Arc<Journal>);
    impl Signal for Close {
        fn signal(&self) {
            self.0.close().expect("closed");
        }
    }
    let folder = Folder::new();
    let storage = Arc::new(FileStorage::open(&folder.0, Access::ReadWrite).expect("a folder"));
    let journal = Arc::new(journal(storage));
    let ticket = {
        let mut appender = journal.lock().expect("usable");
        appender.append(&[b"last"]);
        appender.ticket()
    };
    journal.shared.synced.add(ticket, Arc::new(Close(Arc::clone(&journal))));
    let oldest = journal.segments()[0].number;
    let reclaimed = journal.reclaim_oldest().expect_err("closed meanwhile");
    assert_eq!(reclaimed.code(), Code::EngineClosed);
    assert_eq!(journal.segments()[0].number, oldest, "nothing was reclaimed after the close");
    let (_, found) = super::folders::open(&folder, Access::ReadWrite).expect("opens again");
    assert_eq!(found.last().map(Vec::as_slice), Some(&b"last"[..]));
}
