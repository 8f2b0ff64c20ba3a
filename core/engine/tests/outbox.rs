//! Deliveries that leave the engine, over HTTP and to handlers.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/endpoint.rs"]
mod endpoint;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{START, bodies, memory, on_disk, queue, receive};
use endpoint::{Endpoint, status_line};
use trunkline_engine::delivery::{Delay, Ended, GiveUp, Jitter, Phase, RetryTable};
use trunkline_engine::{
    AttemptRef, Clock, Code, DestinationConfig, DestinationStatistics, Engine, LeasedDelivery,
    Limits, OpenOptions, Outgoing, ResourceId, Target, Transport, fifo_queue, queue_name,
    standard_queue,
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
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::yield_now();
    }
}

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
fn what_is_refused_goes_to_the_dead_letter_queue_and_says_why() {
    let (engine, hook) = (memory(), Endpoint::answering(404));
    let dead = queue(&engine, "dead", standard_queue());
    let config = DestinationConfig { dead_letter: Some(dead.id()), ..http(&hook.url) };
    let id = engine.create_destination("hook", &config).unwrap();
    deliver(&engine, id, "a");
    settle(&engine);
    let mut attributes = Vec::new();
    dead.peek(1, false, |message| attributes = message.attributes.to_vec()).unwrap();
    let texts: Vec<_> = trunkline_engine::attributes::decode(&attributes)
        .unwrap()
        .into_iter()
        .map(|attribute| (attribute.name, String::from_utf8(attribute.value).unwrap()))
        .collect();
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        texts,
        [
            text("ERROR_MESSAGE", "the endpoint answered 404"),
            text("EXHAUSTED_RETRY_CONDITION", "the destination refused it"),
            text("RETRY_ATTEMPTS", "0"),
        ]
    );
    assert_eq!(bodies(&receive(&dead, 10)), ["a"]);
    let expected = DestinationStatistics { dead_lettered: 1, ..DestinationStatistics::default() };
    assert_eq!(statistics(&engine, id), expected);
}

#[test]
fn without_a_dead_letter_queue_a_failure_is_recorded_and_survives() {
    let folder = tempfile::tempdir().unwrap();
    let hook = Endpoint::answering(500);
    let expected = {
        let engine = on_disk(folder.path(), START);
        let id = engine.create_destination("hook", &http(&hook.url)).unwrap();
        deliver(&engine, id, "a");
        engine.advance(60_000).unwrap();
        let failures = engine.outbox().failures(id).unwrap();
        assert_eq!(failures.len(), 1);
        let failure = &failures[0];
        assert_eq!((failure.attempts, failure.reason), (4, GiveUp::Attempts));
        assert_eq!((failure.accepted, failure.at), (START, START + 60_000));
        assert_eq!(failure.why, "the endpoint answered 500");
        // Relocated by compaction, copied by a fork and a snapshot.
        engine.compact_oldest().unwrap();
        let fork = engine.fork(Arc::new(Clock::virtual_at(START))).unwrap();
        assert_eq!(fork.outbox().failures(id).unwrap(), failures);
        engine.close().unwrap();
        (id, failures)
    };
    let engine = on_disk(folder.path(), START + 70_000);
    let id = engine.find_destination("hook").unwrap().unwrap();
    assert_eq!((id, engine.outbox().failures(id).unwrap()), expected);
    engine.remove_destination(id).unwrap();
    assert_eq!(engine.outbox().failures(id).unwrap(), []);
    engine.close().unwrap();
    let engine = on_disk(folder.path(), START + 70_000);
    assert_eq!(engine.outbox().failures(id).unwrap(), []);
    assert_eq!(engine.find_destination("hook").unwrap(), None);
}

