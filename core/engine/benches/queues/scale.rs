//! What must not matter: depth, messages in flight, groups, queues; and what restarting costs.

use std::time::Instant;

use trunkline_engine::{
    Durability, Engine, OpenOptions, Outgoing, Queue, Receipt, fifo_queue, standard_queue,
};

use crate::{cycle, full, memory, queue, receive, send, unlimited};

/// Percentiles of single verbs, in nanoseconds, with the cost of the clock left in.
pub struct Times(pub Vec<u64>);

impl Times {
    pub fn of(count: usize, mut work: impl FnMut()) -> Self {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let start = Instant::now();
            work();
            times.push(start.elapsed().as_nanos() as u64);
        }
        times.sort_unstable();
        Self(times)
    }

    fn at(&self, permille: usize) -> u64 {
        self.0[(self.0.len() - 1) * permille / 1_000]
    }

    pub fn print(&self, row: &str) {
        println!("{row:<52} p50 {:>6} ns  p99 {:>6} ns", self.at(500), self.at(990));
    }
}

const SAMPLES: usize = 100_000;

pub fn depth() {
    let deep = if full() { 10_000_000 } else { 1_000_000 };
    for depth in [1_000, deep] {
        let engine = memory();
        let queue = queue(&engine, "q", standard_queue());
        let before = resident_kib();
        (0..depth).for_each(|_| send(&queue, &[7; 100]));
        let beyond = (resident_kib() - before) as f64 * 1_024.0 / depth as f64 - 100.0;
        let mut receipts = Vec::new();
        Times::of(SAMPLES, || cycle(&queue, &[7; 100], &mut receipts))
            .print(&format!("depth {depth}: a cycle"));
        if depth == deep {
            println!("memory beyond a 100 B body: {beyond:.1} B a message");
        }
        let flying = depth / 10;
        receive(&queue, flying, &mut receipts);
        Times::of(SAMPLES, || cycle(&queue, &[7; 100], &mut receipts))
            .print(&format!("depth {depth}, {flying} in flight: a cycle"));
        let mut at = 0;
        Times::of(SAMPLES.min(flying), || {
            // A step that is prime to the length visits every receipt once, in no order.
            at = (at + 7_919) % flying;
            queue.delete(&receipts[at]).unwrap();
        })
        .print(&format!("depth {depth}: a delete in random order"));
    }
}

pub fn groups_and_queues() {
    let groups = if full() { 1_000_000 } else { 100_000 };
    for count in [1_000, groups] {
        let engine = memory();
        let queue = queue(&engine, "q.fifo", fifo_queue());
        let names: Vec<String> = (0..count).map(|n| format!("group-{n}")).collect();
        let mut number = 0_usize;
        let mut send_one = |queue: &Queue| {
            number += 1;
            let (group, id) = (names[number * 7_919 % count].as_str(), number.to_string());
            let (group, dedup_id) = (Some(group), Some(id.as_str()));
            queue
                .send(&Outgoing { body: &[7; 100], group, dedup_id, ..Outgoing::default() })
                .unwrap();
        };
        (0..count).for_each(|_| send_one(&queue));
        let mut receipts: Vec<Receipt> = Vec::new();
        Times::of(SAMPLES, || {
            send_one(&queue);
            receive(&queue, 1, &mut receipts);
            queue.delete(&receipts.pop().unwrap()).unwrap();
        })
        .print(&format!("FIFO, {count} groups: a cycle"));
    }
    let queues = if full() { 100_000 } else { 10_000 };
    for count in [1_000, queues] {
        let engine = memory();
        let before = resident_kib();
        let all: Vec<_> =
            (0..count).map(|n| queue(&engine, &format!("q{n}"), standard_queue())).collect();
        all.iter().for_each(|queue| send(queue, &[7; 100]));
        let kib = (resident_kib() - before) as f64 / count as f64;
        let mut receipts = Vec::new();
        let mut at = 0;
        Times::of(SAMPLES, || {
            at = (at + 7_919) % count;
            cycle(&all[at], &[7; 100], &mut receipts);
        })
        .print(&format!("{count} queues ({kib:.1} KiB each): a cycle"));
    }
}

pub fn threads() {
    for count in [1_u32, 2, 4, 8, 16] {
        if count as usize > 2 * std::thread::available_parallelism().unwrap().get() {
            break;
        }
        let engine = memory();
        let (shared, each) = (queue(&engine, "shared", standard_queue()), 300_000_u32);
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| {
                    let mut receipts = Vec::new();
                    for _ in 0..each {
                        send(&shared, &[7; 100]);
                        receive(&shared, 1, &mut receipts);
                        receipts.drain(..).for_each(|one| assert!(shared.delete(&one).is_ok()));
                    }
                });
            }
        });
        let rate = f64::from(count * each) / start.elapsed().as_secs_f64() / 1e6;
        println!("{count:>2} threads on one queue: {rate:.2} million cycles a second");
    }
}

pub fn reopen() {
    let count: u32 = if full() { 10_000_000 } else { 1_000_000 };
    let folder = tempfile::tempdir().unwrap();
    let options = || OpenOptions {
        durability: Durability::Os,
        limits: unlimited(),
        ..OpenOptions::at(folder.path())
    };
    {
        let engine = Engine::open(options()).unwrap();
        let queue = queue(&engine, "q", standard_queue());
        let body = [7_u8; 100];
        let batch = [Outgoing { body: &body, ..Outgoing::default() }; 1_000];
        for _ in 0..count / 1_000 {
            let ticket = queue.send_batch(&batch, |_, _| ()).unwrap().unwrap();
            engine.wait(ticket, Durability::Os).unwrap();
        }
    }
    let before = resident_kib();
    let start = Instant::now();
    let engine = Engine::open(options()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let kib = resident_kib() - before;
    println!("reopen with {count} messages of 100 B: {seconds:.2} s, {} MiB resident", kib >> 10);
    drop(engine);
}

fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
