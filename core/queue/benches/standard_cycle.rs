//! The standard log beside a crossbeam channel: one thread, depth, threads, memory.
//!
//! Every figure is a ratio of one run: rounds of both sides alternate, the median counts. A cycle
//! is send + receive + delete with two coarse clock reads and the fields of a receipt; crossbeam's
//! is send + receive of a boxed body.
//!
//! `cargo bench -p trunkline-queue --bench standard_cycle`

use std::hint::black_box;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};
use trunkline_queue::{BodyRef, NewBody, SlotRef, StandardLog, Visibility};
use trunkline_types::{Clock, Receipt, ResourceId};

const ROUNDS: usize = 9;
const CYCLES: u32 = 400_000;
const LEASE: u64 = 30_000;

fn main() {
    cycles();
    depth();
    threads();
}

fn send(log: &StandardLog, clock: &Clock, body: &[u8]) -> SlotRef {
    let reserved = log.reserve(body.len(), true);
    reserved.publish(clock.now(), 0, NewBody::Inline(&[body]), Visibility::Ready)
}

/// Receives one message; its receipt, and a byte of its body so that the body is touched.
#[inline]
fn receive(log: &StandardLog, clock: &Clock) -> Option<(Receipt, u8)> {
    let claimed = log.claim()?;
    let now = clock.now();
    let touched = match claimed.body() {
        BodyRef::Bytes(bytes) => bytes.first().copied().unwrap_or(0),
        BodyRef::At { .. } => 0,
    };
    let (place, seq) = (claimed.place(), claimed.seq());
    let leased = claimed.lease(now + LEASE, now).ok()?;
    let receipt = Receipt {
        queue: ResourceId(1),
        incarnation: 1,
        slot: place.slot,
        generation: place.generation,
        seq,
        delivery: leased.deliveries,
        received: now,
    };
    black_box(log.arm(place.slot, now + LEASE));
    Some((receipt, touched))
}

fn cycle(log: &StandardLog, clock: &Clock, body: &[u8]) {
    send(log, clock, black_box(body));
    if let Some((receipt, touched)) = receive(log, clock) {
        black_box((receipt, touched));
        log.delete(SlotRef { slot: receipt.slot, generation: receipt.generation });
    }
}

fn nanoseconds(count: u32, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        work();
    }
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

type Ends<const N: usize> = (Sender<Box<[u8; N]>>, Receiver<Box<[u8; N]>>);

fn crossbeam_cycle<const N: usize>(ends: &Ends<N>, body: &[u8; N]) {
    let _ = ends.0.try_send(Box::new(*black_box(body)));
    if let Ok(body) = ends.1.try_recv() {
        black_box(body[0]);
    }
}

fn cycles() {
    let clock = Clock::system();
    compare::<100>(&clock);
    compare::<1_024>(&clock);
}

fn compare<const N: usize>(clock: &Clock) {
    let body = [7_u8; N];
    let (log, bounded, unbounded) =
        (StandardLog::new(1), crossbeam_channel::bounded(1_024), crossbeam_channel::unbounded());
    let (mut ours, mut theirs, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(nanoseconds(CYCLES, || crossbeam_cycle(&bounded, &body)));
        ours.push(nanoseconds(CYCLES, || cycle(&log, clock, &body)));
        lists.push(nanoseconds(CYCLES, || crossbeam_cycle(&unbounded, &body)));
    }
    let (ours, theirs, lists) = (median(ours), median(theirs), median(lists));
    println!(
        "cycle {N:>5} B: log {ours:6.1} ns, crossbeam bounded {theirs:5.1} ns ({:.2}x), \
         unbounded {lists:5.1} ns ({:.2}x)",
        ours / theirs,
        ours / lists,
    );
}

/// Time of a cycle at several depths, on a queue of its own each, and resident memory at the first:
/// the others reuse what it freed.
fn depth() {
    let clock = Clock::system();
    let body = [7_u8; 100];
    for depth in [10_000_000_u32, 1_000_000, 100_000, 1_000] {
        let (log, before) = (StandardLog::new(1), resident_bytes());
        for _ in 0..depth {
            send(&log, &clock, &body);
        }
        let grown = (resident_bytes() - before) / f64::from(depth);
        let rounds = (0..5).map(|_| nanoseconds(100_000, || cycle(&log, &clock, &body)));
        println!("depth {depth:>9}: {:6.1} ns a cycle", median(rounds.collect()));
        if depth == 10_000_000 {
            println!("{:.1} resident bytes a message beyond its body", grown - body.len() as f64);
        }
    }
}

/// Resident memory of this process; 0 where the system does not tell.
fn resident_bytes() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.as_deref().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    pages.unwrap_or(0.0) * 4_096.0
}

fn threads() {
    let clock = Clock::system();
    let body = [7_u8; 100];
    for count in [1_u32, 2, 4] {
        let log = StandardLog::new(1);
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| (0..CYCLES).for_each(|_| cycle(&log, &clock, &body)));
            }
        });
        let rate = f64::from(count * CYCLES) / start.elapsed().as_secs_f64() / 1e6;
        println!("{count} threads: {rate:.1} million cycles a second");
    }
}
