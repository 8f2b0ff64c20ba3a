//! Targets within the engine: queues of both kinds, other buses, loops, and dead letters.

use trunkline_engine::{
    Code, NewTarget, Queue, QueueConfig, Routed, attributes, fifo_queue, standard_queue,
};
use trunkline_host::Move;

use super::common::{bodies, memory, queue, receive};
use super::*;

fn texts(queue: &Queue) -> Vec<(String, String)> {
    let mut block = Vec::new();
    queue.peek(1, false, |message| block = message.attributes.to_vec()).unwrap();
    let all = attributes::decode(&block).unwrap();
    let text = |one: attributes::Attribute| (one.name, String::from_utf8(one.value).unwrap());
    all.into_iter().map(text).collect()
}

#[test]
fn a_fifo_queue_gets_events_in_the_group_of_its_target() {
    let engine = memory();
    let config = QueueConfig { content_based_dedup: true, ..fifo_queue() };
    let (end, bus) = (queue(&engine, "end.fifo", config), bus(&engine, "default"));
    let grouped = NewTarget { group: Some("g".to_owned()), ..target(end.id()) };
    engine.put_rule(&bus, rule("r", ANY, vec![grouped])).unwrap();
    (0..3).for_each(|number| drop(put(&bus, "s", &format!("{{\"n\":{number}}}"))));
    let got = receive(&end, 10);
    assert_eq!(details(&bodies(&got)), [r#"{"n":0}"#, r#"{"n":1}"#, r#"{"n":2}"#]);
    let error = engine.put_rule(&bus, rule("x", ANY, vec![target(end.id())])).unwrap_err();
    assert!(error.message().contains("needs a group"), "{error}");
}

#[test]
fn an_event_goes_from_bus_to_bus_and_stays_what_it_is() {
    let engine = memory();
    let end = queue(&engine, "end", standard_queue());
    let (first, second) = (bus(&engine, "first"), bus(&engine, "second"));
    put_rule(&engine, &first, "on", r#"{"source":["a"]}"#, second.id());
    put_rule(&engine, &second, "end", r#"{"detail":{"n":[1]}}"#, end.id());
    let outcome = put(&first, "a", r#"{"n":1}"#);
    assert_eq!((outcome.matched, outcome.delivered), (2, 1));
    assert!(bodies(&receive(&end, 1))[0].contains(&outcome.id));
    assert_eq!(put(&first, "b", r#"{"n":1}"#).delivered, 0);
    let refused = NewTarget { input: Input::Constant("1".to_owned()), ..target(second.id()) };
    let error = engine.put_rule(&first, rule("x", ANY, vec![refused])).unwrap_err();
    assert!(error.message().contains("takes whole events"), "{error}");
}

#[test]
fn a_loop_of_buses_is_refused_before_anything_is_delivered() {
    let engine = memory();
    let end = queue(&engine, "end", standard_queue());
    let (first, second) = (bus(&engine, "first"), bus(&engine, "second"));
    put_rule(&engine, &first, "end", ANY, end.id());
    put_rule(&engine, &first, "on", ANY, second.id());
    put_rule(&engine, &second, "back", r#"{"source":["a"]}"#, first.id());
    let error = try_put(&first, &event("a", "{}")).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedOperation);
    assert!(error.message().contains("event bus first: its rules form a loop"), "{error}");
    assert_eq!(receive(&end, 10).len(), 0);
    // An event that the way back does not match goes through.
    assert_eq!(put(&first, "b", "{}").delivered, 1);
}

#[test]
fn a_long_chain_of_buses_is_refused_too() {
    let engine = memory();
    let end = queue(&engine, "end", standard_queue());
    let buses: Vec<_> = (0..17).map(|number| bus(&engine, &format!("bus-{number}"))).collect();
    for pair in buses.windows(2) {
        put_rule(&engine, &pair[0], "on", ANY, pair[1].id());
    }
    put_rule(&engine, &buses[16], "end", ANY, end.id());
    assert_eq!(put(&buses[1], "a", "{}").delivered, 1);
    let error = try_put(&buses[0], &event("a", "{}")).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedOperation);
}

#[test]
fn what_a_target_does_not_take_is_a_dead_letter_that_says_why() {
    let engine = memory();
    let (end, dead) =
        (queue(&engine, "end", standard_queue()), queue(&engine, "dead", standard_queue()));
    let bus = bus(&engine, "orders");
    let arn = Some("arn:aws:sqs:us-east-1:000000000000:end".to_owned());
    let kept = NewTarget { arn, dead_letter: Some(dead.id()), ..target(end.id()) };
    let lost = NewTarget { id: "lost".to_owned(), ..target(end.id()) };
    engine.put_rule(&bus, rule("r", ANY, vec![kept, lost])).unwrap();
    end.remove().unwrap();
    let outcome = put(&bus, "s", r#"{"n":1}"#);
    assert_eq!((outcome.delivered, outcome.failed), (0, 2));
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let error = "The resource that the delivery is for does not exist. Create it, or name another \
                 target.";
    assert_eq!(
        texts(&dead),
        [
            text("RULE_ARN", "arn:aws:events:us-east-1:000000000000:rule/orders/r"),
            text("TARGET_ARN", "arn:aws:sqs:us-east-1:000000000000:end"),
            text("ERROR_CODE", "NO_RESOURCE"),
            text("ERROR_MESSAGE", error),
        ]
    );
    assert_eq!(details(&bodies(&receive(&dead, 1))), [r#"{"n":1}"#]);
    let rule = bus.rule("r").unwrap();
    assert_eq!((rule.dead_lettered, rule.failed), (1, 1));
}

#[test]
fn an_event_that_is_too_large_for_its_queue_fails_for_that_target_alone() {
    let engine = memory();
    let small = QueueConfig { message_bytes_max: 1_024, ..standard_queue() };
    let (small, large) =
        (queue(&engine, "small", small), queue(&engine, "large", standard_queue()));
    let bus = bus(&engine, "default");
    put_rule(&engine, &bus, "small", ANY, small.id());
    put_rule(&engine, &bus, "large", ANY, large.id());
    let outcome = put(&bus, "s", &format!("{{\"a\":\"{:01000}\"}}", 0));
    assert_eq!((outcome.delivered, outcome.failed), (1, 1));
    assert_eq!(receive(&large, 1).len(), 1);
}

#[test]
fn other_resources_deliver_events_to_a_bus_and_move_nothing_there() {
    let engine = memory();
    let (end, bus) = (queue(&engine, "end", standard_queue()), bus(&engine, "default"));
    put_rule(&engine, &bus, "r", ANY, end.id());
    let event = event("s", r#"{"n":1}"#);
    let routed = Routed { body: event.as_bytes(), ..Routed::default() };
    engine.host().deliver(bus.id(), &routed).unwrap();
    assert_eq!(details(&bodies(&receive(&end, 1))), [r#"{"n":1}"#]);
    let moved = Some(Move::anew((end.id(), 1), 0));
    let error = engine.host().deliver(bus.id(), &Routed { moved, ..routed }).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedOperation);
}
