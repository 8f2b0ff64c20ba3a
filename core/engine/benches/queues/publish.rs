//! Publishes beside sends of the same body: to a thousand queues, and to one.

use std::sync::Arc;
use std::time::Instant;

use trunkline_engine::{
    Durability, Engine, NewSubscription, Notification, OpenOptions, Queue, TargetResource, Topic,
    topic_name,
};

use super::{compare, memory, queue, send, standard_queue};

const QUEUES: usize = 1_000;
/// Publishes that are timed together.
const PUBLISHES: u32 = 20;
const BODY: [u8; 1 << 10] = [b'x'; 1 << 10];

pub fn run() {
    let engine = memory();
    one(&engine, "raw", true);
    one(&engine, "envelope", false);
    thousand(&engine, "memory");
    // Beside the build, because a temporary folder may be memory.
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    std::fs::create_dir_all(&target).unwrap();
    let folder = tempfile::tempdir_in(target).unwrap();
    thousand(&Engine::open(OpenOptions::at(folder.path())).unwrap(), "disk");
}

fn subscribed(engine: &Engine, topic: &Topic, name: &str, is_raw: bool) -> Arc<Queue> {
    let queue = queue(engine, name, standard_queue());
    let subscription = NewSubscription {
        is_pending: false,
        protocol: trunkline_engine::Protocol::Default,
        target: TargetResource::Resource(queue.id()),
        is_raw,
        filter: None,
        filters_body: false,
        dead_letter: None,
        retry: None,
        endpoint: "",
        name: None,
    };
    engine.subscribe(topic, &subscription).unwrap();
    queue
}

/// Nanoseconds of a call; `queues` are emptied behind all of them, which is not counted.
fn each(engine: &Engine, count: u32, queues: &[Arc<Queue>], mut call: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..count).for_each(|_| call());
    // Not in the condition: there the append lock would be held during the wait.
    let ticket = engine.host().append().unwrap().ticket();
    if let Some(ticket) = ticket {
        engine.wait(ticket, Durability::Disk).unwrap();
    }
    let took = began.elapsed().as_nanos() as f64 / f64::from(count);
    for queue in queues {
        queue.purge().unwrap();
    }
    took
}

fn publish(engine: &Engine, topic: &Topic) {
    let message = Notification { body: &BODY, ..Notification::default() };
    engine.publish(topic, &message).unwrap();
}

fn one(engine: &Engine, how: &str, is_raw: bool) {
    let (topic, _) = engine.topic(topic_name(how), None, b"").unwrap();
    let to = [subscribed(engine, &topic, how, is_raw)];
    let plain = [queue(engine, &format!("{how}-sent"), standard_queue())];
    compare(
        &format!("memory: publish to one queue, {how}"),
        "two sends",
        || each(engine, 2_000, &to, || publish(engine, &topic)),
        || each(engine, 2_000, &plain, || (0..2).for_each(|_| send(&plain[0], &BODY))),
    );
}

fn thousand(engine: &Engine, name: &str) {
    let (topic, _) = engine.topic(topic_name("wide"), None, b"").unwrap();
    let to: Vec<_> = (0..QUEUES)
        .map(|number| subscribed(engine, &topic, &format!("to{number}"), true))
        .collect();
    let plain: Vec<_> = (0..QUEUES)
        .map(|number| queue(engine, &format!("sent{number}"), standard_queue()))
        .collect();
    compare(
        &format!("{name}: publish to 1,000 queues, 1 KiB"),
        "1,000 sends",
        || each(engine, PUBLISHES, &to, || publish(engine, &topic)),
        || each(engine, PUBLISHES, &plain, || plain.iter().for_each(|queue| send(queue, &BODY))),
    );
}
