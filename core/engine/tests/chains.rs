//! Resources that hand messages on: streams, topics and buses as targets of rules, schedules and
//! subscriptions; loops; and what becomes of a message whose target is gone.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{START, bodies, find, memory, on_disk, queue, receive};
use trunkline_engine::{
    Bus, Clock, Code, Engine, Limits, NewRule, NewSubscription, NewTarget, Notification,
    OpenOptions, PutEvent, PutOutcome, QueueConfig, ReadRequest, ResourceId, ResourceKind,
    ResourceName, ScheduleConfig, Stream, StreamConfig, TargetResource, Topic, bus_name,
    fifo_queue, standard_queue, stream_name, topic_name,
};

const HOUR: u64 = 3_600_000;
const ANY: &str = r#"{"source":[{"exists":true}]}"#;

/// Tries a claim in memory and on disk.
fn everywhere(claim: impl Fn(&Arc<Engine>)) {
    claim(&memory());
    let folder = tempfile::tempdir().unwrap();
    claim(&on_disk(folder.path(), START));
}

fn bus(engine: &Engine, name: &str) -> Arc<Bus> {
    engine.bus(bus_name(name), b"").unwrap().0
}

fn topic(engine: &Engine, name: &str) -> Arc<Topic> {
    engine.topic(topic_name(name), None, b"").unwrap().0
}

fn stream(engine: &Engine, shards: u32) -> Arc<Stream> {
    let config = StreamConfig { shards, retention: 24 * HOUR };
    engine.create_stream(stream_name("s"), &config, b"").unwrap()
}

fn to(resource: ResourceId) -> NewTarget {
    NewTarget::new("main", TargetResource::Resource(resource))
}

fn put_rule(engine: &Engine, bus: &Arc<Bus>, target: NewTarget) -> trunkline_engine::Result<()> {
    let targets = Some(vec![target]);
    let rule = NewRule { name: "r", pattern: ANY, is_enabled: true, targets, document: b"" };
    engine.put_rule(bus, rule).map(drop)
}

fn put(bus: &Arc<Bus>, detail: &str) -> PutOutcome {
    let text = format!(r#"{{"source":"s","detail-type":"t","detail":{detail}}}"#);
    bus.put(PutEvent::new(text.as_bytes())).unwrap()
}

fn subscription(target: ResourceId, is_raw: bool) -> NewSubscription<'static> {
    NewSubscription {
        target: TargetResource::Resource(target),
        is_pending: false,
        protocol: trunkline_engine::Protocol::Default,
        is_raw,
        filter: None,
        filters_body: false,
        dead_letter: None,
        retry: None,
        endpoint: "",
        name: None,
    }
}

/// Key and data of all records of a stream.
fn records(stream: &Stream) -> Vec<(String, String)> {
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    let mut found = Vec::new();
    for shard in stream.shards().all().map(|shard| shard.id).collect::<Vec<_>>() {
        let request = ReadRequest { shard, offset: 0, max: usize::MAX, max_bytes: usize::MAX };
        stream.read(&request, |one| found.push((one.key.to_owned(), text(one.data)))).unwrap();
    }
    found
}

#[test]
fn a_stream_gets_events_under_their_ids_or_under_a_field_of_theirs() {
    everywhere(|engine| {
        let (bus, stream) = (bus(engine, "default"), stream(engine, 2));
        put_rule(engine, &bus, to(stream.id())).unwrap();
        let first = put(&bus, "{}");
        assert_eq!((first.delivered, records(&stream)[0].0.as_str()), (1, &*first.id));
        let key_path = Some("$.detail.user".to_owned());
        let input = trunkline_engine::Input::Path("$.detail.n".to_owned());
        put_rule(engine, &bus, NewTarget { key_path, input, ..to(stream.id()) }).unwrap();
        for detail in [r#"{"user":"a\u0062","n":1}"#, r#"{"user":7,"n":2}"#] {
            assert_eq!(put(&bus, detail).delivered, 1);
        }
        let mut found = records(&stream);
        found.retain(|(key, _)| *key != first.id);
        found.sort();
        let pair = |key: &str, data: &str| (key.to_owned(), data.to_owned());
        assert_eq!(found, [pair("7", "2"), pair("ab", "1")]);
    });
}

