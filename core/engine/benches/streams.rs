//! The engine's streams beside their yardsticks, without Python.
//!
//! `cargo bench -p trunkline-engine --bench streams [-- NAME...]`, each of put, disk, tail, behind,
//! open, depth. With TRUNKLINE_BENCH_FULL set, 10 GiB lie behind and a deep stream has 100,000,000
//! records; without it, a tenth of them.
//!
//! A ratio is the median of the rounds' ratios; ours and the yardstick take turns in every round.

#![allow(clippy::unwrap_used)] // A benchmark that fails should stop.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use trunkline_engine::{
    Durability, Engine, NewRecord, OpenOptions, Outgoing, ReadRequest, ShardId, Stream,
    StreamConfig, StreamRecord, queue_name, standard_queue, stream_name,
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
    if runs("behind") || runs("open") {
        sealed_data();
    }
    if runs("depth") {
        at_depth();
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

/// Bytes that this process has handed to the disk.
fn written() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/io").ok()?;
    let line = told.lines().find(|line| line.starts_with("wchar:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Durable batches of 500 x 1 KiB beside a write and an fdatasync of the same bytes, once the
/// journal uses its segments again and a file of zeros is written over.
fn batches_on_disk() {
    const BATCHES: usize = 100;
    const WARM_UP: usize = 800;
    let data = vec![7; KIB];
    let record = NewRecord { key: "user-1", hash_key: None, data: &data };
    let records = vec![record; BATCH];
    let bytes = vec![7; BATCH * KIB];
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(OpenOptions::at(folder.path())).unwrap();
    let stream = stream(&engine, "s");
    let put = |count: usize| {
        for _ in 0..count {
            let ticket = stream.put_batch(&records, |_| {}).unwrap().unwrap();
            engine.wait(ticket, engine.durability()).unwrap();
        }
    };
    put(WARM_UP);
    let mut file = File::create(folder.path().join("raw")).unwrap();
    (0..BATCHES).for_each(|_| file.write_all(&vec![0; bytes.len()]).unwrap());
    file.sync_data().unwrap();
    let (mut pairs, mut amplification) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = written();
        let ours = time(|| put(BATCHES));
        engine.flush().unwrap();
        if let (Some(before), Some(after)) = (before, written()) {
            let record = record.key.len() + record.data.len();
            amplification.push((after - before) as f64 / (BATCHES * BATCH * record) as f64);
        }
        file.seek(SeekFrom::Start(0)).unwrap();
        let raw = time(|| {
            for _ in 0..BATCHES {
                file.write_all(&bytes).unwrap();
                file.sync_data().unwrap();
            }
        });
        pairs.push((ours, raw));
    }
    let row = "batches of 500 x 1 KiB, disk | write + fdatasync (speed)";
    report(row, pairs, BATCHES * BATCH, true);
    amplification.sort_by(f64::total_cmp);
    if let Some(middle) = amplification.get(amplification.len() / 2) {
        println!("bytes written for each byte of keys and data, sealing included: {middle:.2}");
    }
}

fn is_full() -> bool {
    std::env::var_os("TRUNKLINE_BENCH_FULL").is_some()
}

/// Opening a folder with sealed data beside opening an empty one, and reading it from the oldest
/// record on beside reading a file of as many bytes.
fn sealed_data() {
    let gigabytes = if is_full() { 10 } else { 1 };
    let folder = tempfile::tempdir().unwrap();
    let data = vec![7; KIB];
    let record = NewRecord { key: "user-1", hash_key: None, data: &data };
    let records = vec![record; BATCH];
    let engine = Engine::open(OpenOptions::at(folder.path())).unwrap();
    let stream = stream(&engine, "s");
    let count = gigabytes * (1 << 20) / BATCH;
    let mut raw = File::create(folder.path().join("raw")).unwrap();
    for _ in 0..count {
        let ticket = stream.put_batch(&records, |_| {}).unwrap().unwrap();
        engine.wait(ticket, engine.durability()).unwrap();
        raw.write_all(&vec![7; BATCH * KIB]).unwrap();
    }
    raw.sync_data().unwrap();
    engine.flush().unwrap();
    engine.compact().unwrap();
    engine.close().unwrap();
    drop((stream, engine));
    let names = std::fs::read_dir(folder.path()).unwrap();
    let is_sealed = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("retained-");
    let files = names.filter(|entry| is_sealed(&entry.as_ref().unwrap().file_name())).count();
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
    println!(
        "open with {gigabytes} GiB in {files} sealed files: {full:.1} ms, with none: {none:.1} ms"
    );
    let engine = Engine::open(OpenOptions::at(folder.path())).unwrap();
    let stream = engine.find_stream(&stream_name("s")).unwrap().unwrap();
    read_from_behind(&stream, &folder.path().join("raw"), count * BATCH);
}

/// Windows of 64 MiB, one after the other, each read by the engine and from a plain file.
fn read_from_behind(stream: &Stream, raw: &Path, count: usize) {
    const WINDOW: usize = 64 << 10;
    const CHUNK: usize = 1_000;
    let mut raw = File::open(raw).unwrap();
    let mut target = Vec::with_capacity(CHUNK * KIB + KIB);
    let (mut pairs, mut offset) = (Vec::new(), 0);
    for _ in 0..count / WINDOW {
        let read = time(|| {
            let end = offset + WINDOW as u64;
            while offset < end {
                let max = CHUNK.min((end - offset) as usize);
                let request = ReadRequest { shard: ShardId(0), offset, max, max_bytes: 1 << 30 };
                target.clear();
                let sink = |record: StreamRecord<'_>| target.extend_from_slice(record.data);
                offset = stream.read(&request, sink).unwrap().next;
                black_box(&target);
            }
        });
        let plain = time(|| {
            for _ in 0..WINDOW.div_ceil(CHUNK) {
                target.resize(CHUNK * KIB, 0);
                raw.read_exact(&mut target[..]).or_else(|_| raw.rewind()).unwrap();
                black_box(&target);
            }
        });
        pairs.push((read, plain));
    }
    report("read of 1 KiB records from behind | file read (speed)", pairs, WINDOW, true);
}

/// Puts and reads at the end of a stream of many records beside one of few.
fn at_depth() {
    const STEP: usize = 20_000;
    let depth = if is_full() { 100_000_000 } else { 10_000_000 };
    let data = vec![7; 100];
    let record = NewRecord { key: "user-1", hash_key: None, data: &data };
    let records = vec![record; BATCH];
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let open = |path: &Path| {
        let options = OpenOptions { durability: Durability::Os, ..OpenOptions::at(path) };
        let engine = Engine::open(options).unwrap();
        let stream = stream(&engine, "s");
        (engine, stream)
    };
    let [(_deep, deep), (_few, few)] = [open(folders[0].path()), open(folders[1].path())];
    for (stream, count) in [(&deep, depth), (&few, 1_000)] {
        for _ in 0..count / BATCH {
            stream.put_batch(&records, |_| {}).unwrap();
        }
    }
    let work = |stream: &Stream| {
        for _ in 0..STEP / BATCH {
            let mut last = 0;
            stream.put_batch(&records, |put| last = put.sequence.offset()).unwrap();
            let offset = last + 1 - BATCH as u64;
            let max = BATCH;
            let request = ReadRequest { shard: ShardId(0), offset, max, max_bytes: 1 << 30 };
            let outcome = stream.read(&request, |record| _ = black_box(record.data)).unwrap();
            assert_eq!(outcome.records, BATCH);
        }
    };
    let round = |_| (time(|| work(&deep)), time(|| work(&few)));
    let pairs = (0..ROUNDS * 2).map(round).collect();
    let row = format!("put and read behind {depth} records | behind 1,000 (its time)");
    report(&row, pairs, STEP, false);
}
