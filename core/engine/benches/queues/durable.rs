//! Durable sends beside a raw loop that writes and syncs the same bytes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use trunkline_engine::{Durability, Engine, OpenOptions, Outgoing, Queue, Signal, standard_queue};

use crate::{compare, nanoseconds, queue};

const BODY: usize = 1_024;
const FILE_BYTES: u64 = 64 << 20;

pub fn run() {
    // Beside the build, because a temporary folder may be memory.
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    std::fs::create_dir_all(&target).unwrap();
    let folder = tempfile::tempdir_in(target).unwrap();
    let raw = Raw::new(&folder.path().join("raw"));
    let engine = Engine::open(OpenOptions::at(folder.path().join("engine"))).unwrap();
    let queue = queue(&engine, "q", standard_queue());
    let body = [7_u8; BODY];
    let one = |count: u32| nanoseconds(count, || wait_for(&engine, &queue, &[&body]));
    compare("disk: one sender, 1 KiB", "raw", || one(400), || raw.loop_of(400, BODY));
    let batch: Vec<&[u8]> = vec![&body; 256];
    let batches = || nanoseconds(40, || wait_for(&engine, &queue, &batch)) / 256.0;
    let raw_batches = || raw.loop_of(40, BODY * 256) / 256.0;
    compare("disk: batches of 256 x 1 KiB, a message", "raw", batches, raw_batches);
    let outstanding = || many_outstanding(&engine, &queue, &body, 256, 20_000);
    compare("disk: 256 outstanding, completions, 1 KiB", "raw 256", outstanding, raw_batches);
    let threads = || blocked_threads(&engine, &queue, 64, 100);
    compare("disk: 64 blocked threads, 1 KiB", "raw", threads, || raw.loop_of(400, BODY));
}

fn wait_for(engine: &Engine, queue: &Queue, bodies: &[&[u8]]) {
    let batch: Vec<_> =
        bodies.iter().map(|body| Outgoing { body, ..Outgoing::default() }).collect();
    let ticket = queue.send_batch(&batch, |_, _| ()).unwrap().unwrap();
    engine.wait(ticket, Durability::Disk).unwrap();
}

fn blocked_threads(engine: &Engine, queue: &Queue, threads: u32, each: u32) -> f64 {
    nanoseconds(1, || {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..each).for_each(|_| wait_for(engine, queue, &[&[7; BODY]])));
            }
        });
    }) / f64::from(threads * each)
}

/// Keeps `limit` sends on their way, as a server with many connections does.
fn many_outstanding(engine: &Engine, queue: &Queue, body: &[u8], limit: u64, count: u64) -> f64 {
    let done = Arc::new(Done::default());
    let all = nanoseconds(1, || {
        for sent in 0..count {
            done.wait_until(sent.saturating_sub(limit - 1));
            let ticket = queue.send(&Outgoing { body, ..Outgoing::default() }).unwrap().ticket;
            engine.notify_when(ticket.unwrap(), Durability::Disk, done.clone()).unwrap();
        }
        done.wait_until(count);
        done.count.store(0, Ordering::SeqCst);
    });
    all / count as f64
}

#[derive(Default)]
struct Done {
    count: AtomicU64,
    wanted: AtomicU64,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Done {
    fn wait_until(&self, count: u64) {
        if self.count.load(Ordering::SeqCst) >= count {
            return;
        }
        self.wanted.store(count, Ordering::SeqCst);
        let mut guard = self.lock.lock().unwrap();
        while self.count.load(Ordering::SeqCst) < count {
            guard = self.changed.wait(guard).unwrap();
        }
    }
}

impl Signal for Done {
    fn signal(&self) {
        if self.count.fetch_add(1, Ordering::SeqCst) + 1 == self.wanted.load(Ordering::SeqCst) {
            drop(self.lock.lock().unwrap());
            self.changed.notify_one();
        }
    }
}

struct Raw {
    file: File,
    at: AtomicU64,
}

impl Raw {
    fn new(path: &Path) -> Self {
        let file = File::create(path).unwrap();
        let zeros = vec![0_u8; 1 << 20];
        (0..FILE_BYTES >> 20).for_each(|mib| file.write_all_at(&zeros, mib << 20).unwrap());
        file.sync_all().unwrap();
        Self { file, at: AtomicU64::new(0) }
    }

    fn loop_of(&self, count: u32, bytes: usize) -> f64 {
        let body = vec![7_u8; bytes];
        nanoseconds(count, || {
            let at = self.at.fetch_add(bytes as u64, Ordering::Relaxed) % (FILE_BYTES / 2);
            self.file.write_all_at(&body, at).unwrap();
            self.file.sync_data().unwrap();
        })
    }
}
