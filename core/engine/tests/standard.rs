//! A standard queue, verb by verb, on a virtual clock.

#![allow(clippy::unwrap_used)]

mod common;

use common::{START, bodies, counts, find, memory, on_disk, queue, receive, receive_for, send};
use trunkline_engine::{
    Code, DeadLetter, Outgoing, Receive, attributes, fifo_queue, standard_queue,
};

#[test]
fn messages_come_out_in_the_order_in_which_they_went_in() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    (0..5_000).for_each(|n| send(&queue, &n.to_string()));
    let mut next = 0;
    while let Some(message) = receive(&queue, 1).pop() {
        assert_eq!(message.body, next.to_string());
        queue.delete(&message.receipt).unwrap();
        next += 1;
    }
    assert_eq!((next, counts(&queue)), (5_000, (0, 0, 0)));
}

#[test]
fn a_leased_message_comes_back_when_its_lease_ends_and_not_before() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    send(&queue, "a");
    let first = receive(&queue, 1).remove(0);
    engine.advance(29_999).unwrap();
    assert!(receive(&queue, 1).is_empty());
    engine.advance(1).unwrap();
    let second = receive(&queue, 1).remove(0);
    assert_eq!((second.receipt.delivery, second.first_received), (2, first.first_received));
    // On a standard queue an old receipt still deletes.
    queue.delete(&first.receipt).unwrap();
    assert_eq!(counts(&queue), (0, 0, 0));
}

#[test]
fn deleting_twice_is_a_success_and_deletes_nothing_else() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    send(&queue, "a");
    let message = receive(&queue, 1).remove(0);
    queue.delete(&message.receipt).unwrap();
    send(&queue, "b");
    assert_eq!(bodies(&receive(&queue, 1)), ["b"]);
    queue.delete(&message.receipt).unwrap();
    assert_eq!(counts(&queue), (0, 1, 0));
}

#[test]
fn a_delay_of_the_message_wins_over_the_delay_of_the_queue() {
    let engine = memory();
    let config = trunkline_engine::QueueConfig { delay: 5_000, ..standard_queue() };
    let queue = queue(&engine, "q", config);
    send(&queue, "later");
    let delay = Some(0);
    queue.send(&Outgoing { body: b"now", delay, ..Outgoing::default() }).unwrap();
    assert_eq!(counts(&queue), (1, 0, 1));
    assert_eq!(bodies(&receive(&queue, 10)), ["now"]);
    engine.advance(5_000).unwrap();
    assert_eq!(bodies(&receive(&queue, 10)), ["later"]);
}

#[test]
fn no_lease_means_visible_again_at_once_but_not_twice_in_one_receive() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    send(&queue, "a");
    for delivery in 1..=3 {
        let got = receive_for(&queue, 10, Some(0));
        assert_eq!((got.len(), got[0].receipt.delivery), (1, delivery));
    }
    assert_eq!(counts(&queue), (1, 0, 0));
}

#[test]
fn a_lease_can_be_extended_shortened_and_ended() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    send(&queue, "a");
    let message = receive(&queue, 1).remove(0);
    queue.extend(&message.receipt, 60_000).unwrap();
    engine.advance(59_000).unwrap();
    assert_eq!(counts(&queue), (0, 1, 0));
    queue.extend(&message.receipt, 0).unwrap();
    let again = receive(&queue, 1).remove(0);
    queue.extend(&again.receipt, 5_000).unwrap();
    engine.advance(5_000).unwrap();
    assert_eq!(counts(&queue), (1, 0, 0));
    // The lease is over: success without effect.
    queue.extend(&again.receipt, 30_000).unwrap();
    assert_eq!(counts(&queue), (1, 0, 0));
}

#[test]
fn a_lease_lasts_twelve_hours_from_the_receive_at_most() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    send(&queue, "a");
    let message = receive(&queue, 1).remove(0);
    queue.extend(&message.receipt, 43_200_000).unwrap();
    engine.advance(1_000).unwrap();
    let error = queue.extend(&message.receipt, 43_200_000).unwrap_err();
    assert_eq!(error.code(), Code::InvalidParameterValue);
    queue.extend(&message.receipt, 43_199_000).unwrap();
}

#[test]
fn messages_expire_at_their_age_visible_leased_returned_or_delayed() {
    let engine = memory();
    let config = trunkline_engine::QueueConfig { retention: 60_000, ..standard_queue() };
    let queue = queue(&engine, "q", config);
    for body in ["leased", "returned", "visible"] {
        send(&queue, body);
    }
    receive_for(&queue, 1, Some(600_000));
    receive_for(&queue, 1, Some(10_000));
    engine.advance(59_999).unwrap();
    assert_eq!(counts(&queue), (2, 1, 0));
    engine.advance(1).unwrap();
    assert_eq!(counts(&queue), (0, 0, 0));
    assert_eq!(queue.statistics().unwrap().oldest_sent, None);
}