#[test]
fn compaction_carries_failures_also_after_opening() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let clock = Arc::new(Clock::virtual_at(START));
        let options =
            OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(folder.path()) };
        Engine::open(OpenOptions { background: false, ..options }).unwrap()
    };
    let engine = open();
    let id = engine.create_destination("handler", &handled()).unwrap();
    deliver(&engine, id, "a");
    let handler = engine.outbox().enter_handler(id).unwrap();
    let leased = handler.lease(1).unwrap();
    let refused = Ended::Permanent { why: "it is no order".to_owned() };
    handler.settle(&end(&leased[0]), &refused).unwrap();
    drop(handler);
    let failures = engine.outbox().failures(id).unwrap();
    engine.close().unwrap();
    drop(engine);
    for _ in 0..3 {
        let engine = open();
        let noise = engine.find_queue(&queue_name("noise")).unwrap();
        let noise = noise.unwrap_or_else(|| queue(&engine, "noise", standard_queue()));
        // Several segments whose messages are gone: those in front are worth reclaiming.
        for _ in 0..60 {
            common::send(&noise, &"x".repeat(900));
            receive(&noise, 1).iter().for_each(|got| {
                noise.delete(&got.receipt).unwrap();
            });
        }
        engine.flush().unwrap();
        engine.advance(400_000).unwrap();
        engine.compact().unwrap();
        engine.compact_oldest().unwrap();
        assert_eq!(engine.outbox().failures(id).unwrap(), failures);
        engine.close().unwrap();
    }
    assert_eq!(open().outbox().failures(id).unwrap(), failures);
}

#[test]
fn the_newest_failures_are_kept() {
    let (engine, hook) = (memory(), Endpoint::answering(404));
    let id = engine.create_destination("hook", &http(&hook.url)).unwrap();
    (0..130).for_each(|number| deliver(&engine, id, &format!("{number}")));
    settle(&engine);
    let failures = engine.outbox().failures(id).unwrap();
    assert_eq!((failures.len(), failures[0].seq), (100, failures[99].seq - 99));
    assert_eq!(statistics(&engine, id).failed, 130);
}

#[test]
fn handlers_lease_and_settle_as_consumers_do() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    let handler = engine.outbox().enter_handler(id).unwrap();
    deliver(&engine, id, "a");
    deliver(&engine, id, "b");
    let leased = handler.lease(10).unwrap();
    assert_eq!(leased.iter().map(|one| one.attempt).collect::<Vec<_>>(), [1, 1]);
    handler.settle(&end(&leased[0]), &Ended::Delivered).unwrap();
    handler.settle(&end(&leased[1]), &failed()).unwrap();
    assert_eq!(handler.lease(10).unwrap(), []);
    drop(handler);
    engine.advance(20_000).unwrap();
    let handler = engine.outbox().enter_handler(id).unwrap();
    let again = handler.lease(10).unwrap();
    assert_eq!((again.len(), again[0].attempt, &again[0].body[..]), (1, 2, &b"b"[..]));
    let refused = Ended::Permanent { why: "it is no order".to_owned() };
    handler.settle(&end(&again[0]), &refused).unwrap();
    // Settled twice: the second is for a delivery that is gone.
    handler.settle(&end(&again[0]), &Ended::Delivered).unwrap();
    assert_eq!(statistics(&engine, id).leased, 0);
}

#[test]
fn a_delivery_whose_handler_never_answers_is_given_up_in_the_end() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    deliver(&engine, id, "poison");
    let mut attempts = Vec::new();
    for _ in 0..6 {
        let handler = engine.outbox().enter_handler(id).unwrap();
        attempts.extend(handler.lease(10).unwrap().iter().map(|leased| leased.attempt));
        drop(handler);
        engine.advance(31_000).unwrap();
    }
    assert_eq!(attempts, [1, 2, 3, 4], "one attempt and three retries");
    let failures = engine.outbox().failures(id).unwrap();
    assert_eq!(
        (failures.len(), failures[0].reason, failures[0].attempts),
        (1, GiveUp::Attempts, 4)
    );
}

