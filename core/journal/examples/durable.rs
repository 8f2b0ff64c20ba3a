//! Durable throughput against a raw loop of write and fdatasync on a zero-filled file of the same
//! disk, in interleaved rounds, and the speed of a replay.
//!
//! `cargo run --release -p trunkline-journal --example durable [folder]`

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use trunkline_journal::{Access, FileStorage, Journal, Options, Signal};
use trunkline_types::{Durability, Error, Result};

const PAYLOAD: [u8; 1_024] = [7; 1_024];
const ROUNDS: usize = 9;
const ROUND_WRITES: usize = 400;
const ROUND_BATCHES: usize = 60;
const RAW_BYTES: usize = 32 << 20;
const OUTSTANDING: usize = 256;
const REPLAY_BYTES: usize = 512 << 20;

fn main() -> Result<()> {
    let base = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join(format!("trunkline-durable-{}", std::process::id()));
    let outcome = measure(&folder);
    let _removed = std::fs::remove_dir_all(&folder);
    outcome
}

fn measure(folder: &Path) -> Result<()> {
    let storage = Arc::new(FileStorage::open(folder.join("journal"), Access::ReadWrite)?);
    let options = Options { segment_bytes_first: 64 << 20, ..Options::default() };
    let journal = Journal::open(storage, options, &mut |_, _| Ok(()))?;
    let raw = raw_file(folder).map_err(failed)?;
    let (mut alone, mut many) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let base = raw_loop(&raw, round, ROUND_WRITES, &PAYLOAD).map_err(failed)?;
        alone.push(base.as_secs_f64() / one_sender(&journal)?.as_secs_f64());
        let whole = PAYLOAD.repeat(OUTSTANDING);
        let batches = raw_loop(&raw, round, ROUND_BATCHES, &whole).map_err(failed)?;
        many.push(batches.as_secs_f64() / completions(&journal)?.as_secs_f64());
        println!("round {round}: raw {:.0} us a write", micros(base));
    }
    println!("one sender, 1 KiB, disk: {:.2}x of raw", median(&mut alone));
    println!(
        "{OUTSTANDING} completions outstanding: {:.2}x of raw writes of {OUTSTANDING} KiB",
        median(&mut many)
    );
    journal.close()?;
    replay(&folder.join("replay"))
}

fn raw_file(folder: &Path) -> std::io::Result<File> {
    let path = folder.join("raw");
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.write_all_at(&vec![0; RAW_BYTES], 0)?;
    file.sync_all()?;
    Ok(file)
}

fn raw_loop(file: &File, round: usize, writes: usize, bytes: &[u8]) -> std::io::Result<Duration> {
    let start = Instant::now();
    for number in 0..writes {
        let offset = (round * writes + number) * bytes.len() % RAW_BYTES;
        file.write_all_at(bytes, offset as u64)?;
        file.sync_data()?;
    }
    Ok(start.elapsed())
}

fn one_sender(journal: &Journal) -> Result<Duration> {
    let start = Instant::now();
    for _ in 0..ROUND_WRITES {
        let ticket = {
            let mut appender = journal.lock()?;
            appender.append(&[&PAYLOAD]);
            appender.ticket()
        };
        journal.commit(ticket, Durability::Disk)?;
    }
    Ok(start.elapsed())
}

#[derive(Default)]
struct Window {
    free: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Signal for Window {
    fn signal(&self) {
        // Woken once a batch: a wake for each record would measure the scheduler.
        if self.free.fetch_add(1, Ordering::SeqCst) == 0 {
            let _guard = self.lock.lock();
            self.changed.notify_one();
        }
    }
}

impl Window {
    fn take(&self, least: usize) {
        if self.free.load(Ordering::SeqCst) >= least {
            self.free.fetch_sub(least, Ordering::SeqCst);
            return;
        }
        let mut guard = self.lock.lock().expect("no holder panics");
        while self.free.load(Ordering::SeqCst) < least {
            guard = self.changed.wait_timeout(guard, Duration::from_millis(1)).expect("same").0;
        }
        self.free.fetch_sub(least, Ordering::SeqCst);
    }
}

fn completions(journal: &Journal) -> Result<Duration> {
    let window = Arc::new(Window::default());
    window.free.store(OUTSTANDING, Ordering::SeqCst);
    let start = Instant::now();
    for _ in 0..ROUND_BATCHES * OUTSTANDING {
        window.take(1);
        let ticket = {
            let mut appender = journal.lock()?;
            appender.append(&[&PAYLOAD]);
            appender.ticket()
        };
        journal.notify_when(ticket, Durability::Disk, window.clone())?;
    }
    window.take(OUTSTANDING);
    Ok(start.elapsed())
}

fn replay(folder: &Path) -> Result<()> {
    let open = |count: &mut usize| {
        let storage = Arc::new(FileStorage::open(folder, Access::ReadWrite)?);
        Journal::open(storage, Options::default(), &mut |_, payload| {
            *count += payload.len();
            Ok(())
        })
    };
    for payload in [100usize, 1_024] {
        let journal = open(&mut 0)?;
        for _ in 0..REPLAY_BYTES / 2 / payload {
            journal.wait_for_capacity()?;
            journal.lock()?.append(&[&PAYLOAD[..payload]]);
        }
        journal.close()?;
        let (start, mut bytes) = (Instant::now(), 0);
        drop(open(&mut bytes)?);
        let rate = bytes as f64 / start.elapsed().as_secs_f64() / 1e9;
        println!("replay of {} MiB in the page cache: {rate:.2} GB/s", bytes >> 20);
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn micros(round: Duration) -> f64 {
    round.as_secs_f64() * 1e6 / ROUND_WRITES as f64
}

fn failed(cause: std::io::Error) -> Error {
    Error::new(trunkline_types::Code::StorageFailure, cause.to_string())
}