#[test]
fn an_event_without_its_partition_key_is_a_dead_letter_and_so_is_that_of_a_stream_that_is_gone() {
    let engine = memory();
    let (bus, stream) = (bus(&engine, "default"), stream(&engine, 1));
    let dead = queue(&engine, "dead", standard_queue());
    let key_path = Some("$.detail.user".to_owned());
    let target = NewTarget { key_path, dead_letter: Some(dead.id()), ..to(stream.id()) };
    put_rule(&engine, &bus, target).unwrap();
    for detail in ["{}", r#"{"user":null}"#, r#"{"user":["a"]}"#, r#"{"user":""}"#] {
        assert_eq!(put(&bus, detail).failed, 1, "{detail}");
    }
    assert_eq!((records(&stream).len(), receive(&dead, 10).len()), (0, 4));
    stream.remove().unwrap();
    assert_eq!(put(&bus, r#"{"user":"a"}"#).failed, 1);
    assert_eq!(receive(&dead, 10).len(), 1);
}

#[test]
fn targets_of_rules_that_lack_what_they_need_are_refused() {
    let engine = memory();
    let (bus, stream) = (bus(&engine, "default"), stream(&engine, 1));
    let (fifo, end) = (topic(&engine, "t.fifo"), queue(&engine, "end", standard_queue()));
    let path = |text: &str| Some(text.to_owned());
    for (target, part) in [
        (NewTarget { group: path("g"), ..to(stream.id()) }, "takes no group"),
        (NewTarget { key_path: path("user"), ..to(stream.id()) }, "partition_key_path"),
        (NewTarget { key_path: path("$.id"), ..to(end.id()) }, "is no stream"),
        (to(fifo.id()), "FIFO topic: it needs a group"),
        (NewTarget { group: path("g"), ..to(fifo.id()) }, "content-based"),
    ] {
        let error = put_rule(&engine, &bus, target).unwrap_err();
        assert_eq!(error.code(), Code::InvalidParameterValue);
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_topic_publishes_the_events_of_a_rule_and_the_messages_of_a_schedule() {
    everywhere(|engine| {
        let (bus, topic) = (bus(engine, "default"), topic(engine, "t"));
        let end = queue(engine, "end", standard_queue());
        engine.subscribe(&topic, &subscription(end.id(), true)).unwrap();
        let input = trunkline_engine::Input::Path("$.detail".to_owned());
        put_rule(engine, &bus, NewTarget { input, ..to(topic.id()) }).unwrap();
        put(&bus, r#"{"n":1}"#);
        let start = Some(engine.clock().now() + HOUR);
        let input = Some("tick".to_owned());
        let config = ScheduleConfig::new("rate(1 hour)", topic_name("t"));
        let name = ResourceName::local(ResourceKind("schedule"), "default/s");
        engine.create_schedule(name, ScheduleConfig { start, input, ..config }).unwrap();
        engine.advance(2 * HOUR).unwrap();
        assert_eq!(bodies(&receive(&end, 10)), [r#"{"n":1}"#, "tick", "tick"]);
        assert_eq!(topic.statistics().unwrap().published, 3);
    });
}

#[test]
fn a_topic_behind_a_rule_publishes_whatever_its_subscribers_are() {
    everywhere(|engine| {
        let (bus, topic) = (bus(engine, "default"), topic(engine, "t"));
        let ends = ["a", "b"].map(|name| queue(engine, name, standard_queue()));
        for (end, is_raw) in ends.iter().zip([true, false]) {
            engine.subscribe(&topic, &subscription(end.id(), is_raw)).unwrap();
        }
        put_rule(engine, &bus, to(topic.id())).unwrap();
        let outcome = put(&bus, r#"{"n":1}"#);
        assert_eq!((outcome.delivered, outcome.failed), (1, 0));
        let counted = || {
            let counted = topic.statistics().unwrap();
            (counted.published, counted.delivered, counted.dead_lettered, counted.failed)
        };
        assert_eq!(counted(), (1, 2, 0, 0));
        // One that refuses the message makes it a dead letter; a FIFO queue locks itself.
        let short = QueueConfig { message_bytes_max: 8, ..standard_queue() };
        let short = queue(engine, "short", short);
        let dead_letter = Some(queue(engine, "dead", standard_queue()).id());
        let refusing = NewSubscription { dead_letter, ..subscription(short.id(), true) };
        engine.subscribe(&topic, &refusing).unwrap();
        put(&bus, r#"{"n":2}"#);
        assert_eq!(counted(), (2, 4, 1, 0));
        short.remove().unwrap();
        ends[1].remove().unwrap();
        put(&bus, r#"{"n":3}"#);
        assert_eq!(counted(), (3, 5, 2, 1));
        let received = receive(&ends[0], 10);
        let got = bodies(&received);
        for (number, body) in (1..).zip(&got) {
            assert!(body.contains(&format!(r#""detail":{{"n":{number}}}"#)), "{body}");
        }
        assert_eq!((got.len(), bodies(&receive(&find(engine, "dead"), 10)).len()), (3, 2));
    });
}

#[test]
fn a_schedule_puts_records_into_a_stream_and_counts_each_once_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let name = || ResourceName::local(ResourceKind("schedule"), "default/s");
    {
        let engine = on_disk(folder.path(), START);
        stream(&engine, 1);
        let config = ScheduleConfig::new("rate(1 hour)", stream_name("s"));
        let error = engine.create_schedule(name(), config.clone()).err().unwrap();
        assert!(error.message().contains("partition key"), "{error}");
        let (group, input) = (Some("k".to_owned()), Some("tick".to_owned()));
        engine.create_schedule(name(), ScheduleConfig { group, input, ..config }).unwrap();
        engine.advance(2 * HOUR).unwrap();
    }
    let engine = on_disk(folder.path(), START + 2 * HOUR);
    engine.advance(HOUR).unwrap();
    let stream = engine.find_stream(&stream_name("s")).unwrap().unwrap();
    let tick = ("k".to_owned(), "tick".to_owned());
    assert_eq!(records(&stream), vec![tick; 4]);
    let schedule = engine.find_schedule(&name()).unwrap().unwrap();
    assert_eq!(schedule.status().unwrap().progress.delivered, 4);
}

#[test]
fn a_stream_and_a_bus_are_subscribed_with_and_without_an_envelope() {
    everywhere(|engine| {
        let (bus, topic, stream) = (bus(engine, "b"), topic(engine, "t"), stream(engine, 1));
        let end = queue(engine, "end", standard_queue());
        put_rule(engine, &bus, to(end.id())).unwrap();
        let (raw, _) = engine.subscribe(&topic, &subscription(stream.id(), true)).unwrap();
        engine.subscribe(&topic, &subscription(bus.id(), false)).unwrap();
        let message = Notification { body: b"hello", group: Some("g"), ..Default::default() };
        let sent = engine.publish(&topic, &message).unwrap();
        assert_eq!((sent.matched, sent.delivered), (2, 2));
        assert_eq!(records(&stream), [("g".to_owned(), "hello".to_owned())]);
        let got = receive(&end, 10);
        let event: serde_json::Value = serde_json::from_str(&got[0].body).unwrap();
        assert_eq!(event["source"], "trunkline.topic");
        assert_eq!(event["resources"][0], topic.arn());
        assert_eq!(event["detail"]["Message"], "hello");
        assert_eq!(event["detail"]["MessageId"], sent.message_id.to_string());
        engine.configure_subscription(&topic, raw, &subscription(stream.id(), false)).unwrap();
        engine.publish(&topic, &Notification { group: None, ..message }).unwrap();
        let record: serde_json::Value = serde_json::from_str(&records(&stream)[1].1).unwrap();
        assert_eq!(record["Message"], "hello");
        assert_eq!(records(&stream)[1].0, record["MessageId"].as_str().unwrap());
    });
}

#[test]
fn a_message_that_a_bus_does_not_take_is_a_dead_letter_in_the_step_of_the_queues() {
    let engine = memory();
    let (bus, topic) = (bus(&engine, "b"), topic(&engine, "t"));
    let dead = queue(&engine, "dead", standard_queue());
    let raw = NewSubscription { dead_letter: Some(dead.id()), ..subscription(bus.id(), true) };
    engine.subscribe(&topic, &raw).unwrap();
    let publish = |body: &[u8]| {
        engine.publish(&topic, &Notification { body, ..Notification::default() }).unwrap()
    };
    let sent = publish(b"no event");
    assert_eq!((sent.matched, sent.delivered), (1, 0));
    assert_eq!(bodies(&receive(&dead, 10)), ["no event"]);
    assert_eq!(publish(br#"{"source":"s","detail-type":"t","detail":{}}"#).delivered, 1);
    assert_eq!(bus.statistics().unwrap().events, 1);
    engine.remove_bus(&bus).unwrap();
    publish(b"late");
    assert_eq!(bodies(&receive(&dead, 10)), ["late"]);
    assert_eq!(topic.statistics().unwrap().dead_lettered, 2);
}

#[test]
fn a_fifo_topic_keeps_the_order_of_its_groups_in_a_stream_and_takes_no_bus() {
    let engine = memory();
    let (topic, stream) = (topic(&engine, "t.fifo"), stream(&engine, 1));
    engine.subscribe(&topic, &subscription(stream.id(), true)).unwrap();
    let end = queue(&engine, "end.fifo", fifo_queue());
    engine.subscribe(&topic, &subscription(end.id(), true)).unwrap();
    let bus = bus(&engine, "b");
    let error = engine.subscribe(&topic, &subscription(bus.id(), true)).unwrap_err();
    assert!(error.message().contains("queues and streams"), "{error}");
    for id in ["1", "2", "2", "3"] {
        let (group, dedup_id) = (Some("g"), Some(id));
        let body = id.as_bytes();
        let message = Notification { body, group, dedup_id, ..Notification::default() };
        engine.publish(&topic, &message).unwrap();
    }
    let data: Vec<_> = records(&stream).into_iter().map(|(_, data)| data).collect();
    assert_eq!(data, ["1", "2", "3"]);
    assert_eq!(bodies(&receive(&end, 10)), ["1", "2", "3"]);
}

#[test]
fn a_loop_of_a_bus_and_a_topic_delivers_once_and_is_told_of() {
    let engine = memory();
    let (bus, topic) = (bus(&engine, "b"), topic(&engine, "t"));
    let (seen, dead) =
        (queue(&engine, "seen", standard_queue()), queue(&engine, "dead", standard_queue()));
    put_rule(&engine, &bus, to(topic.id())).unwrap();
    engine.subscribe(&topic, &subscription(seen.id(), true)).unwrap();
    let back = NewSubscription { dead_letter: Some(dead.id()), ..subscription(bus.id(), true) };
    engine.subscribe(&topic, &back).unwrap();
    assert_eq!(put(&bus, "{}").delivered, 1);
    assert_eq!((receive(&seen, 10).len(), receive(&dead, 10).len()), (1, 1));
    assert_eq!(bus.statistics().unwrap().events, 1);
    let text = br#"{"source":"s","detail-type":"t","detail":{}}"#;
    let sent = engine.publish(&topic, &Notification { body: text, ..Default::default() }).unwrap();
    assert_eq!((sent.matched, sent.delivered), (2, 2), "the bus took it, and its rule failed");
    assert_eq!(bus.statistics().unwrap().failed, 1);
}

#[test]
fn a_topic_is_no_subscriber() {
    let engine = memory();
    let (first, second) = (topic(&engine, "a"), topic(&engine, "b"));
    let error = engine.subscribe(&first, &subscription(second.id(), true)).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedOperation);
    assert!(error.message().contains("A topic cannot be subscribed"), "{error}");
}

/// Buses in a row, each of which comes to the next by several ways, and at last to a queue.
#[test]
fn an_event_that_comes_to_buses_by_very_many_ways_is_refused() {
    const ROW: usize = 12;
    let engine = memory();
    let row: Vec<_> = (0..ROW).map(|number| bus(&engine, &format!("bus-{number}"))).collect();
    let end = queue(&engine, "end", standard_queue());
    for (number, here) in row.iter().enumerate() {
        let next = row.get(number + 1).map_or(end.id(), |next| next.id());
        let target = |way: usize| NewTarget {
            id: way.to_string(),
            resource: TargetResource::Resource(next),
            ..to(next)
        };
        let targets = Some((0..5).map(target).collect());
        let rule = NewRule { name: "r", pattern: ANY, is_enabled: true, targets, document: b"" };
        engine.put_rule(here, rule).unwrap();
    }
    let text = br#"{"source":"s","detail-type":"t","detail":{}}"#;
    let put = |bus: &Arc<Bus>| bus.put(PutEvent::new(text));
    let error = put(&row[0]).unwrap_err();
    assert!(error.message().contains("comes to more than"), "{error}");
    assert_eq!(receive(&end, 1).len(), 0);
    assert_eq!(put(&row[ROW - 3]).unwrap().delivered, 125);
}

/// The same of topics and buses in turn, which hand a message on by calling each other.
#[test]
fn a_message_that_comes_to_topics_by_very_many_ways_ends() {
    const ROW: usize = 7;
    let engine = memory();
    let (mut next, end) = (None, queue(&engine, "end", standard_queue()));
    for number in 0..ROW {
        let (bus, topic) = (bus(&engine, &number.to_string()), topic(&engine, &number.to_string()));
        engine.subscribe(&topic, &subscription(next.unwrap_or(end.id()), true)).unwrap();
        let target = |way: usize| NewTarget { id: way.to_string(), ..to(topic.id()) };
        let targets = Some((0..5).map(target).collect());
        let rule = NewRule { name: "r", pattern: ANY, is_enabled: true, targets, document: b"" };
        engine.put_rule(&bus, rule).unwrap();
        next = Some(bus.id());
    }
    let last = bus(&engine, &(ROW - 1).to_string());
    let put = put(&last, "{}");
    assert_eq!((put.matched, put.delivered + put.failed), (1, 5));
    assert!(put.failed > 0);
    // Of 78,125.
    assert!((1_000..10_000).contains(&held_by(&end)), "{}", held_by(&end));
}

fn held_by(queue: &trunkline_engine::Queue) -> u64 {
    queue.statistics().unwrap().visible
}

#[test]
fn a_publish_that_no_step_can_hold_delivers_nothing_and_locks_nothing() {
    const BYTES: usize = 190 << 20;
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        message_bytes_max: BYTES as u32,
        stream_record_bytes_max: (BYTES + 1_000) as u32,
        ..Limits::default()
    };
    let clock = Arc::new(Clock::virtual_at(START));
    let options = OpenOptions { clock, limits, ..OpenOptions::at(folder.path()) };
    let engine = Engine::open(options).unwrap();
    let (topic, queue) = (topic(&engine, "t"), queue(&engine, "q", standard_queue()));
    engine.subscribe(&topic, &subscription(queue.id(), true)).unwrap();
    let config = StreamConfig { shards: 1, retention: 24 * HOUR };
    let create = |number| engine.create_stream(stream_name(format!("s{number}")), &config, b"");
    let streams: Vec<_> = (0..6).map(|number| create(number).unwrap()).collect();
    for stream in &streams {
        engine.subscribe(&topic, &subscription(stream.id(), true)).unwrap();
    }
    let publish = |body: &[u8]| {
        let message = Notification { body, ..Notification::default() };
        engine.publish(&topic, &message)
    };
    let error = publish(&vec![b'x'; BYTES]).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedOperation);
    assert!(error.message().contains("Nothing was delivered"), "{error}");
    assert_eq!((held_by(&queue), engine.count_payload_references().len()), (0, 0));
    assert!(streams.iter().all(|stream| records(stream).is_empty()));
    assert_eq!(publish(b"short").unwrap().delivered, 7);
    // What a step locks, a removal locks too.
    assert!(streams.iter().all(|stream| stream.remove().is_ok()));
}