#[test]
fn a_virtual_clock_waits_for_a_handler() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    let handler = engine.outbox().enter_handler(id).unwrap();
    deliver(&engine, id, "a");
    let worker = {
        let engine = engine.clone();
        std::thread::spawn(move || {
            let mut times = Vec::new();
            while times.len() < 3 {
                for leased in handler.lease(1).unwrap() {
                    times.push(engine.clock().now() - START);
                    // Slower than a clock that would not wait.
                    std::thread::sleep(Duration::from_millis(30));
                    let ended = if times.len() < 3 { failed() } else { Ended::Delivered };
                    handler.settle(&end(&leased), &ended).unwrap();
                }
                std::thread::yield_now();
            }
            times
        })
    };
    engine.advance(3_600_000).unwrap();
    assert_eq!(worker.join().unwrap(), [0, 20_000, 40_000]);
    assert_eq!(statistics(&engine, id).delivered, 1);
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
    assert!(start.elapsed() < Duration::from_secs(10), "the dead one's time-out is 15 seconds");
    assert!(dead.seen().len() <= 8);
    engine.close().unwrap();
}

#[test]
fn destinations_are_no_queues_of_callers() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    queue(&engine, "orders", standard_queue());
    let names: Vec<_> =
        engine.queues(None, None, "").unwrap().iter().map(|q| q.name().name.clone()).collect();
    assert_eq!(names, ["orders"]);
    assert_eq!(engine.destinations().unwrap(), [("handler".to_owned(), id)]);
    let error = engine.create_destination("handler", &handled()).unwrap_err();
    assert_eq!(error.code(), Code::QueueNameExists);
}

#[test]
fn what_cannot_work_is_refused_when_it_is_configured() {
    let engine = memory();
    let fifo = queue(&engine, "dead.fifo", fifo_queue());
    let with = |dead| DestinationConfig { dead_letter: Some(dead), ..handled() };
    for (config, code, says) in [
        (http("ftp://example.com/"), Code::InvalidParameterValue, "http://"),
        (with(fifo.id()), Code::InvalidParameterValue, "standard queue"),
        (with(ResourceId(999)), Code::ResourceNotFoundException, "does not exist"),
    ] {
        let error = engine.create_destination("x", &config).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
    assert_eq!(engine.destinations().unwrap(), []);
    let id = engine.create_destination("x", &http("http://localhost/")).unwrap();
    let error = engine.outbox().enter_handler(id).err().unwrap();
    assert_eq!(error.code(), Code::UnsupportedOperation);
    let error = engine.outbox().enter_handler(ResourceId(999)).err().unwrap();
    assert_eq!(error.code(), Code::ResourceNotFoundException);
    let error = engine.remove_destination(fifo.id()).unwrap_err();
    assert_eq!(error.code(), Code::ResourceNotFoundException);
}

#[test]
fn a_destination_can_be_changed_while_deliveries_wait() {
    let (engine, down, up) = (memory(), Endpoint::answering(503), Endpoint::answering(200));
    let id = engine.create_destination("hook", &http(&down.url)).unwrap();
    deliver(&engine, id, "a");
    settle(&engine);
    engine.configure_destination(id, &http(&up.url)).unwrap();
    engine.advance(20_000).unwrap();
    assert_eq!((down.seen().len(), up.seen().len()), (1, 1));
}

#[test]
fn a_delivery_whose_dead_letter_queue_is_gone_is_kept() {
    let (engine, hook) = (memory(), Endpoint::answering(404));
    let dead = queue(&engine, "dead", standard_queue());
    let config = DestinationConfig { dead_letter: Some(dead.id()), ..http(&hook.url) };
    let id = engine.create_destination("hook", &config).unwrap();
    dead.remove().unwrap();
    deliver(&engine, id, "a");
    settle(&engine);
    let there = statistics(&engine, id);
    assert_eq!((there.leased, there.dead_lettered, there.failed), (1, 0, 0));
    // Without a dead-letter queue its failure is recorded at the next attempt.
    engine.configure_destination(id, &http(&hook.url)).unwrap();
    engine.advance(30_000).unwrap();
    assert_eq!(engine.outbox().failures(id).unwrap().len(), 1);
}
