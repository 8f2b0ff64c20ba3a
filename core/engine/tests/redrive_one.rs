//! A redrive of one message by its id.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{START, bodies, counts, find, memory, on_disk, queue, receive, receive_for};
use trunkline_engine::{
    Code, DeadLetter, Engine, Outgoing, Queue, QueueConfig, fifo_queue, standard_queue,
};

type Config = fn() -> QueueConfig;

const KINDS: [(&str, Config); 2] = [("", standard_queue), (".fifo", fifo_queue)];

/// Sends `a`, `b` and `c` to a queue, which gives them up to its dead-letter queue.
fn dead_letters(engine: &Arc<Engine>, suffix: &str, config: Config) -> (Arc<Queue>, Arc<Queue>) {
    let dead = queue(engine, &format!("dead{suffix}"), config());
    let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
    let config = QueueConfig { dead_letter, ..config() };
    let source = queue(engine, &format!("source{suffix}"), config);
    for body in ["a", "b", "c"] {
        let (group, dedup_id) = match suffix {
            "" => (None, None),
            _ => (Some("g"), Some(body)),
        };
        let body = body.as_bytes();
        source.send(&Outgoing { body, group, dedup_id, ..Outgoing::default() }).unwrap();
    }
    while !receive_for(&source, 10, Some(0)).is_empty() {}
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (3, 0, 0)));
    (source, dead)
}

fn id_of(engine: &Engine, queue: &Queue, body: &str) -> String {
    let mut found = None;
    queue
        .peek(10, true, |message| {
            if message.body == body.as_bytes() {
                found = Some(message.message_id(engine.key()).to_string());
            }
        })
        .unwrap();
    found.unwrap()
}

#[test]
fn one_dead_letter_goes_back_and_the_others_stay_in_order() {
    for (suffix, config) in KINDS {
        let engine = memory();
        let (source, dead) = dead_letters(&engine, suffix, config);
        let id = id_of(&engine, &dead, "b");
        let moved = dead.redrive_message(&id, None, engine.key()).unwrap();
        assert_eq!((counts(&source), counts(&dead)), ((1, 0, 0), (2, 0, 0)));
        assert_eq!(moved.queue, source.id());
        assert_eq!(moved.message_id(engine.key()).to_string(), id_of(&engine, &source, "b"));
        let back = receive(&source, 10);
        assert_eq!((bodies(&back), back[0].receive_count), (vec!["b"], 1), "a new message");
        assert_eq!(bodies(&receive(&dead, 10)), ["a", "c"]);
        let again = dead.redrive_message(&id, None, engine.key()).unwrap_err();
        assert_eq!(again.code(), Code::ResourceNotFoundException);
    }
}

#[test]
fn what_a_receiver_has_stays() {
    for (suffix, config) in KINDS {
        let engine = memory();
        let (source, dead) = dead_letters(&engine, suffix, config);
        let id = id_of(&engine, &dead, "a");
        let held = receive_for(&dead, 1, Some(1_000));
        assert_eq!(bodies(&held), ["a"]);
        let refused = dead.redrive_message(&id, None, engine.key()).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidParameterValue);
        assert!(refused.message().contains("in flight"), "{refused}");
        engine.advance(1_000).unwrap();
        dead.redrive_message(&id, None, engine.key()).unwrap();
        assert_eq!((counts(&source), counts(&dead)), ((1, 0, 0), (2, 0, 0)));
    }
}

#[test]
fn a_message_that_came_from_no_queue_needs_a_destination() {
    for (suffix, config) in KINDS {
        let engine = memory();
        let (source, dead) = dead_letters(&engine, suffix, config);
        let group = (!suffix.is_empty()).then_some("h");
        let own = Outgoing { body: b"own", group, dedup_id: group, ..Outgoing::default() };
        let id = dead.send(&own).unwrap().message_id(engine.key()).to_string();
        let redrive = |destination| dead.redrive_message(&id, destination, engine.key());
        assert!(redrive(None).unwrap_err().message().contains("name a destination"));
        assert!(redrive(Some(dead.id())).unwrap_err().message().contains("another one"));
        assert_eq!(counts(&dead), (4, 0, 0));
        redrive(Some(source.id())).unwrap();
        assert_eq!(bodies(&receive(&source, 10)), ["own"]);
        let (gone, id) = (source.id(), id_of(&engine, &dead, "a"));
        source.remove().unwrap();
        let error = dead.redrive_message(&id, Some(gone), engine.key()).unwrap_err();
        assert_eq!(error.code(), Code::ResourceNotFoundException);
        assert_eq!(counts(&dead), (3, 0, 0));
    }
}

#[test]
fn the_move_is_in_one_place_after_a_restart() {
    for (suffix, config) in KINDS {
        let folder = tempfile::tempdir().unwrap();
        {
            let engine = on_disk(folder.path(), START);
            dead_letters(&engine, suffix, config);
        }
        {
            // Places in memory are those of another incarnation now.
            let engine = on_disk(folder.path(), START);
            let dead = find(&engine, &format!("dead{suffix}"));
            let id = id_of(&engine, &dead, "c");
            dead.redrive_message(&id, None, engine.key()).unwrap();
        }
        let engine = on_disk(folder.path(), START);
        let (source, dead) =
            (find(&engine, &format!("source{suffix}")), find(&engine, &format!("dead{suffix}")));
        assert_eq!((counts(&source), counts(&dead)), ((1, 0, 0), (2, 0, 0)));
        assert_eq!(bodies(&receive(&source, 10)), ["c"]);
        assert_eq!(bodies(&receive(&dead, 10)), ["a", "b"]);
    }
}
