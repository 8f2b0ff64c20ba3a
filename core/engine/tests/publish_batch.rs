//! Batches that are published to a topic: each message for itself, all of them in one step.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{START, bodies, memory, on_disk, queue, receive};
use trunkline_engine::{
    Admission, Clock, Code, Durability, Engine, NewSubscription, Notification, OpenOptions,
    Publication, Queue, Result, TargetResource, Topic, attributes, fifo_queue, standard_queue,
    topic_name,
};
use trunkline_journal::sim::SimStorage;

fn topic(engine: &Engine, name: &str) -> Arc<Topic> {
    engine.topic(topic_name(name), None, b"").unwrap().0
}

fn subscribe(engine: &Engine, topic: &Topic, queue: &Queue, is_raw: bool) {
    let new = NewSubscription {
        target: TargetResource::Resource(queue.id()),
        is_raw,
        is_pending: false,
        protocol: trunkline_engine::Protocol::Default,
        filter: None,
        filters_body: false,
        dead_letter: None,
        retry: None,
        endpoint: "",
        name: None,
    };
    engine.subscribe(topic, &new).unwrap();
}

fn message(body: &str) -> Notification<'_> {
    Notification { body: body.as_bytes(), ..Notification::default() }
}

fn publish(
    engine: &Arc<Engine>,
    topic: &Topic,
    batch: &[Notification<'_>],
) -> Vec<Result<Publication>> {
    let Ok(Admission::Ready(call)) = engine.try_admit_publish(topic, None) else {
        panic!("the engine takes calls");
    };
    engine.publish_batch_admitted(topic, &call, batch)
}

/// Tries a claim in memory and on disk.
fn everywhere(claim: impl Fn(&Arc<Engine>)) {
    claim(&memory());
    let folder = tempfile::tempdir().unwrap();
    claim(&on_disk(folder.path(), START));
}

#[test]
fn messages_of_a_batch_come_in_order_and_with_one_ticket() {
    everywhere(|engine| {
        let orders = topic(engine, "orders");
        let (a, b) = (queue(engine, "a", standard_queue()), queue(engine, "b", standard_queue()));
        subscribe(engine, &orders, &a, true);
        for is_raw in [true, false] {
            // With an attribute no message is the plain one, whose way is another.
            let block = attributes::encode(&[attributes::Attribute {
                name: "kind".to_owned(),
                data_type: "String".to_owned(),
                value: b"x".to_vec(),
                system: false,
            }]);
            for block in [&[][..], &block] {
                let batch =
                    ["1", "2", "3"].map(|body| Notification { attributes: block, ..message(body) });
                let all = publish(engine, &orders, &batch).into_iter();
                let all: Vec<_> = all.map(Result::unwrap).collect();
                assert_eq!(bodies(&receive(&a, 9)), ["1", "2", "3"]);
                assert!(all.iter().all(|one| one.ticket == all[0].ticket && one.seq.is_none()));
                assert!(all.iter().all(|one| one.delivered == one.matched && one.matched > 0));
                assert_ne!(all[0].message_id, all[1].message_id);
                if is_raw {
                    continue;
                }
                let got = receive(&b, 9);
                assert_eq!(got.len(), 3);
                let told = got.iter().zip(&all);
                assert!(told.into_iter().all(|(one, publication)| {
                    one.body.contains(&publication.message_id.to_string())
                }));
            }
            subscribe(engine, &orders, &b, false);
        }
        assert_eq!(orders.statistics().unwrap().published, 12);
        assert!(publish(engine, &orders, &[]).is_empty());
    });
}

#[test]
fn a_message_that_is_refused_leaves_the_others_alone() {
    everywhere(|engine| {
        let orders = topic(engine, "orders");
        let a = queue(engine, "a", standard_queue());
        subscribe(engine, &orders, &a, false);
        let batch = [message("1"), message(""), message("3")];
        let all = publish(engine, &orders, &batch);
        let code = |one: &Result<Publication>| one.as_ref().err().map(|error| error.code());
        let codes: Vec<_> = all.iter().map(code).collect();
        assert_eq!(codes, [None, Some(Code::InvalidParameterValue), None]);
        assert_eq!(receive(&a, 9).len(), 2);
        engine.remove_topic(&orders).unwrap();
        let all = publish(engine, &orders, &batch);
        assert!(all.iter().all(|one| code(one) == Some(Code::ResourceNotFoundException)));
    });
}

#[test]
fn a_fifo_topic_numbers_and_deduplicates_within_a_batch() {
    everywhere(|engine| {
        let orders = topic(engine, "orders.fifo");
        let a = queue(engine, "a.fifo", fifo_queue());
        subscribe(engine, &orders, &a, true);
        let batch = [("1", "x"), ("2", "y"), ("3", "x")].map(|(body, id)| Notification {
            group: Some("g"),
            dedup_id: Some(id),
            ..message(body)
        });
        let all = publish(engine, &orders, &batch).into_iter();
        let all: Vec<_> = all.map(Result::unwrap).collect();
        assert_eq!(all.iter().map(|one| one.duplicate).collect::<Vec<_>>(), [false, false, true]);
        assert!(all[0].seq < all[1].seq && all[0].seq == all[2].seq);
        assert_eq!(bodies(&receive(&a, 9)), ["1", "2"]);
    });
}

#[test]
fn a_crash_leaves_all_messages_of_a_batch_or_none() {
    let storage = SimStorage::new();
    let open = |storage: &SimStorage| {
        let options = OpenOptions {
            storage: Some(Arc::new(storage.clone())),
            clock: Arc::new(Clock::virtual_at(START)),
            durability: Durability::Disk,
            seed: Some(7),
            segment_bytes: 64 << 10,
            background: false,
            ..OpenOptions::memory()
        };
        Engine::open(options).unwrap()
    };
    let engine = open(&storage);
    let orders = topic(&engine, "orders");
    for name in ["a", "b"] {
        subscribe(&engine, &orders, &queue(&engine, name, standard_queue()), name == "a");
    }
    engine.flush().unwrap();
    let begun = storage.steps();
    let long = "x".repeat(2_000);
    let batch: Vec<_> = (0..10).map(|_| message(&long)).collect();
    let ticket = publish(&engine, &orders, &batch)[9].as_ref().unwrap().ticket.unwrap();
    engine.wait(ticket, Durability::Disk).unwrap();
    let mut seen = Vec::new();
    for step in begun..=storage.steps() {
        for image in [storage.killed(step), storage.power_loss(step, step as u64)] {
            let engine = open(&SimStorage::from_image(image));
            let there = ["a", "b"].map(|name| {
                let queue = common::find(&engine, name);
                queue.statistics().unwrap().visible
            });
            assert!(there == [0, 0] || there == [10, 10], "step {step}: {there:?}");
            seen.push(there);
        }
    }
    assert_eq!((seen.first(), seen.last()), (Some(&[0, 0]), Some(&[10, 10])));
}
