//! The engine's streams beside their yardsticks, without Python.
//!
//! `cargo bench -p trunkline-engine --bench streams [-- NAME...]`, each of put, disk, tail, open.
//!
//! A ratio is the median of the rounds' ratios; ours and the yardstick take turns in every round.

#![allow(clippy::unwrap_used)] // A benchmark that fails should stop.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use trunkline_engine::{
    Engine, NewRecord, OpenOptions, Outgoing, ReadRequest, ShardId, Stream, StreamConfig,
    queue_name, standard_queue, stream_name,
};

const ROUNDS: usize = 9;
const RECORDS: usize = 200_000;
const BATCH: usize = 500;
const KIB: usize = 1_024;
const RETENTION: u64 = 86_400_000;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    if runs("put") {
        put_in_memory();
    }
    if runs("tail") {
        read_from_the_tail();
    }
    if runs("disk") {
        batches_on_disk();
    }
    if runs("open") {
        open_with_sealed_data();
    }
}

fn stream(engine: &Engine, name: &str) -> Arc<Stream> {
    let config = StreamConfig { shards: 1, retention: RETENTION };
    engine.create_stream(stream_name(name), &config, b"").unwrap()
}

fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn report(row: &str, mut pairs: Vec<(f64, f64)>, per: usize, invert: bool) {
    let ratio = |(ours, yardstick): &(f64, f64)| {
        if invert { yardstick / ours } else { ours / yardstick }
    };
    pairs.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    let middle = pairs[pairs.len() / 2];
    let each = |seconds: f64| seconds * 1e9 / per as f64;
    println!(
        "{row:<58} {:>9.0} ns | yardstick {:>9.0} ns | ratio {:.2}",
        each(middle.0),
        each(middle.1),
        ratio(&middle)
    );
}

/// A put of 100 bytes in one shard beside a send of the same bytes.
fn put_in_memory() {
    let data = [7; 100];
    let record = NewRecord { key: "user-1", hash_key: None, data: &data };
    let (mut single, mut batches) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let engine = Engine::open(OpenOptions::memory()).unwrap();
        let queue = engine.create_queue(queue_name("q"), standard_queue(), b"").unwrap();
        let one = stream(&engine, "one");
        let send = time(|| {
            for _ in 0..RECORDS {
                queue.send(&Outgoing { body: &data, ..Outgoing::default() }).unwrap();
            }
        });
        let put = time(|| {
            for _ in 0..RECORDS {
                let _put = black_box(one.put(&record)).unwrap();
            }
        });
        single.push((put, send));
        let many = stream(&engine, "many");
        let records = [record; BATCH];
        let put = time(|| {
            for _ in 0..RECORDS / BATCH {
                many.put_batch(&records, |put| _ = black_box(put)).unwrap();
            }
        });
        batches.push((put, send));
    }
    report("put, 100 B, memory | a queue send (its time)", single, RECORDS, false);
    report("batches of 500, 100 B, memory | a queue send (its time)", batches, RECORDS, false);
}

/// Reads of 1 KiB records beside copies of the same bytes.
fn read_from_the_tail() {
    const COUNT: usize = 50_000;
    let data = vec![7; KIB];
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in
        [("memory", OpenOptions::memory()), ("disk", OpenOptions::at(folder.path()))]
    {
        let engine = Engine::open(options).unwrap();
        let stream = stream(&engine, "s");
        let record = NewRecord { key: "user-1", hash_key: None, data: &data };
        let records = vec![record; BATCH];
        for _ in 0..COUNT / BATCH {
            stream.put_batch(&records, |_| {}).unwrap();
        }
        engine.flush().unwrap();
        let offset = (COUNT - 2_000) as u64;
        let request = ReadRequest { shard: ShardId(0), offset, max: 2_000, max_bytes: 1 << 30 };
        let mut pairs = Vec::new();
        let mut target = Vec::with_capacity(3_000 * KIB);
        let source = vec![vec![7u8; KIB]; 2_000];
        for _ in 0..ROUNDS * 5 {
            target.clear();
            let copy = time(|| source.iter().for_each(|one| target.extend_from_slice(one)));
            black_box(&target);
            target.clear();
            let read = time(|| {
                stream.read(&request, |record| target.extend_from_slice(record.data)).unwrap();
            });
            assert_eq!(black_box(&target).len(), 2_000 * KIB);
            pairs.push((read, copy));
        }
        let row = format!("read of 2,000 x 1 KiB at the tail, {name} | memcpy (speed)");
        report(&row, pairs, 2_000, true);
    }
}

fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// Bytes that this process has handed to the disk.
fn written() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/io").ok()?;
    let line = told.lines().find(|line| line.starts_with("wchar:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Durable batches of 500 x 1 KiB beside a write and an fdatasync of the same bytes.
fn batches_on_disk() {
    const BATCHES: usize = 100;
    let data = vec![7; KIB];
    let record = NewRecord { key: "user-1", hash_key: None, data: &data };
    let records = vec![record; BATCH];
    let bytes = vec![7; BATCH * KIB];
    let mut pairs = Vec::new();
    let mut amplification = 0.0;
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(OpenOptions::at(folder.path())).unwrap();
        let stream = stream(&engine, "s");
        let before = written();
        let put = time(|| {
            for _ in 0..BATCHES {
                let ticket = stream.put_batch(&records, |_| {}).unwrap().unwrap();
                engine.wait(ticket, engine.durability()).unwrap();
            }
        });
        engine.flush().unwrap();
        if let (Some(before), Some(after)) = (before, written()) {
            amplification = (after - before) as f64 / (BATCHES * bytes.len()) as f64;
        }
        black_box(size_of(folder.path()));
        engine.close().unwrap();
        let path = folder.path().join("raw");
        let mut file = File::create(&path).unwrap();
        let raw = time(|| {
            for _ in 0..BATCHES {
                file.write_all(&bytes).unwrap();
                file.sync_data().unwrap();
            }
        });
        pairs.push((put, raw));
    }
    report(
        "batches of 500 x 1 KiB, disk | write + fdatasync (speed)",
        pairs,
        BATCHES * BATCH,
        true,
    );
    println!(
        "bytes written for each byte of data, with sealing and the zeros of new segments: \
         {amplification:.2}"
    );
}

/// Opening a folder with sealed data beside opening an empty one.
fn open_with_sealed_data() {
    let gigabytes = if std::env::var_os("TRUNKLINE_BENCH_FULL").is_some() { 10 } else { 1 };
    let folder = tempfile::tempdir().unwrap();
    let data = vec![7; 64 * KIB];
    let record = NewRecord { key: "user-1", hash_key: None, data: &data };
    let records = vec![record; 64];
    let engine = Engine::open(OpenOptions::at(folder.path())).unwrap();
    let stream = stream(&engine, "s");
    for _ in 0..gigabytes * 256 {
        stream.put_batch(&records, |_| {}).unwrap();
    }
    engine.flush().unwrap();
    engine.compact().unwrap();
    engine.close().unwrap();
    drop((stream, engine));
    let empty = tempfile::tempdir().unwrap();
    Engine::open(OpenOptions::at(empty.path())).unwrap().close().unwrap();
    let open = |path: &Path| time(|| drop(black_box(Engine::open(OpenOptions::at(path)).unwrap())));
    let (mut full, mut none) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        full.push(open(folder.path()));
        none.push(open(empty.path()));
    }
    full.sort_by(f64::total_cmp);
    none.sort_by(f64::total_cmp);
    let (full, none) = (full[ROUNDS / 2] * 1e3, none[ROUNDS / 2] * 1e3);
    println!("open with {gigabytes} GiB of stream data: {full:.1} ms, with none: {none:.1} ms");
}
