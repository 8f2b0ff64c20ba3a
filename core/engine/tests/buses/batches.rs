//! Events that a request brings together: each for itself, all of them in one step.

use std::sync::Arc;

use trunkline_engine::{
    Admission, Clock, Durability, EventFields, OpenOptions, PUT_EVENT, QueueConfig, fifo_queue,
    standard_queue,
};
use trunkline_journal::sim::SimStorage;

use super::common::{START, bodies, find, memory, on_disk, queue, receive};
use super::*;

fn fields(detail: &str) -> EventFields<'_> {
    EventFields {
        source: "s",
        detail_type: "t",
        account: "000000000000",
        region: "us-east-1",
        time: None,
        resources: &[],
        detail: detail.as_bytes(),
    }
}

fn put_all(engine: &Engine, bus: &Arc<Bus>, details: &[&str]) -> Vec<Result<PutOutcome>> {
    let Ok(Admission::Ready(call)) = engine.host().try_admit(PUT_EVENT, bus.name()) else {
        panic!("the engine takes calls");
    };
    let events: Vec<_> = details.iter().map(|detail| (fields(detail), None)).collect();
    bus.put_fields_admitted(&call, &events)
}

/// Tries a claim in memory and on disk.
fn everywhere(claim: impl Fn(&Engine)) {
    claim(&memory());
    let folder = tempfile::tempdir().unwrap();
    claim(&on_disk(folder.path(), START));
}

const THREE: [&str; 3] = [r#"{"n":0}"#, r#"{"n":1}"#, r#"{"n":2}"#];

#[test]
fn events_come_in_order_with_one_ticket_to_queues_of_both_kinds() {
    everywhere(|engine| {
        let config = QueueConfig { content_based_dedup: true, ..fifo_queue() };
        let (plain, fifo) =
            (queue(engine, "plain", standard_queue()), queue(engine, "end.fifo", config));
        for (name, to, group) in [("plain", &plain, None), ("fifo", &fifo, Some("g".to_owned()))] {
            let bus = bus(engine, name);
            let to = NewTarget { group, ..target(to.id()) };
            engine.put_rule(&bus, rule("r", ANY, vec![to])).unwrap();
            let all: Vec<_> =
                put_all(engine, &bus, &THREE).into_iter().map(Result::unwrap).collect();
            assert!(all.iter().all(|one| one.ticket == all[0].ticket && one.delivered == 1));
            assert!(all[0].id != all[1].id && all[1].id != all[2].id);
            assert_eq!(bus.statistics().unwrap().events, 3);
        }
        for end in [plain, fifo] {
            assert_eq!(details(&bodies(&receive(&end, 10))), THREE);
        }
    });
}

#[test]
fn an_event_of_several_targets_is_delivered_to_each() {
    everywhere(|engine| {
        let bus = bus(engine, "default");
        let ends = ["a", "b"].map(|name| queue(engine, name, standard_queue()));
        put_rule(engine, &bus, "a", ANY, ends[0].id());
        put_rule(engine, &bus, "b", r#"{"detail":{"n":[1]}}"#, ends[1].id());
        let all: Vec<_> = put_all(engine, &bus, &THREE).into_iter().map(Result::unwrap).collect();
        assert_eq!(all.iter().map(|one| one.delivered).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(details(&bodies(&receive(&ends[0], 10))), THREE);
        assert_eq!(details(&bodies(&receive(&ends[1], 10))), [THREE[1]]);
    });
}

#[test]
fn an_event_that_is_refused_or_dead_leaves_the_others_alone() {
    everywhere(|engine| {
        let bus = bus(engine, "default");
        let small = QueueConfig { message_bytes_max: 1_024, ..standard_queue() };
        let (end, dead) = (queue(engine, "end", small), queue(engine, "dead", standard_queue()));
        let to = NewTarget { dead_letter: Some(dead.id()), ..target(end.id()) };
        engine.put_rule(&bus, rule("r", ANY, vec![to])).unwrap();
        let long = format!(r#"{{"a":"{:01000}"}}"#, 0);
        let huge = format!(r#"{{"a":"{}"}}"#, "x".repeat(2_000_000));
        let all = put_all(engine, &bus, &[THREE[0], &huge, &long, THREE[1]]);
        let told: Vec<_> = all.iter().map(|one| one.as_ref().map_or(9, |one| one.failed)).collect();
        assert_eq!(told, [0, 9, 1, 0]);
        assert_eq!(details(&bodies(&receive(&end, 10))), &THREE[..2]);
        assert_eq!(details(&bodies(&receive(&dead, 10))), [long]);
        engine.remove_bus(&bus).unwrap();
        assert!(put_all(engine, &bus, &THREE).iter().all(Result::is_err));
    });
}

#[test]
fn a_crash_leaves_all_events_of_a_request_in_queue_and_archive_or_none() {
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
    let (orders, end) = (bus(&engine, "orders"), queue(&engine, "end", standard_queue()));
    put_rule(&engine, &orders, "r", ANY, end.id());
    orders.get_or_create_archive("kept", None, None, b"").unwrap();
    engine.flush().unwrap();
    let begun = storage.steps();
    let long = format!(r#"{{"a":"{:02000}"}}"#, 0);
    let ticket = put_all(&engine, &orders, &[&*long; 10])[9].as_ref().unwrap().ticket.unwrap();
    engine.wait(ticket, Durability::Disk).unwrap();
    let mut seen = Vec::new();
    for step in begun..=storage.steps() {
        for image in [storage.killed(step), storage.power_loss(step, step as u64)] {
            let engine = open(&SimStorage::from_image(image));
            let queued = find(&engine, "end").statistics().unwrap().visible;
            let orders = bus(&engine, "orders");
            let kept = orders.archives()[0].events();
            assert!([(0, 0), (10, 10)].contains(&(queued, kept)), "step {step}: {queued}, {kept}");
            seen.push(queued);
        }
    }
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&10)));
}
