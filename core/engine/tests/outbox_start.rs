//! A client that cannot be started, because the process has no descriptor to spare, is started
//! later. Runs itself again in a process that may have few descriptors.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod common;
#[path = "common/endpoint.rs"]
mod endpoint;

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use endpoint::Endpoint;
use trunkline_engine::delivery::RetryTable;
use trunkline_engine::{DestinationConfig, Engine, OpenOptions, Outgoing, Target, Transport};

/// Set in the process that may have few descriptors.
const INSIDE: &str = "TRUNKLINE_FEW_DESCRIPTORS";

#[test]
fn a_client_that_cannot_be_started_is_started_later() {
    if std::env::var_os(INSIDE).is_some() {
        deliver_without_descriptors();
        return;
    }
    let name = "a_client_that_cannot_be_started_is_started_later";
    let ran = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

fn deliver_without_descriptors() {
    let hook = Endpoint::answering(200);
    let on_system_clock = Engine::open(OpenOptions::memory()).unwrap();
    let on_virtual_clock = common::memory();
    let config = DestinationConfig {
        transport: Transport::Http {
            url: hook.url.clone(),
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
    let mut all = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        all.push(file);
    }
    for (engine, body) in [(&on_system_clock, "system"), (&on_virtual_clock, "virtual")] {
        let id = engine.create_destination("hook", &config).unwrap();
        let delivery = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
        engine.deliver(Target::Outbox(id), &delivery).unwrap();
        let error = engine.outbox().set_client_options(Default::default()).err();
        assert_eq!(error, None, "a client was started without descriptors");
    }
    drop(all);
    // A timer starts the one, and the clock that waits for quiet starts the other.
    on_virtual_clock.advance(0).unwrap();
    assert_eq!(hook.bodies.lock().unwrap().iter().filter(|body| *body == "virtual").count(), 1);
    let start = Instant::now();
    while hook.seen().len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(60), "the delivery stays where it is");
        std::thread::yield_now();
    }
    assert_eq!(hook.seen(), ["system", "virtual"]);
}
