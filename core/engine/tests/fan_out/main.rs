//! Fan-outs: one content for many queues, stored once, counted right, there as a whole after a
//! crash or not at all.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod crash;

use std::path::Path;
use std::sync::Arc;

use common::{START, bodies, counts, find, memory, queue, receive, send};
use trunkline_engine::delivery::RetryTable;
use trunkline_engine::{
    Clock, Code, DeadLetter, DestinationConfig, Engine, FanOut, FanTarget, OpenOptions, Outgoing,
    Queue, QueueConfig, Renderer, SharedPayload, Target, Transport, attributes, fifo_queue,
    standard_queue,
};

fn on_disk(path: &Path) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(START));
    let options = OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(path) };
    Engine::open(OpenOptions { background: false, seed: Some(1), ..options }).unwrap()
}

/// Tries a claim in memory and on disk.
fn everywhere(claim: impl Fn(&Arc<Engine>)) {
    claim(&memory());
    let folder = tempfile::tempdir().unwrap();
    claim(&on_disk(folder.path()));
}

fn to<'a>(queue: &Queue) -> FanTarget<'a> {
    FanTarget::of(Target::Queue(queue.id()))
}

fn to_fifo<'a>(queue: &Queue, id: &'a str) -> FanTarget<'a> {
    FanTarget { group: Some("g"), dedup_id: Some(id), ..to(queue) }
}

fn publish(engine: &Engine, body: &str, targets: &[FanTarget<'_>]) -> FanOut {
    let content = SharedPayload { body: body.as_bytes(), ..SharedPayload::default() };
    engine.fan_out(targets, &content).unwrap()
}

/// The payloads that are alive; their references were counted right.
fn payloads(engine: &Engine) -> usize {
    let all = engine.count_payload_references();
    for (id, counted, held) in &all {
        assert_eq!(counted, held, "payload {id}");
        assert!(*counted > 0, "payload {id} is alive and nothing refers to it");
    }
    all.len()
}

fn delete(queue: &Queue, got: &[common::Got]) {
    got.iter().for_each(|message| assert!(queue.delete(&message.receipt).is_ok()));
}

#[test]
fn every_target_gets_the_content_and_the_last_delete_ends_it() {
    everywhere(|engine| {
        let (a, b) = (queue(engine, "a", standard_queue()), queue(engine, "b", standard_queue()));
        let fifo = queue(engine, "c.fifo", fifo_queue());
        let block = attributes::encode(&[attributes::Attribute {
            name: "colour".into(),
            data_type: "String".into(),
            value: b"red".to_vec(),
            system: false,
        }]);
        let content = SharedPayload { body: b"hello", attributes: &block, context: b"why" };
        let to_b = FanTarget { group: Some("tenant"), ..to(&b) };
        let out = engine.fan_out(&[to(&a), to_b, to_fifo(&fifo, "1")], &content).unwrap();
        assert!(out.results.iter().all(|sent| !sent.as_ref().unwrap().duplicate));
        assert_eq!(payloads(engine), 1);
        let mut seen = Vec::new();
        for queue in [&a, &b, &fifo] {
            let mut receipts = Vec::new();
            let sink = |message: trunkline_engine::Delivery<'_>| {
                assert_eq!((message.body, message.attributes), (&b"hello"[..], &*block));
                assert_eq!(message.context, b"why");
                seen.push(message.group.map(str::to_owned));
                receipts.push(message.receipt);
            };
            queue.try_receive(&trunkline_engine::Receive::default(), sink).unwrap();
            assert_eq!(payloads(engine), 1);
            queue.delete(&receipts[0]).unwrap();
        }
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(seen, [None, named("tenant"), named("g")]);
        assert_eq!(payloads(engine), 0);
    });
}

#[test]
fn each_target_fails_for_itself() {
    everywhere(|engine| {
        let small = QueueConfig { message_bytes_max: 4, ..standard_queue() };
        let (a, small) = (queue(engine, "a", standard_queue()), queue(engine, "small", small));
        let gone = queue(engine, "gone", standard_queue());
        let fifo = queue(engine, "c.fifo", fifo_queue());
        gone.remove().unwrap();
        let targets =
            [to(&gone), to(&small), to(&fifo), to_fifo(&fifo, "1"), to_fifo(&a, "1"), to(&a)];
        let results = publish(engine, "hello", &targets).results;
        let code = |at: usize| results[at].as_ref().unwrap_err().code();
        assert_eq!(code(0), Code::ResourceNotFoundException);
        assert_eq!(code(1), Code::InvalidParameterValue);
        assert_eq!(code(2), Code::MissingParameter);
        assert!(results[3].is_ok() && results[4].is_err() && results[5].is_ok());
        assert_eq!(counts(&a), (1, 0, 0));
        assert_eq!((payloads(engine), counts(&fifo)), (1, (1, 0, 0)));
        assert!(publish(engine, "hello", &[to(&gone), to(&small)]).ticket.is_none());
        assert_eq!(payloads(engine), 1, "a fan-out that no queue takes leaves nothing");
    });
}

