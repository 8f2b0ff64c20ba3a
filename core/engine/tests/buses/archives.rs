//! Archives and replays: what is kept, in which order it comes again, for which rules, and what
//! restarts, crashes and copies leave of it.

use std::sync::Arc;

use trunkline_engine::{
    Archive, Clock, Code, Millis, Queue, ReplayRequest, ReplayState, ReplayStatus, standard_queue,
};

use super::common::{START, bodies, find, memory, on_disk, queue, receive};
use super::*;

const DAY: Millis = 86_400_000;

fn archive(bus: &Bus, name: &str, pattern: Option<&str>) -> Arc<Archive> {
    bus.get_or_create_archive(name, pattern, None, b"").unwrap().0
}

fn all(name: &str) -> ReplayRequest {
    ReplayRequest { name: Some(name.to_owned()), start: 0, end: START + 100 * DAY, rules: None }
}

fn replay(engine: &Engine, archive: &Archive, request: ReplayRequest) -> ReplayStatus {
    let (status, _) = engine.start_replay(archive, request).unwrap();
    engine.advance(60_000).unwrap();
    engine.replay(status.id).unwrap()
}

fn take(queue: &Queue) -> Vec<String> {
    let mut taken = Vec::new();
    loop {
        let got = receive(queue, 10);
        if got.is_empty() {
            return taken;
        }
        for message in &got {
            queue.delete(&message.receipt).unwrap();
        }
        taken.extend(bodies(&got).into_iter().map(str::to_owned));
    }
}

fn numbers(events: &[String]) -> Vec<i64> {
    let number = |event: &String| {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        event["detail"]["n"].as_i64().unwrap()
    };
    events.iter().map(number).collect()
}

fn put_numbers(bus: &Arc<Bus>, range: std::ops::Range<i64>) {
    range.for_each(|number| drop(put(bus, "s", &format!("{{\"n\":{number}}}"))));
}

