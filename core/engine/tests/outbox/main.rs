//! Deliveries that leave the engine, over HTTP and to handlers.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod destinations;
#[path = "../common/endpoint.rs"]
mod endpoint;
mod failures;
mod faulty;
mod handlers;
mod http;

use std::time::{Duration, Instant};

use trunkline_engine::delivery::{Ended, RetryTable};
use trunkline_engine::{
    AttemptRef, DestinationConfig, DestinationStatistics, Engine, LeasedDelivery, Outgoing,
    ResourceId, Target, Transport,
};

fn http(url: &str) -> DestinationConfig {
    DestinationConfig {
        transport: Transport::Http {
            url: url.to_owned(),
            method: "POST".to_owned(),
            headers: vec![("x-amz-sns-message-type".to_owned(), "Notification".to_owned())],
            timeout: 15_000,
        },
        retry: RetryTable::sns_http(),
        dead_letter: None,
        concurrency: 8,
        renderer: None,
        http: Default::default(),
    }
}

fn handled() -> DestinationConfig {
    DestinationConfig { transport: Transport::Handler { lease: 30_000 }, ..http("http://unused/") }
}

fn deliver(engine: &Engine, id: ResourceId, body: &str) {
    let delivery = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
    engine.deliver(Target::Outbox(id), &delivery).unwrap();
}

/// Time stands still, and everything that is due is done.
fn settle(engine: &Engine) {
    engine.advance(0).unwrap();
}

fn statistics(engine: &Engine, id: ResourceId) -> DestinationStatistics {
    engine.outbox().statistics(id).unwrap()
}

fn end(leased: &LeasedDelivery) -> AttemptRef {
    AttemptRef::from(leased)
}

fn failed() -> Ended {
    Ended::Transient { why: "the handler raised".to_owned(), retry_after: None }
}

/// Waits for what happens on the client's own threads under a system clock.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::yield_now();
    }
}
