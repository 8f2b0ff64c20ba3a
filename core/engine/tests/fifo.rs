//! A FIFO queue through the engine: what the state's own tests cannot show.

#![allow(clippy::unwrap_used)]

mod common;

use common::{START, bodies, counts, find, memory, on_disk, queue, receive, receive_for, send_to};
use trunkline_engine::{Code, DeadLetter, DedupScope, Outgoing, QueueConfig, Receive, fifo_queue};
use trunkline_types::Problem;

#[test]
fn a_receive_fills_from_one_group_and_blocks_it() {
    let engine = memory();
    let queue = queue(&engine, "q.fifo", fifo_queue());
    for (group, id) in [("g1", "g1m1"), ("g2", "g2m1"), ("g1", "g1m2"), ("g1", "g1m3")] {
        assert!(!send_to(&queue, group, id));
    }
    assert_eq!(bodies(&receive(&queue, 10)), ["g1m1", "g1m2", "g1m3", "g2m1"]);
    send_to(&queue, "g1", "g1m4");
    assert!(receive(&queue, 10).is_empty());
    assert_eq!(counts(&queue), (1, 4, 0));
}

#[test]
fn a_duplicate_is_answered_with_the_first_even_after_delete_and_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first;
    {
        let engine = on_disk(folder.path(), START);
        let queue = queue(&engine, "q.fifo", fifo_queue());
        let message =
            Outgoing { body: b"a", group: Some("g"), dedup_id: Some("d"), ..Outgoing::default() };
        first = queue.send(&message).unwrap();
        let got = receive(&queue, 1).remove(0);
        queue.delete(&got.receipt).unwrap();
    }
    let engine = on_disk(folder.path(), START + 299_000);
    let queue = find(&engine, "q.fifo");
    let message =
        Outgoing { body: b"b", group: Some("g"), dedup_id: Some("d"), ..Outgoing::default() };
    let again = queue.send(&message).unwrap();
    assert_eq!((again.seq, again.duplicate), (first.seq, true));
    engine.advance(1_000).unwrap();
    assert!(!queue.send(&message).unwrap().duplicate);
}

#[test]
fn an_id_is_remembered_under_the_scope_it_was_sent_under() {
    use DedupScope::{Group, Queue};
    for (scope, changed) in [(Queue, Group), (Group, Queue)] {
        let folder = tempfile::tempdir().unwrap();
        let in_scope = |dedup_scope| QueueConfig { dedup_scope, ..fifo_queue() };
        {
            let engine = on_disk(folder.path(), START);
            let queue = queue(&engine, "q.fifo", in_scope(scope));
            assert!(!send_to(&queue, "g", "before") && !send_to(&queue, "g", "elsewhere"));
            engine.advance(100_000).unwrap();
            queue.configure(in_scope(changed), b"").unwrap();
            assert!(send_to(&queue, "g", "before"), "from {scope:?} to {changed:?}");
            assert!(!send_to(&queue, "g", "after"));
            assert_eq!(send_to(&queue, "other", "elsewhere"), scope == Queue);
            assert_eq!(send_to(&queue, "other", "after"), changed == Queue);
        }
        // What was remembered, and what it was remembered for, is still known.
        let engine = on_disk(folder.path(), START + 299_999);
        let queue = find(&engine, "q.fifo");
        assert!(send_to(&queue, "g", "before"), "from {scope:?} to {changed:?}, restarted");
        engine.advance(1).unwrap();
        assert!(!send_to(&queue, "g", "before"), "the window is over");
        assert!(send_to(&queue, "g", "after"));
    }
}

#[test]
fn content_stands_in_for_an_id_where_the_queue_says_so() {
    let engine = memory();
    let config = QueueConfig { content_based_dedup: true, ..fifo_queue() };
    let queue = queue(&engine, "q.fifo", config);
    let message = Outgoing { body: b"hello", group: Some("g"), ..Outgoing::default() };
    assert!(!queue.send(&message).unwrap().duplicate);
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let explicit = Outgoing { body: b"other", dedup_id: Some(hash), ..message };
    assert!(queue.send(&explicit).unwrap().duplicate);
    let mut id = None;
    let see = |m: trunkline_engine::Delivery<'_>| id = m.dedup_id.map(str::to_owned);
    queue.try_receive(&Receive::default(), see).unwrap();
    assert_eq!(id.as_deref(), Some(hash));
}

