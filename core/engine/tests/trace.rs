//! The trace on a virtual clock: what is noted of every kind of resource, and how it is linked.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{START, memory, queue, receive, send, send_to};
use trunkline_engine::delivery::{Ended, RetryTable};
use trunkline_engine::{
    AttemptRef, DeadLetter, Engine, FetchRequest, NewRecord, NewRule, NewSubscription, NewTarget,
    Notification, Outgoing, PutEvent, Queue, QueueConfig, QueueKind, ReadRequest, ResourceName,
    SCHEDULE, ScheduleConfig, Start, StreamConfig, TargetResource, Transport, bus_name, fifo_queue,
    standard_queue, stream_name, topic_name,
};

fn traced() -> Arc<Engine> {
    let engine = memory();
    engine.trace().set_rate(1.0);
    engine
}

fn send_one(engine: &Engine, queue: &Queue, body: &str) -> String {
    let message = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
    queue.send(&message).unwrap().message_id(engine.key()).to_string()
}

/// The entries of a subject, each as `what kind name: detail`.
fn lines(engine: &Engine, id: &str) -> Vec<String> {
    let entries = engine.trace().of(id).entries;
    let line = |entry: &trunkline_engine::TracedEntry| {
        let detail =
            if entry.detail.is_empty() { String::new() } else { format!(": {}", entry.detail) };
        format!("{} {} {}{detail}", entry.what.name(), entry.kind, entry.name)
    };
    entries.iter().map(line).collect()
}

#[test]
fn the_life_of_a_message_up_to_the_dead_letter_queue_is_told_under_one_id() {
    let engine = traced();
    let dead = queue(&engine, "dead", standard_queue());
    let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 2 });
    let orders = queue(&engine, "orders", QueueConfig { dead_letter, ..standard_queue() });
    let id = send_one(&engine, &orders, "one");
    let other = send_one(&engine, &orders, "other");
    orders.delete(&receive(&orders, 2)[1].receipt).unwrap();
    engine.advance(30_000).unwrap();
    let got = receive(&orders, 1);
    orders.extend(&got[0].receipt, 60_000).unwrap();
    orders.extend(&got[0].receipt, 0).unwrap();
    assert!(receive(&orders, 1).is_empty());
    let got = receive(&dead, 1);
    dead.delete(&got[0].receipt).unwrap();
    assert_eq!(
        lines(&engine, &id),
        [
            "accepted queue orders",
            "received queue orders: receive 1, lease of 30 s",
            "returned queue orders: its lease ended",
            "received queue orders: receive 2, lease of 30 s",
            "extended queue orders: its lease ends 60 s from now",
            "returned queue orders: by its receiver",
            "dead_lettered queue dead: by queue orders, received 2 times",
            "received queue dead: receive 3, lease of 30 s",
            "deleted queue dead",
        ]
    );
    let traced = engine.trace().of(&id);
    assert!(traced.entries.iter().all(|entry| entry.id == id && entry.from.is_none()));
    assert_eq!(traced.entries[2].at, START + 30_000);
    assert_eq!(
        lines(&engine, &other),
        [
            "accepted queue orders",
            "received queue orders: receive 1, lease of 30 s",
            "deleted queue orders"
        ]
    );
}

#[test]
fn messages_that_expire_are_purged_or_redriven_are_told_apart() {
    let engine = traced();
    for config in [standard_queue(), fifo_queue()] {
        let suffix = if config.kind == QueueKind::Fifo { ".fifo" } else { "" };
        let plain = queue(
            &engine,
            &format!("q{suffix}"),
            QueueConfig { retention: 60_000, ..config.clone() },
        );
        let back = queue(&engine, &format!("back{suffix}"), config);
        let put = |body: &str| {
            let group = (!suffix.is_empty()).then_some("g");
            let message = Outgoing {
                body: body.as_bytes(),
                group,
                dedup_id: group.map(|_| body),
                ..Outgoing::default()
            };
            plain.send(&message).unwrap().message_id(engine.key()).to_string()
        };
        let old = put("old");
        engine.advance(60_000).unwrap();
        assert_eq!(lines(&engine, &old).last().unwrap(), &format!("expired queue q{suffix}"));
        let redriven = put("redriven");
        engine.start_redrive(plain.id(), Some(back.id()), None).unwrap();
        engine.advance(1_000).unwrap();
        let purged = put("purged");
        plain.purge().unwrap();
        assert_eq!(
            lines(&engine, &purged),
            [format!("accepted queue q{suffix}"), format!("purged queue q{suffix}: by a purge")]
        );
        let moved = engine.trace().of(&redriven);
        assert_eq!(moved.entries.len(), 2, "{moved:?}");
        assert_eq!(
            (moved.entries[1].what.name(), moved.entries[1].from.as_ref()),
            ("moved", Some(&redriven))
        );
        assert_ne!(moved.entries[1].id, redriven, "a redriven message is a new one");
        assert_eq!(lines(&engine, &moved.entries[1].id).len(), 2, "and leads back");
    }
}