#[test]
fn a_duplicate_takes_no_reference() {
    everywhere(|engine| {
        let (a, b) = (queue(engine, "a.fifo", fifo_queue()), queue(engine, "b.fifo", fifo_queue()));
        publish(engine, "one", &[to_fifo(&a, "1")]);
        let out = publish(engine, "two", &[to_fifo(&b, "1"), to_fifo(&a, "1"), to_fifo(&b, "1")]);
        let duplicate: Vec<bool> =
            out.results.iter().map(|sent| sent.as_ref().unwrap().duplicate).collect();
        assert_eq!(duplicate, [false, true, true]);
        assert_eq!(payloads(engine), 2);
        assert_eq!(bodies(&receive(&b, 9)), ["two"]);
        // Every target has it already.
        let again = publish(engine, "three", &[to_fifo(&b, "1"), to_fifo(&a, "1")]);
        assert!(again.results.iter().all(|sent| sent.as_ref().unwrap().duplicate));
        assert_eq!(payloads(engine), 2);
    });
}

#[test]
fn purges_removals_and_age_give_references_back() {
    everywhere(|engine| {
        let short = QueueConfig { retention: 60_000, ..standard_queue() };
        let short_fifo = QueueConfig { retention: 60_000, ..fifo_queue() };
        let all = [
            queue(engine, "purged", standard_queue()),
            queue(engine, "removed", standard_queue()),
            queue(engine, "old", short),
            queue(engine, "purged.fifo", fifo_queue()),
            queue(engine, "removed.fifo", fifo_queue()),
            queue(engine, "old.fifo", short_fifo),
        ];
        let targets: Vec<_> = all
            .iter()
            .map(|queue| match queue.kind() {
                trunkline_engine::QueueKind::Standard => to(queue),
                trunkline_engine::QueueKind::Fifo => to_fifo(queue, "1"),
            })
            .collect();
        publish(engine, "hello", &targets);
        let left = |engine: &Engine| {
            payloads(engine);
            engine.count_payload_references().first().map_or(0, |(_, counted, _)| *counted)
        };
        assert_eq!(left(engine), 6);
        all[0].purge().unwrap();
        all[3].purge().unwrap();
        assert_eq!(left(engine), 4);
        all[1].remove().unwrap();
        all[4].remove().unwrap();
        assert_eq!(left(engine), 2);
        engine.advance(61_000).unwrap();
        assert_eq!(left(engine), 0);
    });
}

#[test]
fn dead_letters_and_redrives_keep_the_reference() {
    everywhere(|engine| {
        for (name, config) in [("plain", standard_queue()), ("q.fifo", fifo_queue())] {
            let dead = queue(engine, &format!("dead-{name}"), config.clone());
            let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
            let source = queue(engine, name, QueueConfig { dead_letter, ..config });
            let other = queue(engine, &format!("other-{name}"), standard_queue());
            let target = match name {
                "plain" => to(&source),
                _ => to_fifo(&source, "1"),
            };
            publish(engine, "hello", &[target, to(&other)]);
            assert_eq!(bodies(&receive(&source, 1)), ["hello"]);
            engine.advance(31_000).unwrap();
            assert!(receive(&source, 1).is_empty(), "it went to the dead-letter queue");
            assert_eq!((payloads(engine), counts(&dead).0), (1, 1));
            delete(&other, &receive(&other, 1));
            engine.start_redrive(dead.id(), None, None).unwrap();
            engine.advance(2_000).unwrap();
            assert_eq!((payloads(engine), counts(&source).0), (1, 1), "{name}");
            let got = receive(&source, 1);
            assert_eq!(bodies(&got), ["hello"]);
            delete(&source, &got);
            assert_eq!(payloads(engine), 0);
        }
    });
}

#[test]
fn peeks_forks_and_openings_show_shared_messages() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path());
    let (a, b) = (queue(&engine, "a", standard_queue()), queue(&engine, "b.fifo", fifo_queue()));
    for number in 0..40 {
        let id = number.to_string();
        publish(&engine, &format!("{number:0400}"), &[to(&a), to_fifo(&b, &id)]);
    }
    delete(&a, &receive(&a, 10));
    delete(&a, &receive(&a, 10));
    delete(&b, &receive(&b, 10));
    assert_eq!(payloads(&engine), 30);
    for round in 0..20 {
        send(&queue(&engine, &format!("filler{round}"), standard_queue()), &"x".repeat(4 << 10));
        engine.flush().unwrap();
        engine.compact_oldest().unwrap();
    }
    let check = |engine: &Engine| {
        for (name, first) in [("a", 20), ("b.fifo", 10)] {
            let mut seen = Vec::new();
            let sink = |message: trunkline_engine::Delivery<'_>| seen.push(message.body.to_vec());
            find(engine, name).peek(100, true, sink).unwrap();
            let sent: Vec<_> =
                (first..40).map(|number: u32| format!("{number:0400}").into_bytes()).collect();
            assert_eq!(seen, sent, "{name}");
        }
        assert_eq!(payloads(engine), 30);
    };
    check(&engine);
    check(&engine.fork(Arc::new(Clock::virtual_at(START))).unwrap());
    engine.close().unwrap();
    let engine = on_disk(folder.path());
    check(&engine);
    engine.reset().unwrap();
    assert_eq!(payloads(&engine), 0);
}

