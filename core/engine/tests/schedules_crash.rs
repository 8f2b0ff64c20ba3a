//! Schedules that fall due while the machine crashes: an occurrence is delivered and counted, or
//! neither; none comes twice, and none is left out.
//!
//! `TRUNKLINE_SIM_SEED` (first seed) and `TRUNKLINE_SIM_RUNS` (how many) choose the runs.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{START, find, queue};
use trunkline_engine::timetable::utc_text;
use trunkline_engine::{
    Clock, Durability, Engine, Millis, OpenOptions, ResourceName, SCHEDULE, ScheduleConfig,
    fifo_queue, standard_queue,
};
use trunkline_journal::sim::{Random, SimStorage};

const RUNS: u64 = 3;
const MINUTE: Millis = 60_000;
const QUEUES: [&str; 2] = ["plain", "orders.fifo"];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn open(storage: &SimStorage, now: Millis) -> Arc<Engine> {
    let options = OpenOptions {
        storage: Some(Arc::new(storage.clone())),
        clock: Arc::new(Clock::virtual_at(now)),
        durability: Durability::Disk,
        seed: Some(7),
        // Small, so that a run sees many segments begin, be compacted and be recycled.
        segment_bytes: 8 << 10,
        background: false,
        ..OpenOptions::memory()
    };
    Engine::open(options).unwrap()
}

fn name(name: &str) -> ResourceName {
    ResourceName::local(SCHEDULE, format!("default/{name}"))
}

/// The bodies in each queue, and what the schedule of it says that it has delivered.
fn look(engine: &Engine) -> BTreeMap<&'static str, (Vec<String>, u64)> {
    let of = |queue_name: &'static str| {
        let mut bodies = Vec::new();
        let mut see = |message: trunkline_engine::Delivery<'_>| {
            bodies.push(String::from_utf8(message.body.to_vec()).unwrap());
        };
        find(engine, queue_name).peek(usize::MAX >> 1, true, &mut see).unwrap();
        bodies.sort_unstable();
        let schedule = engine.find_schedule(&name(queue_name)).unwrap().unwrap();
        (queue_name, (bodies, schedule.status().unwrap().progress.delivered))
    };
    QUEUES.into_iter().map(of).collect()
}

fn check(engine: &Engine) {
    for (name, (bodies, delivered)) in look(engine) {
        let padding = "x".repeat(200);
        let wanted: Vec<String> = (0..bodies.len() as u64)
            .map(|number| format!("{} {padding}", utc_text(START + number * MINUTE)))
            .collect();
        assert_eq!(bodies, wanted, "{name}");
        assert_eq!(delivered, bodies.len() as u64, "{name}: delivered and counted");
    }
}

fn run(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let storage = SimStorage::new();
    let mut engine = open(&storage, START);
    for (queue_name, config) in QUEUES.into_iter().zip([standard_queue(), fifo_queue()]) {
        let queue = queue(&engine, queue_name, config);
        let input = Some(format!("<aws.scheduler.scheduled-time> {}", "x".repeat(200)));
        let group = queue_name.ends_with(".fifo").then(|| "g".to_owned());
        let config = ScheduleConfig::new("rate(1 minute)", queue.name().clone());
        let config = ScheduleConfig { input, group, ..config };
        engine.create_schedule(name(queue_name), config).unwrap();
    }
    engine.flush().unwrap();
    let (mut disk, mut begun) = (storage.clone(), storage.steps());
    let mut crashes = 0;
    for _ in 0..6 {
        // When the clock stood how, by the steps of the disk.
        let mut times = vec![(begun, engine.clock().now())];
        for _ in 0..5 + random.below(10) {
            engine.advance(MINUTE).unwrap();
            match random.below(4) {
                0 => engine.flush().unwrap(),
                1 => engine.compact_oldest().unwrap(),
                _ => {}
            }
            times.push((disk.steps(), engine.clock().now()));
        }
        for step in begun..=disk.steps() {
            let image = match random.once_in(3) {
                true => disk.killed(step),
                false => disk.power_loss(step, random.next_u64()),
            };
            // Before every occurrence, so that nothing falls due in the looking.
            check(&open(&SimStorage::from_image(image), START - MINUTE));
            crashes += 1;
        }
        let step = begun + random.below(disk.steps() - begun + 1);
        let image = disk.power_loss(step, random.next_u64());
        drop(engine);
        // It goes on with the last occurrence that the disk knows: none is too old by then.
        disk = SimStorage::from_image(image.clone());
        let seen = open(&SimStorage::from_image(image), START - MINUTE);
        check(&seen);
        let known = look(&seen).values().map(|(bodies, _)| bodies.len() as u64).min().unwrap();
        drop(seen);
        let now = START + known.saturating_sub(1) * MINUTE;
        assert!(times.iter().any(|(_, time)| *time + MINUTE >= now));
        engine = open(&disk, now);
        check(&engine);
        begun = disk.steps();
    }
    crashes
}

#[test]
fn an_occurrence_is_delivered_and_counted_in_one_step_whatever_crashes() {
    let (first, runs) = (number("TRUNKLINE_SIM_SEED", 1), number("TRUNKLINE_SIM_RUNS", RUNS));
    let mut crashes = 0;
    for seed in first..first + runs {
        crashes += run(seed);
    }
    println!("{runs} runs from seed {first}, {crashes} crashes, 0 violations");
}
