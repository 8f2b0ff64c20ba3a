//! Bounds: what happens at a limit, and what bounds times that a wrong clock wrote.

#![allow(clippy::unwrap_used)]

mod common;

use common::{START, bodies, counts, find, on_disk, queue, receive, send, send_to};
use trunkline_engine::{
    Code, DeadLetter, Engine, Limits, OpenOptions, Outgoing, QueueConfig, QueueKind, Receive,
    fifo_queue, standard_queue,
};

#[test]
fn at_the_limit_of_messages_in_flight_a_receive_that_waits_finds_nothing_and_another_fails() {
    let limits = Limits { standard_in_flight_max: 2, ..Limits::default() };
    let engine = Engine::open(OpenOptions { limits, ..OpenOptions::memory() }).unwrap();
    let queue = queue(&engine, "q", standard_queue());
    ["a", "b", "c"].iter().for_each(|body| send(&queue, body));
    assert_eq!(receive(&queue, 10).len(), 2);
    let attempt = |wait| {
        let request = Receive { wait, ..Receive::default() };
        queue.try_receive(&request, |_| {}).map(|received| received.count)
    };
    assert_eq!(attempt(Some(0)).unwrap_err().code(), Code::OverLimit);
    assert_eq!(attempt(None).unwrap_err().code(), Code::OverLimit, "the queue does not wait");
    assert_eq!(attempt(Some(1_000)), Ok(0));
    let config = QueueConfig { receive_wait: 1_000, ..queue.config() };
    queue.configure(config, b"").unwrap();
    assert_eq!(attempt(None), Ok(0), "the queue's own time counts");
}

#[test]
fn times_that_a_wrong_clock_wrote_are_bounded_by_their_rules_at_the_next_opening() {
    const YEAR: u64 = 365 * 86_400_000;
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START + YEAR);
        let plain = queue(&engine, "plain", standard_queue());
        let fifo = queue(&engine, "q.fifo", fifo_queue());
        send(&plain, "leased");
        receive(&plain, 1);
        let delay = Some(900_000);
        plain.send(&Outgoing { body: b"delayed", delay, ..Outgoing::default() }).unwrap();
        send_to(&fifo, "g", "first");
        send_to(&fifo, "g", "second");
        receive(&fifo, 1);
        engine.close().unwrap();
    }
    let engine = on_disk(folder.path(), START);
    let (plain, fifo) = (find(&engine, "plain"), find(&engine, "q.fifo"));
    assert_eq!((counts(&plain), counts(&fifo)), ((0, 1, 1), (1, 1, 0)));
    engine.advance(900_000).unwrap();
    assert_eq!(bodies(&receive(&plain, 10)), ["delayed"]);
    engine.advance(12 * 3_600_000 - 900_000).unwrap();
    assert_eq!(bodies(&receive(&fifo, 10)), ["first", "second"], "the group is free again");
    let mut rest = receive(&plain, 10);
    rest.sort_by(|a, b| a.body.cmp(&b.body));
    assert_eq!(bodies(&rest), ["delayed", "leased"]);
    engine.advance(4 * 86_400_000).unwrap();
    assert_eq!((counts(&plain), counts(&fifo)), ((0, 0, 0), (0, 0, 0)), "their age is bounded too");
}

#[test]
fn a_dead_letter_queue_that_is_made_again_takes_dead_letters_again() {
    for (dead_name, name, config) in
        [("dead", "q", standard_queue()), ("dead.fifo", "q.fifo", fifo_queue())]
    {
        let folder = tempfile::tempdir().unwrap();
        {
            let engine = on_disk(folder.path(), START);
            let dead = queue(&engine, dead_name, config.clone());
            let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
            queue(&engine, name, QueueConfig { dead_letter, ..config.clone() });
            dead.remove().unwrap();
            engine.close().unwrap();
        }
        let engine = on_disk(folder.path(), START);
        let source = find(&engine, name);
        let again = queue(&engine, dead_name, config);
        assert_eq!(source.config().dead_letter.unwrap().queue, again.id());
        let (group, dedup_id) = match source.kind() {
            QueueKind::Standard => (None, None),
            QueueKind::Fifo => (Some("g"), Some("1")),
        };
        let message = Outgoing { body: b"poison", group, dedup_id, ..Outgoing::default() };
        source.send(&message).unwrap();
        receive(&source, 1);
        engine.advance(30_000).unwrap();
        assert!(receive(&source, 1).is_empty());
        assert_eq!(bodies(&receive(&again, 1)), ["poison"]);
    }
}