#[test]
fn a_duplicate_is_told_with_the_message_that_stands_for_it() {
    let engine = traced();
    let orders = queue(&engine, "orders.fifo", fifo_queue());
    assert!(!send_to(&orders, "g", "a"));
    assert!(send_to(&orders, "g", "a"));
    let mut ids = Vec::new();
    orders.peek(1, true, |one| ids.push(one.message_id(engine.key()).to_string())).unwrap();
    assert_eq!(
        lines(&engine, &ids[0]),
        [
            "accepted queue orders.fifo",
            "duplicate queue orders.fifo: another message with the deduplication id a was sent"
        ]
    );
    receive(&orders, 1);
    engine.advance(30_000).unwrap();
    assert_eq!(
        lines(&engine, &ids[0]).last().unwrap(),
        "returned queue orders.fifo: its lease ended"
    );
}

#[test]
fn a_trace_tells_of_an_endpoint_without_what_may_be_secret() {
    let engine = traced();
    let (topic, _) = engine.topic(topic_name("t"), None, b"").unwrap();
    for (endpoint, filter) in [
        ("https://me:word@a.example/in?token=word", None),
        ("http://word@b.example?word", Some(r#"{"x":[1]}"#)),
        ("arn:aws:sqs:us-east-1:000000000000:q", Some(r#"{"x":[2]}"#)),
    ] {
        let queue = queue(&engine, &format!("q{}", endpoint.len()), standard_queue());
        let new = NewSubscription { endpoint, name: None, ..subscription(&queue, "", filter) };
        engine.subscribe(&topic, &new).unwrap();
    }
    let body = Notification { body: b"{}", ..Notification::default() };
    let id = engine.publish(&topic, &body).unwrap().message_id.to_string();
    let told = lines(&engine, &id).join("\n");
    assert!(!told.contains("word"), "{told}");
    for shown in ["of https://a.example/in,", "of http://b.example:", "of arn:aws:sqs:us-east-1:"] {
        assert!(told.contains(shown), "{told}");
    }
}

fn subscription<'a>(queue: &Queue, name: &'a str, filter: Option<&'a str>) -> NewSubscription<'a> {
    NewSubscription {
        is_pending: false,
        protocol: trunkline_engine::Protocol::Default,
        target: TargetResource::Resource(queue.id()),
        is_raw: true,
        filter,
        filters_body: true,
        dead_letter: None,
        retry: None,
        endpoint: "",
        name: Some(name),
    }
}

#[test]
fn a_publish_is_linked_with_its_messages_both_ways_but_not_with_their_siblings() {
    let engine = traced();
    let (topic, _) = engine.topic(topic_name("orders"), None, b"").unwrap();
    let (all, paid) =
        (queue(&engine, "all", standard_queue()), queue(&engine, "paid", standard_queue()));
    let none = queue(&engine, "none", standard_queue());
    engine.subscribe(&topic, &subscription(&all, "everything", None)).unwrap();
    engine.subscribe(&topic, &subscription(&paid, "paid", Some(r#"{"state":["paid"]}"#))).unwrap();
    engine.subscribe(&topic, &subscription(&none, "sent", Some(r#"{"state":["sent"]}"#))).unwrap();
    let message = Notification { body: br#"{"state":"paid"}"#, ..Notification::default() };
    let id = engine.publish(&topic, &message).unwrap().message_id.to_string();
    paid.delete(&receive(&paid, 1)[0].receipt).unwrap();
    let published = [
        "accepted topic orders",
        "matched topic orders: subscription everything, for queue all",
        "matched topic orders: subscription paid, for queue paid",
        "unmatched topic orders: subscription sent: \
         The field \"state\" is \"paid\"; wanted \"sent\".",
    ];
    let whole = lines(&engine, &id);
    assert_eq!(whole[..4], published);
    assert_eq!(
        whole[4..],
        [
            "delivered queue all",
            "delivered queue paid",
            "received queue paid: receive 1, lease of 30 s",
            "deleted queue paid"
        ]
    );
    let entries = engine.trace().of(&id).entries;
    let in_paid = entries.iter().find(|entry| entry.name == "paid").unwrap();
    assert_eq!(in_paid.from.as_ref(), Some(&id));
    let of_one = lines(&engine, &in_paid.id);
    assert_eq!(of_one[..4], published);
    assert_eq!(of_one[4..], whole[5..], "without the other message");
}

#[test]
fn an_event_is_told_with_its_rules_targets_refusals_and_schedule() {
    let engine = traced();
    let (bus, _) = engine.bus(bus_name("default"), b"").unwrap();
    let (next, _) = engine.bus(bus_name("audit"), b"").unwrap();
    let (billing, dead) =
        (queue(&engine, "billing", standard_queue()), queue(&engine, "dead", standard_queue()));
    let rule = |bus, name, pattern, target: NewTarget| {
        let targets = Some(vec![target]);
        engine.put_rule(bus, NewRule { name, pattern, is_enabled: true, targets, document: b"" })
    };
    let to = |id| NewTarget::new("main", TargetResource::Resource(id));
    rule(&bus, "a", r#"{"source":["shop"]}"#, to(next.id())).unwrap();
    rule(&next, "b", r#"{"source":["shop"]}"#, to(billing.id())).unwrap();
    rule(&bus, "c", r#"{"source":["bank"]}"#, to(billing.id())).unwrap();
    let gone = queue(&engine, "gone", standard_queue());
    let refusing = NewTarget { dead_letter: Some(dead.id()), ..to(gone.id()) };
    rule(&bus, "d", r#"{"source":["shop"]}"#, refusing).unwrap();
    gone.remove().unwrap();
    let text = br#"{"id":"order-1","source":"shop","detail-type":"t","detail":{}}"#;
    bus.put(PutEvent::new(text)).unwrap();
    let told = lines(&engine, "order-1");
    for line in [
        "accepted bus default",
        "matched bus default: rule a, for bus audit",
        "unmatched bus default: rule c: The field \"source\" is \"shop\"; wanted \"bank\".",
        "matched bus audit: rule b, for queue billing",
        "delivered queue billing",
        "delivered queue dead",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
    let failed = told.iter().find(|line| line.starts_with("failed")).unwrap();
    assert!(failed.contains("rule d") && failed.ends_with("the dead-letter queue"), "{failed}");
    let schedule = ResourceName::local(SCHEDULE, "default/nightly");
    let config = ScheduleConfig::new("rate(1 minute)", billing.name().clone());
    engine.create_schedule(schedule, config).unwrap();
    engine.advance(60_000).unwrap();
    let mut ids = Vec::new();
    billing.peek(9, true, |one| ids.push(one.message_id(engine.key()).to_string())).unwrap();
    let of_occurrence = lines(&engine, ids.last().unwrap());
    assert_eq!(
        of_occurrence,
        ["accepted schedule default/nightly: occurrence 2", "delivered queue billing"]
    );
}

#[test]
fn records_of_streams_and_attempts_of_destinations_are_told() {
    let engine = traced();
    let config = StreamConfig { shards: 1, retention: 86_400_000 };
    let stream = engine.create_stream(stream_name("clicks"), &config, b"").unwrap();
    let put = stream.put(&NewRecord { key: "k", hash_key: None, data: b"d" }).unwrap();
    let request = ReadRequest { shard: put.shard, offset: 0, max: 9, max_bytes: 99 };
    stream.read(&request, |_| {}).unwrap();
    let (reader, _) = stream.reader("billing", Start::TrimHorizon).unwrap();
    let member = stream.join(&reader, 60_000).unwrap();
    member.fetch(&FetchRequest { max: 9, max_bytes: 99 }, |_| {}).unwrap();
    assert_eq!(
        lines(&engine, &put.sequence.to_string()),
        [
            &format!("accepted stream clicks: {}, key k", put.shard),
            "read stream clicks: without a reader",
            "read stream clicks: by reader billing",
        ]
    );

    let (topic, _) = engine.topic(topic_name("t"), None, b"").unwrap();
    let handled = queue(&engine, "unused", standard_queue());
    let transport = Transport::Handler { lease: 30_000 };
    let target = TargetResource::Outside(transport);
    let retry = Some(RetryTable::sns_http());
    let new = NewSubscription { target, retry, ..subscription(&handled, "f", None) };
    let subscribed = engine.subscribe(&topic, &new).unwrap().0;
    let destination = topic.subscription(subscribed).unwrap().target;
    let message = Notification { body: b"x", ..Notification::default() };
    let id = engine.publish(&topic, &message).unwrap().message_id.to_string();
    let handler = engine.outbox().enter_handler(destination).unwrap();
    let attempt = AttemptRef::from(&handler.lease(1).unwrap()[0]);
    let why = "no luck".to_owned();
    handler.settle(&attempt, &Ended::Transient { why, retry_after: None }).unwrap();
    let told = lines(&engine, &id);
    assert!(told[1].starts_with("matched topic t: subscription f, for destination "), "{told:#?}");
    assert!(told[2].starts_with("delivered destination "), "{told:#?}");
    assert!(told[3].contains(": attempt 1, a function: no luck; the next in "), "{told:#?}");
}

#[test]
fn off_notes_nothing_and_on_is_bounded_and_can_be_cleared() {
    let engine = memory();
    let orders = queue(&engine, "orders", standard_queue());
    let id = send_one(&engine, &orders, "one");
    receive(&orders, 1);
    assert_eq!(engine.trace().statistics().entries, 0);
    assert!(engine.trace().of(&id).entries.is_empty());
    engine.trace().set_rate(1.0);
    engine.trace().set_bytes_max(1 << 20);
    for _ in 0..20_000 {
        send(&orders, "another");
    }
    let statistics = engine.trace().statistics();
    assert!(statistics.bytes <= 1 << 20, "{statistics:?}");
    assert!(statistics.dropped > 5_000, "{statistics:?}");
    assert_eq!(statistics.entries + statistics.dropped, 20_000);
    let newest = send_one(&engine, &orders, "newest");
    assert_eq!(lines(&engine, &newest).len(), 1);
    engine.trace().set_bytes_max(0);
    assert!(engine.trace().statistics().bytes <= 1 << 16);
    engine.trace().set_rate(0.0);
    receive(&orders, 10);
    assert_eq!(lines(&engine, &newest).len(), 1, "what is there can be asked for");
    engine.trace().clear();
    assert_eq!(engine.trace().statistics().entries, 0);
}

#[test]
fn a_sample_follows_whole_chains_or_nothing_of_them() {
    let engine = memory();
    engine.trace().set_rate(0.25);
    engine.trace().set_bytes_max(16 << 20);
    let (topic, _) = engine.topic(topic_name("t"), None, b"").unwrap();
    let target = queue(&engine, "q", standard_queue());
    engine.subscribe(&topic, &subscription(&target, "s", None)).unwrap();
    let ids: Vec<String> = (0..400)
        .map(|_| {
            let message = Notification { body: b"x", ..Notification::default() };
            let published = engine.publish(&topic, &message).unwrap();
            target.delete(&receive(&target, 1)[0].receipt).unwrap();
            published.message_id.to_string()
        })
        .collect();
    let lengths: Vec<usize> = ids.iter().map(|id| lines(&engine, id).len()).collect();
    let followed = lengths.iter().filter(|length| **length == 5).count();
    assert!(lengths.iter().all(|length| matches!(length, 0 | 5)), "{lengths:?}");
    assert!((50..150).contains(&followed), "{followed} of 400 at a rate of 0.25");
    assert_eq!(engine.trace().statistics().entries as usize, followed * 5, "and no strays");
}
