//! What a redrive task costs the other queues of its engine.

use std::time::{Duration, Instant};

use trunkline_engine::{Outgoing, RedriveState, standard_queue};

use crate::scale::Times;
use crate::{memory, queue};

const MESSAGES: usize = 300_000;
const SAMPLES: usize = 20_000;

/// Percentiles of `statistics()` of another queue, idle and while a task moves messages.
pub fn run() {
    let engine = memory();
    let [dead, to, other] =
        ["dead", "to", "other"].map(|name| queue(&engine, name, standard_queue()));
    let bodies = [[7_u8; 100]; 100];
    let batch: Vec<Outgoing<'_>> =
        bodies.iter().map(|body| Outgoing { body, ..Outgoing::default() }).collect();
    for _ in 0..MESSAGES / batch.len() {
        dead.send_batch(&batch, |_, sent| drop(sent)).unwrap();
    }
    // With pauses, as a program would ask: in a tight loop both rows are of the cache.
    let sample = || {
        std::thread::sleep(Duration::from_micros(20));
        let start = Instant::now();
        other.statistics().unwrap();
        start.elapsed().as_nanos() as u64
    };
    let print = |mut times: Vec<u64>, row: &str| {
        times.sort_unstable();
        Times(times).print(row);
    };
    print((0..SAMPLES).map(|_| sample()).collect(), "statistics() of a queue, idle");
    engine.start_redrive(dead.id(), Some(to.id()), None).unwrap();
    let is_running = || engine.redrives(None)[0].state == RedriveState::Running;
    let times = std::iter::from_fn(|| is_running().then(sample)).collect();
    print(times, "the same while another queue is redriven");
}
