//! What schedules cost: to create, to hold while they are idle, and at each occurrence.
//!
//! `cargo bench -p trunkline-engine --bench schedules`. Occurrences are set beside sends of the
//! same body, which is the work that they cannot do without.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{
    Clock, Durability, Engine, Millis, OpenOptions, Outgoing, Queue, ResourceName, SCHEDULE,
    ScheduleConfig, queue_name, standard_queue,
};

const START: Millis = 1_700_000_000_000;
const IDLE: u64 = 100_000;
const OCCURRENCES: u64 = 20_000;
const BODY: &str =
    "one hundred bytes, as in the rows of queues: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const RUNS: usize = 5;

fn main() {
    idle();
    let folder = tempfile::tempdir().unwrap();
    for run in 0..RUNS {
        let clock = Arc::new(Clock::virtual_at(START));
        occurrences("memory", OpenOptions { clock, ..OpenOptions::memory() });
        let clock = Arc::new(Clock::virtual_at(START));
        let at = OpenOptions::at(folder.path().join(run.to_string()));
        occurrences("disk, level os", OpenOptions { clock, durability: Durability::Os, ..at });
    }
}

fn queue(engine: &Engine) -> Arc<Queue> {
    engine.create_queue(queue_name("q"), standard_queue(), b"").unwrap()
}

fn create(engine: &Engine, name: &str, config: ScheduleConfig) {
    let name = ResourceName::local(SCHEDULE, format!("default/{name}"));
    engine.create_schedule(name, config).unwrap();
}

/// Creating schedules that are due in a hundred years, and the processor time of holding them.
fn idle() {
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let target = queue(&engine).name().clone();
    let (begin, before) = (Instant::now(), resident());
    for number in 0..IDLE {
        let expression = format!("cron({} {} 1 1 ? 2150)", number % 60, number / 60 % 24);
        create(&engine, &format!("s{number}"), ScheduleConfig::new(expression, target.clone()));
    }
    let each = begin.elapsed() / IDLE as u32;
    let bytes = resident().saturating_sub(before) / IDLE;
    println!("create: {each:?} and {bytes} bytes a schedule");
    std::thread::sleep(Duration::from_millis(500));
    let used = processor_time();
    std::thread::sleep(Duration::from_secs(5));
    let used = processor_time() - used;
    println!("{IDLE} idle schedules: {used} hundredths of a second of processor time in 5 s");
}

fn occurrences(kind: &str, options: OpenOptions) {
    let engine = Engine::open(options).unwrap();
    let queue = queue(&engine);
    let begin = Instant::now();
    for _ in 0..OCCURRENCES {
        queue.send(&Outgoing { body: BODY.as_bytes(), ..Outgoing::default() }).unwrap();
    }
    let sends = begin.elapsed();
    queue.purge().unwrap();
    let input = Some(BODY.to_owned());
    let config = ScheduleConfig::new("rate(1 minute)", queue.name().clone());
    create(&engine, "s", ScheduleConfig { input, ..config });
    let begin = Instant::now();
    for _ in 0..20 {
        engine.advance(OCCURRENCES / 20 * 60_000).unwrap();
        // Before their retention ends.
        queue.purge().unwrap();
    }
    let each = begin.elapsed() / OCCURRENCES as u32;
    let send = sends / OCCURRENCES as u32;
    let ratio = each.as_secs_f64() / send.as_secs_f64();
    println!("{kind}: {each:?} an occurrence, {send:?} a send of the same body: {ratio:.1}x");
}

/// Resident memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// The processor time of the process, in hundredths of a second.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<u64> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0)
}
