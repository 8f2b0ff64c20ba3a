//! The engine's queues beside their yardsticks, without Python.
//!
//! `cargo bench -p trunkline-engine --bench queues [-- NAME...]`, each of
//! cycle, depth, durable, fan_out, publish, redrive, scale, reopen.
//!
//! A ratio is the median of the rounds' ratios; ours and the yardstick take turns in every round.
//! Sizes are for two cores and some minutes; `TRUNKLINE_BENCH_FULL=1` runs the large ones.

#![allow(clippy::unwrap_used)] // A benchmark that fails should stop.

mod durable;
mod fan_out;
mod publish;
mod redrive;
mod scale;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use trunkline_engine::{
    Engine, Limits, OpenOptions, Outgoing, Queue, QueueConfig, Receipt, Receive, fifo_queue,
    queue_name, standard_queue,
};

const ROUNDS: usize = 9;
const CYCLES: u32 = 200_000;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    if runs("cycle") {
        cycles();
    }
    if runs("durable") {
        durable::run();
    }
    if runs("fan_out") {
        fan_out::run();
    }
    if runs("publish") {
        publish::run();
    }
    if runs("depth") {
        scale::depth();
    }
    if runs("scale") {
        scale::groups_and_queues();
        scale::threads();
    }
    if runs("redrive") {
        redrive::run();
    }
    if runs("reopen") {
        scale::reopen();
    }
}

/// Whether the large sizes were asked for.
fn full() -> bool {
    std::env::var_os("TRUNKLINE_BENCH_FULL").is_some()
}

/// An engine in memory that allows any number of messages in flight.
fn memory() -> Arc<Engine> {
    Engine::open(OpenOptions { limits: unlimited(), ..OpenOptions::memory() }).unwrap()
}

fn unlimited() -> Limits {
    let most = u32::MAX;
    Limits {
        standard_in_flight_max: most,
        fifo_in_flight_max: most,
        dedup_window: 1_000,
        ..Limits::default()
    }
}

fn queue(engine: &Engine, name: &str, config: QueueConfig) -> Arc<Queue> {
    engine.create_queue(queue_name(name), config, b"").unwrap()
}

fn send(queue: &Queue, body: &[u8]) {
    queue.send(&Outgoing { body, ..Outgoing::default() }).unwrap();
}

fn receive(queue: &Queue, max: usize, receipts: &mut Vec<Receipt>) {
    let sink = |message: trunkline_engine::Delivery<'_>| {
        black_box(message.body);
        receipts.push(message.receipt);
    };
    queue.try_receive(&Receive { max, ..Receive::default() }, sink).unwrap();
}

fn cycle(queue: &Queue, body: &[u8], receipts: &mut Vec<Receipt>) {
    send(queue, body);
    receive(queue, 1, receipts);
    queue.delete(&receipts.pop().unwrap()).unwrap();
}

fn nanoseconds(count: u32, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| work());
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs both sides in turns; prints both medians and the median, least and largest ratio.
fn compare(row: &str, peer: &str, mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) {
    ours();
    theirs();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        rounds.push(if round % 2 == 0 {
            let first = ours();
            (first, theirs())
        } else {
            let first = theirs();
            (ours(), first)
        });
    }
    let mut ratios: Vec<f64> = rounds.iter().map(|(ours, theirs)| ours / theirs).collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "{row:<44} {:>9.1} ns  {peer} {:>9.1} ns  {:.2}x its time ({:.2} to {:.2})",
        median(rounds.iter().map(|round| round.0).collect()),
        median(rounds.iter().map(|round| round.1).collect()),
        median(ratios.clone()),
        ratios[0],
        ratios[ratios.len() - 1],
    );
}

fn cycles() {
    let (sender, receiver) = crossbeam_channel::unbounded::<Box<[u8; 100]>>();
    let peer = || {
        nanoseconds(CYCLES, || {
            sender.send(Box::new(black_box([7_u8; 100]))).unwrap();
            black_box(receiver.try_recv().unwrap());
        })
    };
    let engine = memory();
    let plain = queue(&engine, "plain", standard_queue());
    let mut receipts = Vec::new();
    let name = "memory: send, receive, delete, 100 B";
    compare(
        name,
        "crossbeam",
        || nanoseconds(CYCLES, || cycle(&plain, &[7; 100], &mut receipts)),
        peer,
    );
    if std::env::var_os("TRUNKLINE_BENCH_PLAIN").is_some() {
        return;
    }
    let tens = queue(&engine, "tens", standard_queue());
    let bodies = [[7_u8; 100]; 10];
    let batch: Vec<Outgoing<'_>> =
        bodies.iter().map(|body| Outgoing { body, ..Outgoing::default() }).collect();
    let in_tens = || {
        let one = nanoseconds(CYCLES / 10, || {
            tens.send_batch(&batch, |_, sent| drop(black_box(sent))).unwrap();
            receive(&tens, 10, &mut receipts);
            receipts.drain(..).for_each(|receipt| assert!(tens.delete(&receipt).is_ok()));
        });
        one / 10.0
    };
    compare("memory: the same in tens, a message", "crossbeam", in_tens, peer);
    let fifo = queue(&engine, "q.fifo", fifo_queue());
    let mut number = 0_u64;
    let in_order = || {
        nanoseconds(CYCLES, || {
            number += 1;
            let (id, body) = (number.to_string(), &[7_u8; 100]);
            let (group, dedup_id) = (Some("g"), Some(id.as_str()));
            fifo.send(&Outgoing { body, group, dedup_id, ..Outgoing::default() }).unwrap();
            receive(&fifo, 1, &mut receipts);
            fifo.delete(&receipts.pop().unwrap()).unwrap();
        })
    };
    compare("memory: FIFO, one group, 100 B", "crossbeam", in_order, peer);
}
