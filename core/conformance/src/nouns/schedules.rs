//! Schedules. Injected faults strike them at the target, and the crashes of deliveries are tried by
//! the engine's own tests; the crash simulation works on definitions here.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::{
    Engine, Millis, ResourceName, Result, SCHEDULE, Schedule, ScheduleConfig, Ticket, queue_name,
    standard_queue,
};
use trunkline_journal::sim::Random;

use crate::Noun;

/// Schedules under test.
pub struct ScheduleNoun;

const TARGET: &str = "scheduled";
const HOUR: Millis = 3_600_000;

fn name(name: &str) -> ResourceName {
    ResourceName::local(SCHEDULE, format!("default/{name}"))
}

fn hourly(target: ResourceName, start: Millis) -> ScheduleConfig {
    ScheduleConfig { start: Some(start), ..ScheduleConfig::new("rate(1 hour)", target) }
}

fn state(schedule: &Arc<Schedule>) -> String {
    let (config, status) = (schedule.config(), schedule.status().unwrap());
    let (expression, enabled) = (config.expression, config.enabled);
    format!(
        "{} {expression} {enabled} {:?} {:?}",
        schedule.name().name,
        status.next,
        status.progress
    )
}

impl Noun for ScheduleNoun {
    fn name(&self) -> &'static str {
        "schedules"
    }

    fn fill(&self, engine: &Engine) {
        engine.create_queue(queue_name(TARGET), standard_queue(), b"").unwrap();
        let now = engine.clock().now();
        let config = hourly(queue_name(TARGET), now + HOUR);
        let create = |text: &str, config| engine.create_schedule(name(text), config).unwrap().0;
        create("hourly", config.clone());
        create("paused", config.clone()).set_enabled(false).unwrap();
        let once = ScheduleConfig::new("at(2020-01-01T00:00:00)", queue_name(TARGET));
        create("over", once);
        create("gone", config).remove().unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        engine.schedules(None, None, "").unwrap().iter().map(state).collect()
    }

    fn resources(&self) -> Vec<&'static str> {
        vec![TARGET, "default/hourly", "default/paused", "default/over"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let config = hourly(queue_name(TARGET), HOUR);
        engine.create_schedule(name("late"), config).map(drop)
    }

    fn first_timer(&self) -> Option<Millis> {
        Some(HOUR)
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let text = ["a", "b", "c"][random.below(3)];
        // They never fall due while the simulation runs.
        let start = engine.clock().now() + 1_000_000 * HOUR;
        match engine.find_schedule(&name(text)).unwrap() {
            None => {
                let target = engine.queues(None, None, "").unwrap().first()?.name().clone();
                engine.create_schedule(name(text), hourly(target, start)).unwrap().1
            }
            Some(schedule) if random.once_in(5) => schedule.remove().unwrap(),
            Some(schedule) if random.once_in(2) => {
                schedule.set_enabled(!schedule.config().enabled).unwrap()
            }
            Some(schedule) => {
                let target = schedule.config().target;
                engine.configure_schedule(&schedule, hourly(target, start)).unwrap()
            }
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let all = engine.schedules(None, None, "").unwrap();
        let entry = |one: &Arc<Schedule>| {
            (format!("schedule {}", one.name().name), state(one).into_bytes())
        };
        all.iter().map(entry).collect()
    }
}