#[test]
fn an_archive_keeps_what_its_pattern_matches_and_a_replay_puts_it_again_in_order() {
    let engine = memory();
    let (bus, end) = (bus(&engine, "default"), queue(&engine, "end", standard_queue()));
    let kept = archive(&bus, "kept", Some(r#"{"detail":{"n":[{"numeric":[">=",100]}]}}"#));
    put_numbers(&bus, 0..700);
    put_rule(&engine, &bus, "r", ANY, end.id());
    assert_eq!(kept.events(), 600);
    let status = replay(&engine, &kept, all("again"));
    assert_eq!((status.state, status.replayed), (ReplayState::Completed, 600));
    let events = take(&end);
    assert_eq!(numbers(&events), (100..700).collect::<Vec<_>>());
    assert!(events[0].contains(r#""region":"us-east-1","replay-name":"again","resources""#));
    assert_eq!(kept.events(), 600, "what is replayed is not archived again");
}

#[test]
fn a_replay_is_of_a_span_of_time_and_for_some_rules() {
    let engine = memory();
    let (bus, first) = (bus(&engine, "default"), queue(&engine, "first", standard_queue()));
    let second = queue(&engine, "second", standard_queue());
    let kept = archive(&bus, "kept", None);
    for day in 0..5 {
        put_numbers(&bus, day..day + 1);
        engine.advance(DAY).unwrap();
    }
    put_rule(&engine, &bus, "first", ANY, first.id());
    put_rule(&engine, &bus, "second", ANY, second.id());
    let rules = Some(vec![bus.rule("second").unwrap().id]);
    let request = ReplayRequest { start: START + DAY, end: START + 3 * DAY, rules, ..all("some") };
    assert_eq!(replay(&engine, &kept, request).replayed, 2);
    assert_eq!(numbers(&take(&second)), [1, 2]);
    assert!(take(&first).is_empty());
}

#[test]
fn events_expire_by_the_retention_of_their_archive() {
    let engine = memory();
    let bus = bus(&engine, "default");
    let (kept, _) = bus.get_or_create_archive("kept", None, Some(DAY), b"").unwrap();
    put_numbers(&bus, 0..10);
    engine.advance(DAY / 2).unwrap();
    put_numbers(&bus, 10..20);
    assert_eq!(kept.events(), 20);
    engine.advance(DAY * 3 / 4).unwrap();
    assert_eq!(kept.events(), 10);
    engine.advance(DAY).unwrap();
    assert_eq!(kept.events(), 0);
}

#[test]
fn bad_archives_and_replays_are_refused() {
    let engine = memory();
    let bus = bus(&engine, "default");
    let kept = archive(&bus, "kept", None);
    let (again, is_new) = bus.get_or_create_archive("kept", None, None, b"").unwrap();
    assert!(!is_new && again.id() == kept.id());
    let refuse = |name: &str, pattern, retention, part: &str| {
        let error = bus.get_or_create_archive(name, pattern, retention, b"").err().unwrap();
        assert!(error.message().contains(part), "{error}");
    };
    refuse("a b", None, None, "1 to 48");
    refuse("bad", Some("{}"), None, "Empty objects");
    refuse("bad", None, Some(0), "retention is 0");
    let start = |request| engine.start_replay(&kept, request).err().unwrap();
    let error = start(ReplayRequest { start: 5, end: 5, ..all("r") });
    assert!(error.message().contains("before its end"), "{error}");
    replay(&engine, &kept, all("r"));
    assert!(start(all("r")).message().contains("Replay r already exists"));
    assert!(start(all("a b")).message().contains("1 to 64"));
    for number in 0..10 {
        engine.start_replay(&kept, all(&format!("r-{number}"))).unwrap();
    }
    assert_eq!(start(all("r-10")).code(), Code::OverLimit);
    let error = bus.archive("none").err().unwrap();
    assert_eq!(error.message(), "Archive none does not exist.");
}

#[test]
fn a_replay_is_cancelled_and_goes_with_its_archive() {
    let engine = memory();
    let (bus, end) = (bus(&engine, "default"), queue(&engine, "end", standard_queue()));
    let kept = archive(&bus, "kept", None);
    put_numbers(&bus, 0..1_000);
    put_rule(&engine, &bus, "r", ANY, end.id());
    let (status, _) = engine.start_replay(&kept, all("r")).unwrap();
    engine.advance(1).unwrap();
    engine.cancel_replay(status.id).unwrap();
    engine.advance(1_000).unwrap();
    let status = engine.replay(status.id).unwrap();
    assert_eq!(status.state, ReplayState::Cancelled);
    assert!(status.replayed < 1_000 && status.ended.is_some());
    assert_eq!(engine.replays(kept.id()).unwrap().len(), 1);
    engine.remove_archive(&bus, "kept").unwrap();
    engine.remove_archive(&bus, "kept").unwrap();
    assert!(engine.replay(status.id).is_err() && bus.archives().is_empty());
    put_numbers(&bus, 0..1);
}

#[test]
fn a_replay_goes_on_behind_a_restart_and_archives_are_in_copies() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let path = folder.path().join("engine");
    let id = {
        let engine = on_disk(&path, START);
        let (bus, end) = (bus(&engine, "default"), queue(&engine, "end", standard_queue()));
        let kept = archive(&bus, "kept", Some(ANY));
        archive(&bus, "gone", None);
        put_numbers(&bus, 0..2_000);
        engine.remove_archive(&bus, "gone").unwrap();
        put_rule(&engine, &bus, "r", ANY, end.id());
        let (status, _) = engine.start_replay(&kept, all("r")).unwrap();
        engine.advance(1).unwrap();
        let done = engine.replay(status.id).unwrap().replayed;
        assert!((1..2_000).contains(&done), "{done}");
        engine.compact_oldest().unwrap();
        engine.snapshot(&copy).unwrap();
        let fork = engine.fork(Arc::new(Clock::virtual_at(START + 1))).unwrap();
        fork.advance(60_000).unwrap();
        assert_eq!(fork.replay(status.id).unwrap().replayed, 2_000);
        assert_eq!(fork.find_bus(&bus_name("default")).unwrap().unwrap().archives().len(), 1);
        engine.close().unwrap();
        status.id
    };
    for path in [path, copy] {
        let engine = on_disk(&path, START + 1);
        engine.advance(60_000).unwrap();
        let status = engine.replay(id).unwrap();
        assert_eq!((status.state, status.replayed), (ReplayState::Completed, 2_000));
        assert_eq!(numbers(&take(&find(&engine, "end"))), (0..2_000).collect::<Vec<_>>());
        let bus = bus(&engine, "default");
        assert_eq!(bus.archives().len(), 1);
        let kept = bus.archive("kept").unwrap();
        assert_eq!((kept.events(), kept.pattern()), (2_000, Some(ANY)));
        put_numbers(&bus, 0..1);
        assert_eq!(kept.events(), 2_001);
    }
}

#[test]
fn a_bus_goes_with_its_archives_and_their_events() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START);
        let bus = bus(&engine, "default");
        let kept = archive(&bus, "kept", None);
        put_numbers(&bus, 0..10);
        replay(&engine, &kept, all("r"));
        engine.remove_bus(&bus).unwrap();
        engine.close().unwrap();
    }
    let engine = on_disk(folder.path(), START);
    assert!(bus(&engine, "default").archives().is_empty());
    let logs = engine.host().component::<trunkline_host::Logs>().unwrap();
    assert!(trunkline_host::Component::report(&*logs, START).is_empty());
}
