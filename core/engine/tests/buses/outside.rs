//! Targets outside of the engine: HTTP endpoints and handlers, each with a destination of its own.

use trunkline_engine::delivery::Ended;
use trunkline_engine::{AttemptRef, NewTarget, TargetResource, Transport, standard_queue};

use super::common::{START, bodies, memory, on_disk, queue, receive};
use super::endpoint::Endpoint;
use super::*;

fn http(url: &str) -> NewTarget {
    let transport = Transport::Http {
        url: url.to_owned(),
        method: "POST".to_owned(),
        headers: Vec::new(),
        timeout: 5_000,
    };
    NewTarget { resource: TargetResource::Outside(transport), ..target(ResourceId(0)) }
}

fn handler() -> NewTarget {
    let transport = Transport::Handler { lease: 30_000 };
    NewTarget { resource: TargetResource::Outside(transport), ..target(ResourceId(0)) }
}

fn destinations(engine: &Engine) -> Vec<ResourceId> {
    engine.destinations().unwrap().into_iter().map(|(_, id)| id).collect()
}

#[test]
fn an_endpoint_gets_what_the_input_makes_of_the_event_at_each_attempt() {
    let (engine, hook) = (
        memory(),
        Endpoint::start(|_, number| {
            Some(endpoint::status_line(if number == 1 { 500 } else { 200 }))
        }),
    );
    let bus = bus(&engine, "default");
    let with = |path: &str| NewTarget { input: Input::Path(path.to_owned()), ..http(&hook.url) };
    engine.put_rule(&bus, rule("r", ANY, vec![with("$.detail.a")])).unwrap();
    put(&bus, "s", r#"{"a":1,"b":2}"#);
    engine.advance(0).unwrap();
    assert_eq!(hook.seen(), ["1"]);
    // What waits is rendered by the input of today.
    engine.put_rule(&bus, rule("r", ANY, vec![with("$.detail.b")])).unwrap();
    engine.advance(60_000).unwrap();
    assert_eq!(hook.seen(), ["1", "2"]);
    assert_eq!(destinations(&engine).len(), 1);
}

#[test]
fn an_event_that_an_endpoint_refuses_is_a_whole_dead_letter() {
    let (engine, hook) = (memory(), Endpoint::answering(400));
    let (bus, dead) = (bus(&engine, "default"), queue(&engine, "dead", standard_queue()));
    let to = NewTarget {
        input: Input::Constant("1".to_owned()),
        dead_letter: Some(dead.id()),
        ..http(&hook.url)
    };
    engine.put_rule(&bus, rule("r", ANY, vec![to])).unwrap();
    put(&bus, "s", r#"{"a":1}"#);
    engine.advance(0).unwrap();
    let mut names = Vec::new();
    dead.peek(1, false, |message| {
        let all = trunkline_engine::attributes::decode(message.attributes).unwrap();
        names = all.into_iter().map(|one| one.name).collect();
    })
    .unwrap();
    names.sort();
    let expected =
        ["ERROR_MESSAGE", "EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS", "RULE_ARN", "TARGET_ARN"];
    assert_eq!(names, expected);
    assert_eq!(details(&bodies(&receive(&dead, 1))), [r#"{"a":1}"#]);
}

#[test]
fn an_event_is_tried_again_as_often_and_as_long_as_its_target_says() {
    let (engine, hook) = (memory(), Endpoint::answering(503));
    let bus = bus(&engine, "default");
    let twice = NewTarget { id: "twice".to_owned(), retries_max: 2, ..http(&hook.url) };
    let minute = NewTarget { id: "minute".to_owned(), age_max: 60_000, ..http(&hook.url) };
    engine.put_rule(&bus, rule("r", ANY, vec![twice])).unwrap();
    put(&bus, "s", "{}");
    engine.advance(3_600_000).unwrap();
    assert_eq!(hook.seen().len(), 3);
    engine.put_rule(&bus, rule("r", ANY, vec![minute])).unwrap();
    put(&bus, "s", "{}");
    engine.advance(60_000).unwrap();
    let tried = hook.seen().len() - 3;
    assert!((5..=10).contains(&tried), "{tried}: 1, 2, 4, 8 ... seconds, up to half less");
    engine.advance(3_600_000).unwrap();
    assert_eq!(hook.seen().len() - 3, tried);
}

#[test]
fn a_handler_finds_what_waited_for_it_behind_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START);
        engine.put_rule(&bus(&engine, "default"), rule("r", ANY, vec![handler()])).unwrap();
        put(&bus(&engine, "default"), "s", r#"{"n":1}"#);
        engine.close().unwrap();
    }
    let engine = on_disk(folder.path(), START);
    let bus = bus(&engine, "default");
    // The same rule again keeps what waits.
    engine.put_rule(&bus, rule("r", ANY, vec![handler()])).unwrap();
    put(&bus, "s", r#"{"n":2}"#);
    let destination = bus.rule("r").unwrap().targets[0].resource;
    let handler = engine.outbox().enter_handler(destination).unwrap();
    let leased = handler.lease(10).unwrap();
    let got: Vec<_> =
        leased.iter().map(|one| String::from_utf8(one.body.clone()).unwrap()).collect();
    let got: Vec<_> = got.iter().map(String::as_str).collect();
    assert_eq!(details(&got), [r#"{"n":1}"#, r#"{"n":2}"#]);
    for one in &leased {
        handler.settle(&AttemptRef::from(one), &Ended::Delivered).unwrap();
    }
    assert_eq!(engine.outbox().statistics(destination).unwrap().leased, 0);
}

#[test]
fn a_destination_goes_with_its_target_its_rule_or_its_bus() {
    let engine = memory();
    let (bus, end) = (bus(&engine, "default"), queue(&engine, "end", standard_queue()));
    engine.put_rule(&bus, rule("r", ANY, vec![handler()])).unwrap();
    let first = destinations(&engine);
    engine.put_rule(&bus, rule("r", ANY, vec![http("http://localhost:9/")])).unwrap();
    assert!(destinations(&engine).len() == 1 && destinations(&engine) != first);
    engine.put_rule(&bus, rule("r", ANY, vec![target(end.id())])).unwrap();
    assert_eq!(destinations(&engine), []);
    engine.put_targets(&bus, "r", &[handler()]).unwrap();
    let kept = destinations(&engine);
    let other = NewTarget { id: "other".to_owned(), ..handler() };
    engine.put_targets(&bus, "r", &[handler(), other]).unwrap();
    assert!(destinations(&engine).len() == 2 && destinations(&engine).contains(&kept[0]));
    engine.remove_targets(&bus, "r", &["other"]).unwrap();
    assert_eq!(destinations(&engine), kept);
    engine.remove_rule(&bus, "r").unwrap();
    assert_eq!(destinations(&engine), []);
    engine.put_rule(&bus, rule("r", ANY, vec![handler()])).unwrap();
    engine.remove_bus(&bus).unwrap();
    assert_eq!(destinations(&engine), []);
}

#[test]
fn a_rule_that_is_refused_leaves_no_destination_and_an_opening_removes_lost_ones() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = on_disk(folder.path(), START);
        let bus = bus(&engine, "default");
        engine.put_rule(&bus, rule("r", "{}", vec![handler()])).unwrap_err();
        assert_eq!(destinations(&engine), []);
        engine.put_rule(&bus, rule("r", ANY, vec![handler()])).unwrap();
        // As a crash before the record of its rule would leave it.
        let config = engine.outbox().config(destinations(&engine)[0]).unwrap();
        engine.create_destination("rule-target/999", &config).unwrap();
        engine.create_destination("mine", &config).unwrap();
        engine.close().unwrap();
    }
    let engine = on_disk(folder.path(), START);
    let names: Vec<_> = engine.destinations().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"mine".to_owned()) && !names.contains(&"rule-target/999".to_owned()));
}
