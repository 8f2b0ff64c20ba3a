//! Compaction and copying keep no receiver waiting.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use common::{START, counts, find, queue, receive, receive_for, send, send_to};
use trunkline_engine::{
    Clock, DeadLetter, Engine, OpenOptions, QueueConfig, Result, Storage, fifo_queue,
    standard_queue,
};
use trunkline_journal::{File, MemoryStorage};

const SECONDS: Duration = Duration::from_secs(60);

/// A disk that stops in the middle of a call when it is told to.
#[derive(Debug, Clone, Default)]
struct SlowStorage {
    files: MemoryStorage,
    stop: Arc<Stop>,
}

#[derive(Debug, Default)]
struct Stop {
    at_read: AtomicBool,
    at_sync: AtomicBool,
    /// Says that a call has stopped, and waits until it may go on.
    stopped: std::sync::Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl Stop {
    /// The next read, or the next sync, stops; what is returned hears of it and ends it.
    fn next(&self, flag: &AtomicBool) -> (Receiver<()>, Sender<()>) {
        let (stopped, heard) = channel();
        let (go_on, may_go_on) = channel();
        *self.stopped.lock().unwrap() = Some((stopped, may_go_on));
        flag.store(true, Ordering::SeqCst);
        (heard, go_on)
    }

    fn pass(&self, flag: &AtomicBool) {
        if flag.swap(false, Ordering::SeqCst) {
            let (stopped, may_go_on) = self.stopped.lock().unwrap().take().unwrap();
            stopped.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
    }
}

#[derive(Debug)]
struct SlowFile {
    file: Arc<dyn File>,
    stop: Arc<Stop>,
}

impl SlowStorage {
    fn wrap(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(SlowFile { file, stop: self.stop.clone() })
    }
}

impl Storage for SlowStorage {
    fn create(&self, name: &str) -> Result<Arc<dyn File>> {
        self.files.create(name).map(|file| self.wrap(file))
    }

    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        Ok(self.files.open(name)?.map(|file| self.wrap(file)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.files.remove(name)
    }

    fn list(&self) -> Result<Vec<String>> {
        self.files.list()
    }

    fn sync_dir(&self) -> Result<()> {
        self.files.sync_dir()
    }
}

impl File for SlowFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        self.stop.pass(&self.stop.at_read);
        self.file.read_at(offset, bytes)
    }

    fn sync_data(&self) -> Result<()> {
        self.stop.pass(&self.stop.at_sync);
        self.file.sync_data()
    }

    fn len(&self) -> Result<u64> {
        self.file.len()
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes)
    }
}

/// An engine with a log of several segments and two queues that hold a message to be given up.
fn engine(storage: &SlowStorage) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(START));
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    let options = OpenOptions { clock, storage: Some(storage), ..OpenOptions::memory() };
    let options = OpenOptions { segment_bytes: 8 << 10, background: false, ..options };
    let engine = Engine::open(options).unwrap();
    let dead =
        [queue(&engine, "dead", standard_queue()), queue(&engine, "dead.fifo", fifo_queue())];
    let after = |number: usize| Some(DeadLetter { queue: dead[number].id(), max_receive_count: 1 });
    let plain = queue(&engine, "plain", QueueConfig { dead_letter: after(0), ..standard_queue() });
    let fifo = queue(&engine, "q.fifo", QueueConfig { dead_letter: after(1), ..fifo_queue() });
    let filler = queue(&engine, "filler", standard_queue());
    for number in 0..40 {
        send(&filler, &format!("{number:0900}"));
    }
    send(&plain, "poison");
    send_to(&fifo, "g", "poison");
    for queue in [&plain, &fifo] {
        assert_eq!(receive_for(queue, 1, Some(0)).len(), 1);
    }
    engine.flush().unwrap();
    engine
}

/// Receives from both queues, which dead-letters a message of each, while `work` stands still.
fn dead_letter_during(
    engine: &Arc<Engine>,
    (stopped, go_on): (Receiver<()>, Sender<()>),
    work: impl FnOnce(&Engine) + Send + 'static,
) {
    let worker = {
        let engine = engine.clone();
        std::thread::spawn(move || work(&engine))
    };
    stopped.recv_timeout(SECONDS).unwrap();
    let (done, moved) = channel();
    let receiver = {
        let engine = engine.clone();
        std::thread::spawn(move || {
            for name in ["plain", "q.fifo"] {
                assert!(receive(&find(&engine, name), 1).is_empty());
            }
            done.send(()).unwrap();
        })
    };
    let in_time = moved.recv_timeout(SECONDS);
    go_on.send(()).unwrap();
    worker.join().unwrap();
    receiver.join().unwrap();
    assert!(in_time.is_ok(), "a receive waited");
    for name in ["dead", "dead.fifo"] {
        assert_eq!(counts(&find(engine, name)), (1, 0, 0));
    }
}

#[test]
fn a_receive_that_dead_letters_does_not_wait_for_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let storage = SlowStorage::default();
    let engine = engine(&storage);
    let path = folder.path().join("copy");
    let stop = storage.stop.next(&storage.stop.at_read);
    dead_letter_during(&engine, stop, {
        let path = path.clone();
        move |engine| engine.snapshot(&path).unwrap()
    });
    let clock = Arc::new(Clock::virtual_at(START));
    let copy = Engine::open(OpenOptions { clock, ..OpenOptions::at(path) }).unwrap();
    assert_eq!(counts(&find(&copy, "filler")), (40, 0, 0));
    // Each message is in one queue of the copy, whichever moment it shows.
    for (source, dead) in [("plain", "dead"), ("q.fifo", "dead.fifo")] {
        let held = [source, dead].map(|name| counts(&find(&copy, name)).0);
        assert_eq!(held.iter().sum::<u64>(), 1, "{held:?}");
    }
}

#[test]
fn a_receive_that_dead_letters_does_not_wait_for_the_disk_of_compaction() {
    let storage = SlowStorage::default();
    let engine = engine(&storage);
    let stop = storage.stop.next(&storage.stop.at_sync);
    dead_letter_during(&engine, stop, |engine| engine.compact_oldest().unwrap());
}
