//! Deliveries over HTTP: retries, closing and opening, copies, dead endpoints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::delivery::{Delay, Jitter, Phase, RetryTable};
use trunkline_engine::{
    Clock, DestinationConfig, DestinationStatistics, Engine, Limits, OpenOptions,
};

use super::common::{START, memory, on_disk};
use super::endpoint::{Endpoint, status_line};
use super::*;

#[test]
fn a_delivery_is_posted_once_and_then_gone() {
    let (engine, hook) = (memory(), Endpoint::answering(200));
    let id = engine.create_destination("hook", &http(&hook.url)).unwrap();
    (0..50).for_each(|number| deliver(&engine, id, &format!("{number:02}")));
    settle(&engine);
    assert_eq!(hook.seen(), (0..50).map(|number| format!("{number:02}")).collect::<Vec<_>>());
    let expected = DestinationStatistics { delivered: 50, ..DestinationStatistics::default() };
    assert_eq!(statistics(&engine, id), expected);
}

#[test]
fn a_failed_delivery_comes_back_as_its_table_says_and_not_earlier() {
    let hook = Endpoint::start(|_, number| Some(status_line(if number < 3 { 503 } else { 200 })));
    let engine = memory();
    let id = engine.create_destination("hook", &http(&hook.url)).unwrap();
    deliver(&engine, id, "a");
    for (advance, seen) in [(0, 1), (19_000, 1), (1_000, 2), (19_999, 2), (1, 3), (100_000, 3)] {
        engine.advance(advance).unwrap();
        assert_eq!(hook.seen().len(), seen, "{advance}");
    }
    let expected =
        DestinationStatistics { delivered: 1, retried: 2, ..DestinationStatistics::default() };
    assert_eq!(statistics(&engine, id), expected);
}

#[test]
fn on_a_system_clock_retries_come_without_a_verb() {
    let hook = Endpoint::start(|_, number| Some(status_line(if number < 4 { 503 } else { 200 })));
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let phases = vec![Phase { retries: 5, delay: Delay::Fixed(30) }];
    let retry = RetryTable::new(phases, None, Jitter::None).unwrap();
    let config = DestinationConfig { retry, ..http(&hook.url) };
    let id = engine.create_destination("hook", &config).unwrap();
    deliver(&engine, id, "a");
    // Nothing but the endpoint is looked at: no verb makes time pass.
    eventually("the fourth attempt comes", || hook.seen().len() == 4);
    eventually("it is delivered", || statistics(&engine, id).delivered == 1);
    engine.close().unwrap();
}

#[test]
fn deliveries_beyond_those_that_may_be_in_flight_follow_when_they_may() {
    let hook = Endpoint::start(|_, number| Some(status_line(if number < 3 { 503 } else { 200 })));
    let clock = Arc::new(Clock::virtual_at(START));
    let limits = Limits { standard_in_flight_max: 2, ..Limits::default() };
    let engine = Engine::open(OpenOptions { clock, limits, ..OpenOptions::memory() }).unwrap();
    let id = engine.create_destination("hook", &http(&hook.url)).unwrap();
    (0..5).for_each(|number| deliver(&engine, id, &format!("{number}")));
    settle(&engine);
    let there = statistics(&engine, id);
    assert_eq!((there.leased, there.due), (2, 3), "two wait for their next attempt");
    engine.advance(20_000).unwrap();
    assert_eq!(statistics(&engine, id).delivered, 5);
}

#[test]
fn retry_after_is_honoured() {
    let busy = "HTTP/1.1 429 Busy\r\nRetry-After: 50\r\nContent-Length: 0\r\n\r\n";
    let hook = Endpoint::start(move |_, number| {
        Some(if number == 1 { busy.to_owned() } else { status_line(200) })
    });
    let engine = memory();
    let id = engine.create_destination("hook", &http(&hook.url)).unwrap();
    deliver(&engine, id, "a");
    for (advance, seen) in [(0, 1), (49_999, 1), (1, 2)] {
        engine.advance(advance).unwrap();
        assert_eq!(hook.seen().len(), seen, "{advance}");
    }
}

#[test]
fn what_was_waiting_or_on_its_way_when_the_engine_closed_is_delivered_after_opening() {
    let folder = tempfile::tempdir().unwrap();
    let hook = Endpoint::start(|body, number| match (body, number) {
        // The first attempt of each is left hanging until the engine closes.
        (_, 1..=4) => None,
        _ => Some(status_line(200)),
    });
    {
        let engine = on_disk(folder.path(), START);
        let config = DestinationConfig { concurrency: 4, ..http(&hook.url) };
        let id = engine.create_destination("hook", &config).unwrap();
        (0..10).for_each(|number| deliver(&engine, id, &format!("{number}")));
        eventually("four attempts begin", || hook.seen().len() == 4);
        engine.close().unwrap();
    }
    let engine = on_disk(folder.path(), START + 1);
    let id = engine.find_destination("hook").unwrap().unwrap();
    settle(&engine);
    assert_eq!(statistics(&engine, id).delivered, 6, "those that were not on their way");
    engine.advance(20_000).unwrap();
    let expected = DestinationStatistics { delivered: 10, ..DestinationStatistics::default() };
    assert_eq!(statistics(&engine, id), expected);
    let mut seen = hook.seen();
    seen.dedup();
    assert_eq!(seen.len(), 10);
}

#[test]
fn a_copy_in_memory_gathers_and_does_not_send() {
    let hook = Endpoint::answering(500);
    let engine = memory();
    let id = engine.create_destination("hook", &http(&hook.url)).unwrap();
    deliver(&engine, id, "a");
    settle(&engine);
    let fork = engine.fork(Arc::new(Clock::virtual_at(START))).unwrap();
    fork.advance(100_000).unwrap();
    deliver(&fork, id, "b");
    settle(&fork);
    assert_eq!(hook.seen(), ["a"]);
    fork.outbox().start();
    settle(&fork);
    assert_eq!(hook.seen(), ["a", "a", "b"]);
}

#[test]
fn a_dead_endpoint_does_not_keep_a_living_one_waiting() {
    let clock = Arc::new(Clock::system());
    let options = OpenOptions { clock, ..OpenOptions::memory() };
    let engine = Engine::open(options).unwrap();
    let (dead, living) = (Endpoint::start(|_, _| None), Endpoint::answering(200));
    let deaf = engine.create_destination("dead", &http(&dead.url)).unwrap();
    let hook = engine.create_destination("living", &http(&living.url)).unwrap();
    (0..2_000).for_each(|number| deliver(&engine, deaf, &format!("{number}")));
    let start = Instant::now();
    (0..500).for_each(|number| deliver(&engine, hook, &format!("{number}")));
    eventually("all are delivered", || statistics(&engine, hook).delivered == 500);
    assert!(start.elapsed() < Duration::from_secs(14), "the dead one's time-out is 15 seconds");
    assert!(dead.seen().len() <= 8);
    engine.close().unwrap();
}
