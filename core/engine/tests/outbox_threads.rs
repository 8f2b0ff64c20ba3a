//! Deliveries that wait cost no thread. Alone in its program, because it counts all threads of it.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/endpoint.rs"]
mod endpoint;

use std::time::{Duration, Instant};

use common::memory;
use endpoint::Endpoint;
use trunkline_engine::delivery::RetryTable;
use trunkline_engine::{DestinationConfig, Outgoing, Target, Transport};

#[test]
fn deliveries_that_wait_have_no_threads() {
    let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    let (engine, hanging) = (memory(), Endpoint::start(|_, _| None));
    let config = DestinationConfig {
        transport: Transport::Http {
            url: hanging.url.clone(),
            method: "POST".to_owned(),
            headers: Vec::new(),
            timeout: 15_000,
        },
        retry: RetryTable::sns_http(),
        dead_letter: None,
        concurrency: 1,
        renderer: None,
        http: Default::default(),
    };
    let deliver = |id| {
        let delivery = Outgoing { body: b"a", ..Outgoing::default() };
        engine.deliver(Target::Outbox(id), &delivery).unwrap();
    };
    deliver(engine.create_destination("first", &config).unwrap());
    let start = Instant::now();
    while hanging.seen().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(60), "the client does not start");
        std::thread::yield_now();
    }
    let before = threads();
    for number in 0..200 {
        let id = engine.create_destination(&format!("hook-{number}"), &config).unwrap();
        (0..100).for_each(|_| deliver(id));
    }
    // Each attempt that the endpoint holds has a thread of the endpoint, in this process; and the
    // client's second thread may have started meanwhile.
    let most = before + 64 + 2;
    assert!(threads() <= most, "{} threads; {before} before", threads());
    engine.close().unwrap();
}