#[test]
fn many_queues_share_records_through_compactions_checkpoints_and_openings() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path());
    let delayed = QueueConfig { delay: 1_000, ..standard_queue() };
    let config = |number: u32| if number == 20 { delayed.clone() } else { standard_queue() };
    let name = |number: u32| format!("q{number}");
    let queues: Vec<_> = (0..40).map(|n| queue(&engine, &name(n), config(n))).collect();
    // One queue is there twice, one delays its messages, and who renders changes in the middle.
    let renderer = Some(Renderer { resource: queues[0].id(), variant: 1 << 40 });
    let mut targets: Vec<_> = queues.iter().map(|queue| to(queue)).collect();
    targets[30..].iter_mut().for_each(|target| target.renderer = renderer);
    targets.push(to(&queues[3]));
    for body in ["first", "second"] {
        assert!(publish(&engine, body, &targets).results.iter().all(Result::is_ok));
    }
    engine.advance(1_000).unwrap();
    // What was delivered and what is gone have records of their own from now on.
    assert_eq!(bodies(&receive(&queues[1], 1)), ["first"]);
    delete(&queues[2], &receive(&queues[2], 1));
    let check = |engine: &Engine| {
        for number in 0..40 {
            let mut seen = Vec::new();
            let sink = |message: trunkline_engine::Delivery<'_>| {
                seen.push((String::from_utf8_lossy(message.body).into_owned(), message.in_flight));
            };
            find(engine, &name(number)).peek(100, true, sink).unwrap();
            let (first, second) = (("first".to_owned(), number == 1), ("second".to_owned(), false));
            let expected = match number {
                2 => vec![second],
                3 => vec![first.clone(), first, second.clone(), second],
                _ => vec![first, second],
            };
            assert_eq!(seen, expected, "q{number}");
        }
        assert_eq!(payloads(engine), 2);
    };
    check(&engine);
    assert!(engine.host().checkpoint().unwrap());
    engine.close().unwrap();
    let engine = on_disk(folder.path());
    check(&engine);
    for round in 0..20 {
        send(&queue(&engine, &format!("filler{round}"), standard_queue()), &"x".repeat(4 << 10));
        engine.flush().unwrap();
        engine.compact_oldest().unwrap();
    }
    check(&engine);
    check(&engine.fork(Arc::new(Clock::virtual_at(START))).unwrap());
    engine.close().unwrap();
    check(&on_disk(folder.path()));
}

#[test]
fn a_queue_of_a_wide_fan_out_costs_a_few_bytes_of_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(OpenOptions::at(folder.path())).unwrap();
    let queues: Vec<_> =
        (0..1_000).map(|n| queue(&engine, &format!("q{n}"), standard_queue())).collect();
    let targets: Vec<_> = queues.iter().map(|queue| to(queue)).collect();
    engine.flush().unwrap();
    let appended = || engine.host().journal_statistics().unwrap().appended_bytes;
    let before = appended();
    publish(&engine, &"x".repeat(100), &targets);
    let bytes = appended() - before;
    assert!(bytes < 10 * 1_000, "{bytes} bytes");
}

#[test]
fn a_delete_of_a_message_that_is_being_received_counts_once() {
    let engine = memory();
    let (a, b) = (queue(&engine, "a", standard_queue()), queue(&engine, "b", standard_queue()));
    publish(&engine, "hello", &[to(&a), to(&b)]);
    let mut first = None;
    let request = trunkline_engine::Receive { visibility: Some(0), ..Default::default() };
    a.try_receive(&request, |message| first = Some(message.receipt)).unwrap();
    let mut inside = 0;
    a.try_receive(&request, |message| {
        // Deleted through an older receipt while the message is claimed.
        a.delete(&first.unwrap()).unwrap();
        a.delete(&first.unwrap()).unwrap();
        inside += message.body.len();
    })
    .unwrap();
    assert_eq!((inside, counts(&a), payloads(&engine)), (5, (0, 0, 0), 1));
    delete(&b, &receive(&b, 1));
    assert_eq!(payloads(&engine), 0);
}

#[test]
fn destinations_outside_the_engine_are_targets_too() {
    everywhere(|engine| {
        let transport = Transport::Handler { lease: 30_000 };
        let config = DestinationConfig {
            transport,
            retry: RetryTable::none(),
            dead_letter: None,
            concurrency: 1,
            renderer: None,
            http: Default::default(),
        };
        let one = engine.create_destination("one", &config).unwrap();
        let a = queue(engine, "a", standard_queue());
        let targets = [FanTarget::of(Target::Outbox(one)), to(&a)];
        assert!(publish(engine, "hello", &targets).results.iter().all(Result::is_ok));
        assert_eq!(payloads(engine), 1);
        a.send(&Outgoing { body: b"plain", ..Outgoing::default() }).unwrap();
        assert_eq!(bodies(&receive(&a, 2)), ["hello", "plain"]);
    });
}
