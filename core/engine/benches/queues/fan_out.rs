//! One body for a thousand queues: a fan-out beside sends, in time and in bytes on disk.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use trunkline_engine::{Engine, FanTarget, OpenOptions, Outgoing, Queue, SharedPayload, Target};

use super::{ROUNDS, memory, queue, send, standard_queue};

const QUEUES: usize = 1_000;
/// Publishes that are timed together.
const PUBLISHES: usize = 20;

pub fn run() {
    time();
    floor();
    bytes();
}

fn queues(engine: &Engine) -> Vec<Arc<Queue>> {
    (0..QUEUES).map(|number| queue(engine, &format!("q{number}"), standard_queue())).collect()
}

fn publish(engine: &Engine, targets: &[FanTarget<'_>], body: &[u8]) {
    let content = SharedPayload { body, ..SharedPayload::default() };
    let out = engine.fan_out(targets, &content).unwrap();
    assert!(out.results.iter().all(Result::is_ok));
}

fn to(queues: &[Arc<Queue>]) -> Vec<FanTarget<'static>> {
    queues.iter().map(|queue| FanTarget::of(Target::Queue(queue.id()))).collect()
}

fn time() {
    let body = vec![b'x'; 1 << 10];
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (one, other) = (memory(), memory());
        let (sent, fanned) = (queues(&one), queues(&other));
        let targets = to(&fanned);
        let began = Instant::now();
        for _ in 0..PUBLISHES {
            sent.iter().for_each(|queue| send(queue, &body));
        }
        let sends = began.elapsed();
        let began = Instant::now();
        (0..PUBLISHES).for_each(|_| publish(&other, &targets, &body));
        let fan_outs = began.elapsed();
        ratios.push(fan_outs.as_secs_f64() / sends.as_secs_f64());
        let each = |took: std::time::Duration| took.as_nanos() / (QUEUES * PUBLISHES) as u128;
        println!(
            "memory, 1,000 queues, 1 KiB: send {} ns, fan-out {} ns",
            each(sends),
            each(fan_outs)
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("fan-out to 1,000 queues / 1,000 sends: {:.2}x of the time", ratios[ratios.len() / 2]);
}

/// What has to be written for a message of 100 bytes in a queue that senders share without a lock:
/// its body and its slot, and three words that change by atomic instructions.
#[repr(align(128))]
struct Written {
    tail: AtomicU64,
    counts: Line,
    bodies: Vec<u8>,
    slots: Vec<(AtomicU64, [u64; 4])>,
}

#[repr(align(64))]
struct Line(AtomicU64);

impl Written {
    fn new() -> Self {
        let counts = Line(AtomicU64::new(0));
        // As much as all rounds write: growing costs page faults, as in a queue, and no copies.
        let (bodies, slots) =
            (Vec::with_capacity(100 * PUBLISHES * ROUNDS), Vec::with_capacity(PUBLISHES * ROUNDS));
        Self { tail: AtomicU64::new(0), counts, bodies, slots }
    }

    #[inline]
    fn write(&mut self, body: &[u8; 100], now: u64) {
        let at = self.tail.fetch_add(1, Ordering::AcqRel);
        self.bodies.extend_from_slice(body);
        self.slots.push((AtomicU64::new(0), [at, now, 100, 0]));
        let state = &self.slots[at as usize].0;
        let _published = state.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed);
        self.counts.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The same writes to 1,000 places, without a queue around them: no publish takes less.
fn floor() {
    let body = black_box([b'x'; 100]);
    let time = |places: usize| {
        let mut written: Vec<_> = (0..places).map(|_| Written::new()).collect();
        let mut best = f64::MAX;
        for round in 0..PUBLISHES * ROUNDS {
            let began = Instant::now();
            written.iter_mut().for_each(|one| one.write(&body, round as u64));
            best = best.min(began.elapsed().as_nanos() as f64 / places as f64);
        }
        best
    };
    println!(
        "the writes of a message of 100 bytes alone: {:.0} ns in each of 1,000 places",
        time(QUEUES)
    );
}

/// The bytes that a folder holds behind the definitions of its queues.
fn bytes() {
    let body = vec![b'x'; 1 << 10];
    let measure = |work: &dyn Fn(&Engine, &[Arc<Queue>])| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(OpenOptions::at(folder.path())).unwrap();
        let queues = queues(&engine);
        let used = || {
            engine.flush().unwrap();
            let copy = tempfile::tempdir().unwrap();
            let path = copy.path().join("copy");
            engine.snapshot(&path).unwrap();
            let kinds = trunkline_engine::KINDS;
            let inspection = trunkline_host::inspect(&path, kinds, false).unwrap();
            inspection.segments.iter().map(|(_, bytes)| bytes).sum::<u64>()
        };
        let before = used();
        work(&engine, &queues);
        used() - before
    };
    let batch = measure(&|_, queues| {
        let messages = vec![Outgoing { body: &body, ..Outgoing::default() }; QUEUES];
        queues[0].send_batch(&messages, |_, sent| assert!(sent.is_ok())).unwrap();
    });
    let fan_out = measure(&|engine, queues| publish(engine, &to(queues), &body));
    println!(
        "disk, 1,000 x 1 KiB: a batch {batch} bytes, a fan-out {fan_out} bytes: {:.3}x",
        fan_out as f64 / batch as f64
    );
}