#[test]
fn a_message_goes_to_the_dead_letter_queue_at_the_receive_after_the_last_allowed() {
    let engine = memory();
    let dead = queue(&engine, "dead", standard_queue());
    let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 2 });
    let config = trunkline_engine::QueueConfig { dead_letter, ..standard_queue() };
    let source = queue(&engine, "source", config);
    send(&source, "poison");
    let id = receive_for(&source, 1, Some(0)).remove(0).id;
    receive_for(&source, 1, Some(0));
    engine.advance(1_000).unwrap();
    assert!(receive(&source, 10).is_empty());
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (1, 0, 0)));
    let letter = receive(&dead, 1).remove(0);
    assert_eq!((letter.receive_count, letter.id, letter.sent), (3, id, START));
    assert_eq!(letter.receipt.delivery, 1, "a queue holds its own deliveries against its limit");
}

#[test]
fn a_move_task_takes_dead_letters_back_as_new_messages() {
    let engine = memory();
    let dead = queue(&engine, "dead", standard_queue());
    let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
    let config = trunkline_engine::QueueConfig { dead_letter, ..standard_queue() };
    let source = queue(&engine, "source", config);
    (0..700).for_each(|n| send(&source, &n.to_string()));
    while !receive_for(&source, 10, Some(0)).is_empty() {}
    assert_eq!((counts(&source), counts(&dead)), ((0, 0, 0), (700, 0, 0)));
    engine.start_redrive(dead.id(), None, None).unwrap();
    engine.advance(1_000).unwrap();
    let status = engine.redrives(Some(dead.id())).remove(0);
    assert_eq!((status.state, status.moved), (trunkline_engine::RedriveState::Completed, 700));
    assert_eq!((counts(&source), counts(&dead)), ((700, 0, 0), (0, 0, 0)));
    let message = receive(&source, 1).remove(0);
    // A new message: its age and its count begin again.
    assert_eq!((message.receipt.delivery, message.sent), (1, START));
}

#[test]
fn a_move_task_keeps_its_rate_and_can_be_cancelled() {
    let engine = memory();
    let (from, to) = (queue(&engine, "a", standard_queue()), queue(&engine, "b", standard_queue()));
    (0..100).for_each(|n| send(&from, &n.to_string()));
    let (task, _) = engine.start_redrive(from.id(), Some(to.id()), Some(10)).unwrap();
    engine.advance(2_000).unwrap();
    let moved = engine.redrives(None)[0].moved;
    assert!((20..=21).contains(&moved), "{moved} messages in two seconds at ten a second");
    let second = engine.start_redrive(from.id(), Some(to.id()), None).unwrap_err();
    assert_eq!(second.code(), Code::InvalidParameterValue);
    assert_eq!(engine.cancel_redrive(task).unwrap().0, moved);
    engine.advance(60_000).unwrap();
    assert_eq!(engine.redrives(None)[0].moved, moved);
}

#[test]
fn a_move_task_goes_on_at_its_rate_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START);
        let (from, to) =
            (queue(&engine, "a", standard_queue()), queue(&engine, "b", standard_queue()));
        (0..100).for_each(|n| send(&from, &n.to_string()));
        engine.start_redrive(from.id(), Some(to.id()), Some(10)).unwrap();
        engine.advance(2_000).unwrap();
    }
    // An hour later: what was missed while nothing ran is not caught up with.
    let engine = on_disk(folder.path(), START + 3_600_000);
    let (from, to) = (find(&engine, "a"), find(&engine, "b"));
    let before = engine.redrives(None)[0].moved;
    assert!((20..=21).contains(&before), "{before} messages in two seconds at ten a second");
    assert_eq!((counts(&from).0, counts(&to).0), (100 - before, before));
    engine.advance(1_000).unwrap();
    let moved = engine.redrives(None)[0].moved - before;
    assert!((10..=11).contains(&moved), "{moved} messages in a second at ten a second");
    engine.advance(60_000).unwrap();
    let status = engine.redrives(None).remove(0);
    assert_eq!((status.state, status.moved), (trunkline_engine::RedriveState::Completed, 100));
    assert_eq!((counts(&from).0, counts(&to).0), (0, 100));
}

#[test]
fn a_quiet_tenant_is_served_before_a_noisy_one() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    let tenant = |name: &'static str, body: &'static str| {
        let group = Some(name);
        queue.send(&Outgoing { body: body.as_bytes(), group, ..Outgoing::default() }).unwrap();
    };
    (0..200).for_each(|_| tenant("noisy", "noisy"));
    assert_eq!(receive(&queue, 60).len(), 60);
    tenant("quiet", "quiet");
    assert_eq!(bodies(&receive(&queue, 1)), ["quiet"]);
    send(&queue, "alone");
    assert_eq!(bodies(&receive(&queue, 1)), ["alone"]);
    assert_eq!(bodies(&receive(&queue, 1)), ["noisy"]);
    assert_eq!(counts(&queue), (139, 63, 0));
}

#[test]
fn purge_takes_everything_and_old_receipts_stay_harmless() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    (0..10).for_each(|n| send(&queue, &n.to_string()));
    let leased = receive(&queue, 3);
    queue.purge().unwrap();
    assert_eq!(counts(&queue), (0, 0, 0));
    send(&queue, "new");
    queue.delete(&leased[0].receipt).unwrap();
    assert_eq!(bodies(&receive(&queue, 10)), ["new"]);
}

