//! A short way to say things in the tests of the engine.
// Each test file uses its own part, and a failure here is a failed test.
#![allow(dead_code, clippy::unwrap_used)]

use std::sync::Arc;

use trunkline_engine::{
    Clock, Engine, Millis, OpenOptions, Outgoing, Queue, QueueConfig, Receipt, Receive, queue_name,
};

pub const START: Millis = 1_700_000_000_000;

/// An engine in memory on a virtual clock.
pub fn memory() -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(START));
    Engine::open(OpenOptions { clock, seed: Some(1), ..OpenOptions::memory() }).unwrap()
}

/// An engine on a folder and a virtual clock that stands at `now`.
pub fn on_disk(path: &std::path::Path, now: Millis) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(now));
    Engine::open(OpenOptions { clock, seed: Some(1), ..OpenOptions::at(path) }).unwrap()
}

pub fn queue(engine: &Engine, name: &str, config: QueueConfig) -> Arc<Queue> {
    engine.create_queue(queue_name(name), config, b"").unwrap()
}

pub fn find(engine: &Engine, name: &str) -> Arc<Queue> {
    engine.find_queue(&queue_name(name)).unwrap().unwrap()
}

pub fn send(queue: &Queue, body: &str) {
    queue.send(&Outgoing { body: body.as_bytes(), ..Outgoing::default() }).unwrap();
}

pub fn send_to(queue: &Queue, group: &str, id: &str) -> bool {
    let (group, dedup_id) = (Some(group), Some(id));
    let message = Outgoing { body: id.as_bytes(), group, dedup_id, ..Outgoing::default() };
    queue.send(&message).unwrap().duplicate
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub body: String,
    pub receipt: Receipt,
    pub receive_count: u32,
    pub id: String,
    pub sent: Millis,
    pub first_received: Millis,
}

pub fn receive(queue: &Queue, max: usize) -> Vec<Got> {
    receive_for(queue, max, None)
}

pub fn receive_for(queue: &Queue, max: usize, visibility: Option<Millis>) -> Vec<Got> {
    let mut got = Vec::new();
    let request = Receive { max, visibility, ..Receive::default() };
    let key_of = |message: &trunkline_engine::Delivery<'_>| format!("{:?}", message.origin);
    queue
        .try_receive(&request, |message| {
            got.push(Got {
                body: String::from_utf8(message.body.to_vec()).unwrap(),
                receipt: message.receipt,
                receive_count: message.receive_count,
                id: key_of(&message),
                sent: message.sent,
                first_received: message.first_received,
            });
        })
        .unwrap();
    got
}

pub fn bodies(got: &[Got]) -> Vec<&str> {
    got.iter().map(|message| message.body.as_str()).collect()
}

/// Visible, in flight, delayed.
pub fn counts(queue: &Queue) -> (u64, u64, u64) {
    let statistics = queue.statistics().unwrap();
    (statistics.visible, statistics.in_flight, statistics.delayed)
}