#[test]
fn what_a_fifo_queue_needs_and_refuses() {
    let engine = memory();
    let queue = queue(&engine, "q.fifo", fifo_queue());
    let code = |message: Outgoing<'_>| queue.send(&message).unwrap_err().code();
    let whole =
        Outgoing { body: b"a", group: Some("g"), dedup_id: Some("d"), ..Outgoing::default() };
    assert_eq!(code(Outgoing { group: None, ..whole }), Code::MissingParameter);
    assert_eq!(code(Outgoing { dedup_id: None, ..whole }), Code::InvalidParameterValue);
    assert_eq!(code(Outgoing { delay: Some(2_000), ..whole }), Code::InvalidParameterValue);
    queue.send(&Outgoing { delay: Some(0), ..whole }).unwrap();
}

#[test]
fn an_expired_receipt_is_refused() {
    let engine = memory();
    let queue = queue(&engine, "q.fifo", fifo_queue());
    send_to(&queue, "g", "a");
    let got = receive(&queue, 1).remove(0);
    engine.advance(30_000).unwrap();
    let error = queue.delete(&got.receipt).unwrap_err();
    assert_eq!(error.problem(), Some(&Problem::ReceiptExpired), "{error}");
    let again = receive(&queue, 1).remove(0);
    queue.delete(&again.receipt).unwrap();
    queue.delete(&again.receipt).unwrap();
}

#[test]
fn dead_letters_keep_group_and_id_and_go_back_in_order() {
    let engine = memory();
    let dead = queue(&engine, "dead.fifo", fifo_queue());
    let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
    let source = queue(&engine, "q.fifo", QueueConfig { dead_letter, ..fifo_queue() });
    for id in ["a", "b", "c"] {
        send_to(&source, "g", id);
    }
    assert_eq!(receive_for(&source, 2, Some(0)).len(), 2);
    engine.advance(10).unwrap();
    assert_eq!(bodies(&receive(&source, 10)), ["c"]);
    assert_eq!((counts(&source), counts(&dead)), ((0, 1, 0), (2, 0, 0)));
    let letters = receive_for(&dead, 10, Some(1_000));
    assert_eq!(bodies(&letters), ["a", "b"]);
    assert_eq!(letters[0].sent, START, "what is said of its sending stays");
    engine.advance(1_000).unwrap();
    engine.start_redrive(dead.id(), None, None).unwrap();
    engine.advance(100).unwrap();
    assert_eq!((counts(&source), counts(&dead)), ((2, 1, 0), (0, 0, 0)));
    engine.advance(30_000).unwrap();
    assert_eq!(bodies(&receive_for(&source, 10, Some(0))), ["a", "b"]);
}

#[test]
fn leases_groups_and_order_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START);
        let queue = queue(&engine, "q.fifo", fifo_queue());
        for (group, id) in [("g", "1"), ("g", "2"), ("h", "3"), ("h", "4")] {
            send_to(&queue, group, id);
        }
        assert_eq!(bodies(&receive(&queue, 1)), ["1"]);
    }
    let engine = on_disk(folder.path(), START + 1_000);
    let queue = find(&engine, "q.fifo");
    assert_eq!(counts(&queue), (3, 1, 0));
    assert_eq!(bodies(&receive(&queue, 10)), ["3", "4"]);
    engine.advance(29_000).unwrap();
    let got = receive(&queue, 10);
    assert_eq!(bodies(&got), ["1", "2"]);
    assert_eq!((got[0].receipt.delivery, got[1].receipt.delivery), (2, 1));
}

#[test]
fn a_receive_attempt_can_be_repeated() {
    let engine = memory();
    let queue = queue(&engine, "q.fifo", fifo_queue());
    send_to(&queue, "g", "a");
    let request = Receive { max: 10, attempt_id: Some("try-1"), ..Receive::default() };
    let attempt = || {
        let mut receipts = Vec::new();
        queue.try_receive(&request, |message| receipts.push(message.receipt)).unwrap();
        receipts
    };
    let first = attempt();
    assert_eq!(attempt(), first);
    queue.delete(&first[0]).unwrap();
    assert!(attempt().is_empty());
}
