//! What a hundred thousand schedules cost that are not due: an entry of the timers each, no thread
//! and no processor time. A file of its own, because it counts the time of the whole process.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::queue;
use trunkline_engine::{
    Engine, OpenOptions, ResourceName, SCHEDULE, ScheduleConfig, standard_queue,
};

const COUNT: u64 = 100_000;

/// The processor time of the process, in clock ticks of the system: hundredths of a second.
fn ticks() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let behind_the_name = text.rsplit(')').next()?;
    let fields: Vec<&str> = behind_the_name.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[test]
fn a_hundred_thousand_idle_schedules_take_no_processor_time() {
    if ticks().is_none() {
        return;
    }
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let target = queue(&engine, "q", standard_queue()).name().clone();
    for number in 0..COUNT {
        let (minute, hour) = (number % 60, number / 60 % 24);
        // Not within the hours in which this test runs.
        let expression = format!("cron({minute} {hour} 1 1 ? 2150-2199)");
        let config = ScheduleConfig::new(expression, target.clone());
        let name = ResourceName::local(SCHEDULE, format!("default/s{number}"));
        engine.create_schedule(name, config).unwrap();
    }
    // The timers sort what was armed, once, which takes a slow machine longer. A timer that looked
    // at each schedule now and then would never be idle for three seconds.
    let used = || {
        let before = ticks().unwrap();
        std::thread::sleep(Duration::from_secs(3));
        ticks().unwrap() - before
    };
    assert!((0..20).any(|_| used() <= 1), "processor time is used in each of 20 times 3 seconds");
    assert_eq!(engine.schedules(None, None, "").unwrap().len() as u64, COUNT);
}
