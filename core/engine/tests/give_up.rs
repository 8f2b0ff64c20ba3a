//! Dead letters that do not wait for a receive, and letters that a receiver puts back itself.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{START, bodies, counts, find, memory, on_disk, queue, receive_for, send};
use trunkline_engine::{
    Code, DeadLetter, Engine, Queue, QueueConfig, ResourceId, fifo_queue, standard_queue,
};

/// A queue, and the one that takes what it delivered twice.
fn queues(engine: &Arc<Engine>) -> (Arc<Queue>, Arc<Queue>) {
    let dead = queue(engine, "dead", standard_queue());
    let source = queue(engine, "source", giving_up(dead.id()));
    (source, dead)
}

fn giving_up(dead: ResourceId) -> QueueConfig {
    let dead_letter = Some(DeadLetter { queue: dead, max_receive_count: 2 });
    QueueConfig { dead_letter, ..standard_queue() }
}

/// Receives everything, and lets the leases end.
fn deliver(engine: &Engine, queue: &Queue) -> usize {
    let got = receive_for(queue, 10, Some(1_000)).len();
    engine.advance(1_000).unwrap();
    got
}

#[test]
fn a_message_becomes_a_dead_letter_when_its_last_lease_ends() {
    let engine = memory();
    let (source, dead) = queues(&engine);
    source.give_up_eagerly().unwrap();
    ["a", "b"].iter().for_each(|body| send(&source, body));
    assert_eq!(deliver(&engine, &source), 2);
    assert_eq!((counts(&source), counts(&dead)), ((2, 0, 0), (0, 0, 0)), "one delivery is left");
    assert_eq!(receive_for(&source, 1, Some(500)).len(), 1);
    assert_eq!(receive_for(&source, 1, Some(1_000)).len(), 1);
    engine.advance(500).unwrap();
    assert_eq!((counts(&source), counts(&dead)), ((0, 1, 0), (1, 0, 0)), "one lease goes on");
    engine.advance(500).unwrap();
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (2, 0, 0)));
}

#[test]
fn a_queue_that_was_not_told_waits_for_a_receive() {
    let engine = memory();
    let (source, dead) = queues(&engine);
    send(&source, "a");
    deliver(&engine, &source);
    deliver(&engine, &source);
    assert_eq!((counts(&source), counts(&dead)), ((1, 0, 0), (0, 0, 0)));
    // What is visible when it is told goes at once, and what is leased does not.
    send(&source, "b");
    source.give_up_eagerly().unwrap();
    assert_eq!((counts(&source), counts(&dead)), ((1, 0, 0), (1, 0, 0)));
    assert_eq!(bodies(&receive_for(&source, 10, None)), ["b"]);
    assert_eq!(bodies(&receive_for(&dead, 10, None)), ["a"]);
}

#[test]
fn what_was_acknowledged_or_has_no_queue_to_go_to_is_no_dead_letter() {
    let engine = memory();
    let (source, dead) = queues(&engine);
    source.give_up_eagerly().unwrap();
    ["a", "b"].iter().for_each(|body| send(&source, body));
    deliver(&engine, &source);
    let last = receive_for(&source, 10, Some(1_000));
    source.delete(&last[0].receipt).unwrap();
    dead.remove().unwrap();
    engine.advance(1_000).unwrap();
    assert_eq!(counts(&source), (1, 0, 0), "kept where it is");
    // Nothing says that it has to go, so it is delivered again.
    source.configure(standard_queue(), b"").unwrap();
    assert_eq!(bodies(&receive_for(&source, 10, None)), [last[1].body.as_str()]);
}

#[test]
fn eagerness_ends_with_the_engine_and_is_for_standard_queues() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START);
        let (source, _) = queues(&engine);
        source.give_up_eagerly().unwrap();
        send(&source, "a");
        deliver(&engine, &source);
    }
    let engine = on_disk(folder.path(), START + 1_000);
    let (source, dead) = (find(&engine, "source"), find(&engine, "dead"));
    deliver(&engine, &source);
    assert_eq!((counts(&source), counts(&dead)), ((1, 0, 0), (0, 0, 0)));
    source.give_up_eagerly().unwrap();
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (1, 0, 0)));
    let fifo = queue(&engine, "fifo.fifo", fifo_queue());
    assert!(fifo.give_up_eagerly().is_err());
}

#[test]
fn a_receiver_puts_its_message_into_another_queue_as_a_new_one() {
    let engine = memory();
    let (source, dead) = queues(&engine);
    send(&source, "a");
    let got = receive_for(&source, 1, Some(1_000));
    let moved = source.redrive_received(&got[0].receipt, dead.id()).unwrap().unwrap();
    assert_eq!(moved.resource, dead.id());
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (1, 0, 0)));
    let back = receive_for(&dead, 1, None);
    assert_eq!((bodies(&back), back[0].receive_count), (vec!["a"], 1));
    // Its receipt is of no message any more, and a lease that ended does not bring it back.
    assert!(source.redrive_received(&got[0].receipt, dead.id()).unwrap().is_none());
    engine.advance(1_000).unwrap();
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (0, 1, 0)));
}

#[test]
fn a_message_whose_lease_has_ended_is_moved_too() {
    let engine = memory();
    let (source, dead) = queues(&engine);
    send(&source, "a");
    let got = receive_for(&source, 1, Some(1_000));
    engine.advance(1_000).unwrap();
    assert_eq!(counts(&source), (1, 0, 0));
    assert!(source.redrive_received(&got[0].receipt, dead.id()).unwrap().is_some());
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (1, 0, 0)));
}

#[test]
fn a_move_to_no_queue_leaves_the_message_with_its_receiver() {
    let engine = memory();
    let (source, dead) = queues(&engine);
    send(&source, "a");
    let got = receive_for(&source, 1, Some(1_000));
    let gone = dead.id();
    dead.remove().unwrap();
    let refused = source.redrive_received(&got[0].receipt, gone).unwrap_err();
    assert_eq!(refused.code(), Code::ResourceNotFoundException);
    assert_eq!(counts(&source), (0, 1, 0));
    source.delete(&got[0].receipt).unwrap();
    assert_eq!(counts(&source), (0, 0, 0));
}

#[test]
fn a_moved_message_is_in_one_place_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START);
        let (source, dead) = queues(&engine);
        ["a", "b"].iter().for_each(|body| send(&source, body));
        let got = receive_for(&source, 1, Some(1_000));
        source.redrive_received(&got[0].receipt, dead.id()).unwrap().unwrap();
    }
    let engine = on_disk(folder.path(), START);
    let (source, dead) = (find(&engine, "source"), find(&engine, "dead"));
    let both = [receive_for(&source, 10, None), receive_for(&dead, 10, None)];
    assert_eq!(both.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    assert_ne!(both[0][0].body, both[1][0].body);
}
