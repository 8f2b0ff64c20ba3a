//! Deliveries that are given up: dead letters and recorded failures.

use std::sync::Arc;

use trunkline_engine::delivery::{Ended, GiveUp};
use trunkline_engine::{
    Clock, DestinationConfig, DestinationStatistics, Engine, OpenOptions, queue_name,
    standard_queue,
};

use super::common::{self, START, bodies, memory, on_disk, queue, receive};
use super::endpoint::Endpoint;
use super::*;

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

#[test]
fn no_failure_is_recorded_of_a_destination_that_was_removed() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    deliver(&engine, id, "a");
    let handler = engine.outbox().enter_handler(id).unwrap();
    let leased = handler.lease(1).unwrap();
    engine.remove_destination(id).unwrap();
    let refused = Ended::Permanent { why: "it is no order".to_owned() };
    let _gone = handler.settle(&end(&leased[0]), &refused);
    assert_eq!(engine.outbox().failures(id).unwrap(), []);
}

#[test]
fn failures_whose_queue_is_gone_are_forgotten_at_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let failed_of = |name: &str, engine: &Engine| {
        let id = engine.create_destination(name, &handled()).unwrap();
        deliver(engine, id, "a");
        let handler = engine.outbox().enter_handler(id).unwrap();
        let leased = handler.lease(1).unwrap();
        let refused = Ended::Permanent { why: "it is no order".to_owned() };
        handler.settle(&end(&leased[0]), &refused).unwrap();
        assert_eq!(engine.outbox().failures(id).unwrap().len(), 1);
        id
    };
    let (gone, kept) = {
        let engine = on_disk(folder.path(), START);
        let ids = (failed_of("gone", &engine), failed_of("kept", &engine));
        // As if a crash came between the end of the queue and that of its failures.
        engine.queue_by_id(ids.0).unwrap().remove().unwrap();
        engine.close().unwrap();
        ids
    };
    for _ in 0..2 {
        let engine = on_disk(folder.path(), START);
        assert_eq!(engine.outbox().failures(gone).unwrap(), []);
        assert_eq!(engine.outbox().failures(kept).unwrap().len(), 1);
        engine.close().unwrap();
    }
}