#[test]
fn a_removed_queue_says_so() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    send(&queue, "a");
    queue.remove().unwrap();
    let error = queue.send(&Outgoing::default()).unwrap_err();
    assert_eq!(error.code(), Code::QueueDoesNotExist);
    assert!(engine.find_queue(queue.name()).unwrap().is_none());
    assert_eq!(engine.removed_at(queue.name()), Some(START));
}

#[test]
fn the_in_flight_limit_is_an_error_on_a_standard_queue() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    (0..120_001).for_each(|_| send(&queue, "a"));
    let request = Receive { max: 120_000, ..Receive::default() };
    assert_eq!(queue.try_receive(&request, |_| ()).unwrap().count, 120_000);
    let error = queue.try_receive(&request, |_| ()).unwrap_err();
    assert_eq!(error.code(), Code::OverLimit);
}

#[test]
fn size_counts_body_and_attributes() {
    let engine = memory();
    let config = trunkline_engine::QueueConfig { message_bytes_max: 1_024, ..standard_queue() };
    let queue = queue(&engine, "q", config);
    let attribute = attributes::Attribute {
        name: "kind".into(),
        data_type: "String".into(),
        value: b"order".to_vec(),
        system: false,
    };
    let attributes = attributes::encode(&[attribute]);
    let body = vec![b'x'; 1_024 - 15];
    let message = Outgoing { body: &body, attributes: &attributes, ..Outgoing::default() };
    queue.send(&message).unwrap();
    let body = vec![b'x'; 1_024 - 14];
    let error = queue.send(&Outgoing { body: &body, ..message }).unwrap_err();
    assert_eq!(error.code(), Code::InvalidParameterValue);
    let mut seen = 0;
    queue.peek(1, false, |message| seen = message.attributes.len()).unwrap();
    assert_eq!(seen, attributes.len());
}

#[test]
fn peek_shows_the_oldest_first_and_changes_nothing() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    (0..4).for_each(|n| send(&queue, &n.to_string()));
    receive(&queue, 1);
    let seen = |in_flight: bool| {
        let mut seen = Vec::new();
        let see = |m: trunkline_engine::Delivery<'_>| {
            seen.push((String::from_utf8(m.body.to_vec()).unwrap(), m.in_flight));
        };
        queue.peek(2, in_flight, see).unwrap();
        seen
    };
    assert_eq!(seen(false), [("1".to_owned(), false), ("2".to_owned(), false)]);
    assert_eq!(seen(true), [("0".to_owned(), true), ("1".to_owned(), false)]);
    assert_eq!(counts(&queue), (3, 1, 0));
    assert_eq!(bodies(&receive(&queue, 10)), ["1", "2", "3"]);
}

#[test]
fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (leased, visible_id);
    {
        let engine = on_disk(folder.path(), START);
        let queue = queue(&engine, "q", standard_queue());
        ["leased", "deleted", "visible"].iter().for_each(|body| send(&queue, body));
        let delay = Some(50_000);
        queue.send(&Outgoing { body: b"delayed", delay, ..Outgoing::default() }).unwrap();
        let mut got = receive(&queue, 2);
        queue.delete(&got[1].receipt).unwrap();
        leased = got.remove(0);
        let mut id = None;
        queue.peek(1, false, |message| id = Some(message.message_id(engine.key()))).unwrap();
        visible_id = id;
        engine.close().unwrap();
    }
    let engine = on_disk(folder.path(), START + 10_000);
    let queue = find(&engine, "q");
    assert_eq!(counts(&queue), (1, 1, 1));
    let mut id = None;
    queue.peek(1, false, |message| id = Some(message.message_id(engine.key()))).unwrap();
    assert_eq!(id, visible_id);
    // The receipt of the earlier run still works; the lease still ends when it was to end.
    engine.advance(20_000).unwrap();
    assert_eq!(counts(&queue), (2, 0, 1));
    queue.delete(&leased.receipt).unwrap();
    assert_eq!(counts(&queue), (1, 0, 1));
    engine.advance(20_000).unwrap();
    assert_eq!(bodies(&receive(&queue, 10)), ["visible", "delayed"]);
}

#[test]
fn a_fork_and_a_snapshot_are_exact_copies() {
    let engine = memory();
    let queue = queue(&engine, "q", standard_queue());
    common::queue(&engine, "f.fifo", fifo_queue());
    (0..3).for_each(|n| send(&queue, &n.to_string()));
    let leased = receive(&queue, 1).remove(0);
    let clock = std::sync::Arc::new(trunkline_engine::Clock::virtual_at(START));
    let fork = engine.fork(clock).unwrap();
    let folder = tempfile::tempdir().unwrap();
    engine.snapshot(folder.path()).unwrap();
    let copy = on_disk(folder.path(), START);
    for other in [fork, copy] {
        let there = find(&other, "q");
        assert_eq!(counts(&there), (2, 1, 0));
        there.delete(&leased.receipt).unwrap();
        assert_eq!(bodies(&receive(&there, 10)), ["1", "2"]);
    }
    assert_eq!(counts(&queue), (2, 1, 0));
}
