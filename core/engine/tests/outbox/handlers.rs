//! Handlers of the embedder: leases, lost attempts, a virtual clock that waits.

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::delivery::{Ended, GiveUp};
use trunkline_engine::{Clock, Code, Durability, OpenOptions, Ticket};
use trunkline_journal::sim::SimStorage;

use super::common::{START, memory, on_disk};
use super::*;

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
fn a_handler_that_leaves_takes_only_its_own_deliveries_with_it() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    let (first, second) =
        (engine.outbox().enter_handler(id).unwrap(), engine.outbox().enter_handler(id).unwrap());
    deliver(&engine, id, "a");
    assert_eq!(first.lease(1).unwrap().len(), 1);
    drop(first);
    // The second has nothing to do, so the clock moves on.
    engine.advance(10_000).unwrap();
    deliver(&engine, id, "b");
    let leased = second.lease(1).unwrap();
    assert_eq!(leased.len(), 1);
    drop(engine.outbox().enter_handler(id).unwrap());
    let waits = {
        let engine = engine.clone();
        std::thread::spawn(move || engine.advance(0).map(|()| engine.clock().now()))
    };
    // The clock waits for the second, which has not answered.
    std::thread::sleep(Duration::from_millis(100));
    assert!(!waits.is_finished());
    second.settle(&end(&leased[0]), &Ended::Delivered).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(START + 10_000));
}

#[test]
fn an_attempt_that_is_settled_twice_counts_once() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    let (first, second) =
        (engine.outbox().enter_handler(id).unwrap(), engine.outbox().enter_handler(id).unwrap());
    deliver(&engine, id, "a");
    deliver(&engine, id, "b");
    let (one, two) = (first.lease(1).unwrap(), second.lease(1).unwrap());
    for _ in 0..2 {
        first.settle(&end(&one[0]), &Ended::Delivered).unwrap();
    }
    let waits = {
        let engine = engine.clone();
        std::thread::spawn(move || engine.advance(0))
    };
    // The second handler has not answered.
    std::thread::sleep(Duration::from_millis(100));
    assert!(!waits.is_finished());
    second.settle(&end(&two[0]), &Ended::Delivered).unwrap();
    waits.join().unwrap().unwrap();
}

#[test]
fn what_handlers_had_when_the_engine_closed_is_due_when_it_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let id = engine.create_destination("handler", &handled()).unwrap();
    deliver(&engine, id, "waits for its retry");
    deliver(&engine, id, "in a handler");
    let handler = engine.outbox().enter_handler(id).unwrap();
    let leased = handler.lease(2).unwrap();
    handler.settle(&end(&leased[0]), &failed()).unwrap();
    engine.close().unwrap();
    // The handler learns of it, and cannot say how the second attempt ended.
    assert_eq!(handler.lease(1).unwrap_err().code(), Code::EngineClosed);
    let late = handler.settle(&end(&leased[1]), &Ended::Delivered).unwrap_err();
    assert_eq!(late.code(), Code::EngineClosed);
    drop((handler, engine));

    let engine = on_disk(folder.path(), START + 1);
    let handler = engine.outbox().enter_handler(id).unwrap();
    let again = handler.lease(10).unwrap();
    let found: Vec<_> = again.iter().map(|one| (&one.body[..], one.attempt)).collect();
    assert_eq!(found, [(&b"in a handler"[..], 2)]);
}

#[test]
fn a_delivery_that_is_leased_while_the_engine_closes_is_not_kept_from_the_next_opening() {
    const DELIVERIES: usize = 100;
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let engine = on_disk(folder.path(), START);
        let id = engine.create_destination("handler", &handled()).unwrap();
        (0..DELIVERIES).for_each(|_| deliver(&engine, id, "a"));
        let handler = engine.outbox().enter_handler(id).unwrap();
        let (tell, leases) = std::sync::mpsc::channel();
        let worker = std::thread::spawn(move || {
            while handler.lease(1).is_ok_and(|leased| !leased.is_empty()) {
                tell.send(()).unwrap();
            }
            handler
        });
        // It leases on while the engine closes.
        leases.recv().unwrap();
        engine.close().unwrap();
        drop((worker.join().unwrap(), engine));
        let engine = on_disk(folder.path(), START + 1);
        let handler = engine.outbox().enter_handler(id).unwrap();
        assert_eq!(handler.lease(DELIVERIES).unwrap().len(), DELIVERIES);
    }
}

/// An engine on a disk that is simulated.
fn on_simulated_disk(background: bool) -> Arc<Engine> {
    let options = OpenOptions {
        storage: Some(Arc::new(SimStorage::new())),
        clock: Arc::new(Clock::virtual_at(START)),
        durability: Durability::Disk,
        seed: Some(1),
        background,
        ..OpenOptions::memory()
    };
    Engine::open(options).unwrap()
}

#[test]
fn a_delivery_waits_for_its_own_record_and_for_none_behind_it() {
    let engine = on_simulated_disk(false);
    let id = engine.create_destination("handler", &handled()).unwrap();
    let handler = engine.outbox().enter_handler(id).unwrap();
    deliver(&engine, id, "a");
    engine.flush().unwrap();
    deliver(&engine, id, "b");
    let leased = handler.lease(1).unwrap();
    assert_eq!(handler.behind_what(&leased).unwrap(), None, "a is on the disk, b is not");
    let leased = handler.lease(1).unwrap();
    let ticket = handler.behind_what(&leased).unwrap().unwrap();
    deliver(&engine, id, "c");
    engine.wait(ticket, Durability::Disk).unwrap();
    assert_eq!(handler.behind_what(&leased).unwrap(), None);
}

#[test]
fn few_attempts_are_settled_that_a_crash_would_repeat() {
    const MANY: usize = 2_000;
    const REPEATED_MAX: usize = 32;
    let engine = on_simulated_disk(true);
    let host = engine.host();
    let id = engine.create_destination("handler", &handled()).unwrap();
    let handler = engine.outbox().enter_handler(id).unwrap();
    (0..MANY).for_each(|number| deliver(&engine, id, &number.to_string()));
    engine.flush().unwrap();
    let mut settled: Vec<Ticket> = Vec::new();
    for _ in 0..MANY {
        let leased = handler.lease(1).unwrap();
        if let Some(ticket) = handler.behind_what(&leased).unwrap() {
            engine.wait(ticket, Durability::Disk).unwrap();
        }
        settled.retain(|ticket| !host.is_settled(*ticket, Durability::Disk).unwrap());
        assert!(settled.len() <= REPEATED_MAX, "{}", settled.len());
        handler.settle_behind(&end(&leased[0]), &Ended::Delivered).unwrap();
        settled.extend(host.appended());
    }
}
