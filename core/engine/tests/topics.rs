//! Topics: subscriptions and their filters, envelopes, order, deduplication, dead letters.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{START, bodies, counts, memory, queue, receive};
use trunkline_engine::{
    Clock, Code, Delivery, Engine, LeasedDelivery, NewSubscription, Notification, OpenOptions,
    Publication, Queue, QueueConfig, Receive, ResourceId, Result, TargetResource, Topic,
    TopicConfig, Transport, attributes, fifo_queue, standard_queue, topic_name,
};

fn on_disk(path: &Path, now: u64) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(now));
    let options = OpenOptions { clock, segment_bytes: 8 << 10, ..OpenOptions::at(path) };
    Engine::open(OpenOptions { background: false, seed: Some(1), ..options }).unwrap()
}

/// Tries a claim in memory and on disk.
fn everywhere(claim: impl Fn(&Arc<Engine>)) {
    claim(&memory());
    let folder = tempfile::tempdir().unwrap();
    claim(&on_disk(folder.path(), START));
}

fn topic(engine: &Engine, name: &str) -> Arc<Topic> {
    engine.topic(topic_name(name), None, b"").unwrap().0
}

fn to(queue: &Queue) -> NewSubscription<'static> {
    NewSubscription {
        target: TargetResource::Resource(queue.id()),
        is_raw: true,
        is_pending: false,
        protocol: trunkline_engine::Protocol::Default,
        filter: None,
        filters_body: false,
        dead_letter: None,
        retry: None,
        endpoint: "",
        name: None,
    }
}

fn subscribe(engine: &Engine, topic: &Topic, queue: &Queue) -> ResourceId {
    engine.subscribe(topic, &to(queue)).unwrap().0
}

fn message(body: &str) -> Notification<'_> {
    Notification { body: body.as_bytes(), ..Notification::default() }
}

fn publish(engine: &Engine, topic: &Topic, body: &str) -> Publication {
    engine.publish(topic, &message(body)).unwrap()
}

fn in_group<'a>(body: &'a str, group: &'a str, id: &'a str) -> Notification<'a> {
    Notification { group: Some(group), dedup_id: Some(id), ..message(body) }
}

fn block(name: &str, data_type: &str, value: &str) -> Vec<u8> {
    attributes::encode(&[attributes::Attribute {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        value: value.as_bytes().to_vec(),
        system: false,
    }])
}

fn payloads(engine: &Engine) -> usize {
    let all = engine.count_payload_references();
    assert!(all.iter().all(|(_, counted, held)| counted == held), "{all:?}");
    all.len()
}

fn code<T>(result: Result<T>) -> Code {
    result.err().unwrap().code()
}

#[test]
fn what_is_published_goes_to_every_subscription() {
    everywhere(|engine| {
        let orders = topic(engine, "orders");
        let (a, b) = (queue(engine, "a", standard_queue()), queue(engine, "b", standard_queue()));
        assert_eq!(publish(engine, &orders, "unmatched").matched, 0);
        subscribe(engine, &orders, &a);
        let of_b = subscribe(engine, &orders, &b);
        assert_eq!(subscribe(engine, &orders, &b), of_b, "it is the same subscription");
        let first = publish(engine, &orders, "first");
        assert_eq!((first.matched, first.delivered, first.seq), (2, 2, None));
        assert_ne!(publish(engine, &orders, "second").message_id, first.message_id);
        engine.unsubscribe(&orders, of_b).unwrap();
        engine.unsubscribe(&orders, of_b).unwrap();
        assert_eq!(publish(engine, &orders, "third").matched, 1);
        assert_eq!(bodies(&receive(&a, 9)), ["first", "second", "third"]);
        assert_eq!(bodies(&receive(&b, 9)), ["first", "second"]);
        let statistics = orders.statistics().unwrap();
        let counted = (statistics.subscriptions, statistics.published, statistics.delivered);
        assert_eq!(counted, (1, 4, 5));
        engine.remove_topic(&orders).unwrap();
        assert_eq!(code(engine.publish(&orders, &message("x"))), Code::ResourceNotFoundException);
        assert!(engine.topics(None, None, "").unwrap().is_empty());
        assert_eq!(topic(engine, "orders").statistics().unwrap().subscriptions, 0);
    });
}

#[test]
fn filters_select_by_attributes_and_by_body_and_change_at_once() {
    everywhere(|engine| {
        let orders = topic(engine, "orders");
        let (a, b) = (queue(engine, "a", standard_queue()), queue(engine, "b", standard_queue()));
        let by_attributes = NewSubscription { filter: Some(r#"{"state":["paid"]}"#), ..to(&a) };
        let (of_a, _) = engine.subscribe(&orders, &by_attributes).unwrap();
        let filter = Some(r#"{"order":{"total":[{"numeric":[">",10]}]}}"#);
        let by_body = NewSubscription { filter, filters_body: true, ..to(&b) };
        engine.subscribe(&orders, &by_body).unwrap();
        let (paid, open) = (block("state", "String", "paid"), block("state", "String", "open"));
        let large = r#"{"order":{"total":11}}"#;
        let matched = |body: &'static str, attributes: &[u8]| {
            engine.publish(&orders, &Notification { attributes, ..message(body) }).unwrap().matched
        };
        assert_eq!(matched(large, &paid), 2);
        assert_eq!(matched(large, &open), 1);
        assert_eq!(matched("no object", &paid), 1);
        assert_eq!(matched("no object", b""), 0);
        engine
            .configure_subscription(
                &orders,
                of_a,
                &NewSubscription { filter: Some("{}"), ..to(&a) },
            )
            .unwrap();
        assert_eq!(matched("no object", b""), 1, "an empty policy lets everything pass");
        let to_body = NewSubscription { filters_body: true, ..by_attributes.clone() };
        engine.configure_subscription(&orders, of_a, &to_body).unwrap();
        assert_eq!(matched("no object", &paid), 0);
        assert_eq!(matched(r#"{"state":"paid"}"#, b""), 1);
        let wrong = NewSubscription { filter: Some(r#"{"state":"paid"}"#), ..to(&a) };
        assert_eq!(
            code(engine.configure_subscription(&orders, of_a, &wrong)),
            Code::InvalidParameterValue
        );
        let same = orders.subscription(of_a).unwrap();
        assert!(same.filters_body, "nothing was applied");
        assert_eq!(code(engine.subscribe(&orders, &to(&a))), Code::InvalidParameterValue);
    });
}

#[test]
fn an_envelope_is_rendered_for_its_subscription_also_after_topic_and_subscription_are_gone() {
    everywhere(|engine| {
        let orders = topic(engine, "orders");
        let (a, b) = (queue(engine, "a", standard_queue()), queue(engine, "b", standard_queue()));
        let enveloped = NewSubscription { is_raw: false, ..to(&a) };
        let (of_a, _) = engine.subscribe(&orders, &enveloped).unwrap();
        subscribe(engine, &orders, &b);
        let attributes = block("n", "Number", "1");
        let said = Notification {
            attributes: &attributes,
            subject: Some("hello"),
            ..message("one \"coffee\"")
        };
        let published = engine.publish(&orders, &said).unwrap();
        let (topic_arn, arn) = (orders.arn(), orders.subscription_arn(of_a));
        assert_eq!(orders.subscription_with_arn(&arn).unwrap(), Some(of_a));
        for absent in [arn.to_uppercase(), arn.replace("orders", "other"), "none".to_owned()] {
            assert_eq!(orders.subscription_with_arn(&absent).unwrap(), None);
        }
        engine.remove_topic(&orders).unwrap();
        let mut seen = Vec::new();
        for queue in [&a, &b] {
            let sink = |message: Delivery<'_>| {
                let text = String::from_utf8(message.body.to_vec()).unwrap();
                seen.push((text, message.attributes.len()));
            };
            queue.try_receive(&Receive::default(), sink).unwrap();
        }
        assert_eq!(seen[1], ("one \"coffee\"".to_owned(), attributes.len()));
        let (envelope, left) = &seen[0];
        assert_eq!(*left, 0, "the attributes are in the envelope");
        for part in [
            "\"Type\" : \"Notification\"",
            &published.message_id.to_string(),
            &topic_arn,
            &arn,
            "\"Subject\" : \"hello\"",
            "\"Message\" : \"one \\\"coffee\\\"\"",
            "\"Timestamp\" : \"2023-11-14T22:13:20.000Z\"",
            "\"n\" : {\"Type\":\"Number\",\"Value\":\"1\"}",
        ] {
            assert!(envelope.contains(part), "{part} in {envelope}");
        }
        assert!(!envelope.contains("SequenceNumber"));
        let raw = Notification { body: &[0xff], ..Notification::default() };
        let orders = topic(engine, "again");
        engine.subscribe(&orders, &enveloped).unwrap();
        assert_eq!(code(engine.publish(&orders, &raw)), Code::InvalidParameterValue);
    });
}

#[test]
fn a_fifo_topic_orders_numbers_and_deduplicates_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let orders = topic(&engine, "orders.fifo");
    let (a, b) = (queue(&engine, "a.fifo", fifo_queue()), queue(&engine, "b", standard_queue()));
    let none = queue(&engine, "none.fifo", fifo_queue());
    subscribe(&engine, &orders, &a);
    subscribe(&engine, &orders, &b);
    let filter = Some(r#"{"never":["x"]}"#);
    engine.subscribe(&orders, &NewSubscription { filter, ..to(&none) }).unwrap();
    let first = engine.publish(&orders, &in_group("one", "g", "1")).unwrap();
    let second = engine.publish(&orders, &in_group("two", "g", "2")).unwrap();
    assert!(first.seq < second.seq && first.seq.is_some());
    // An id of the topic counts although no queue got the message.
    engine.unsubscribe(&orders, orders.subscription_of(b.id()).unwrap().unwrap().id).unwrap();
    engine.advance(290_000).unwrap();
    engine.publish(&orders, &in_group("three", "h", "3")).unwrap();
    for round in 0..20 {
        engine.put_document("filler", Some(&[round; 4 << 10])).unwrap();
        engine.flush().unwrap();
        engine.compact_oldest().unwrap();
    }
    let again = engine.publish(&orders, &in_group("other", "g", "1")).unwrap();
    assert_eq!((again.duplicate, again.seq, again.delivered), (true, first.seq, 0));
    assert_eq!(again.message_id, first.message_id);
    engine.close().unwrap();

    let engine = on_disk(folder.path(), START + 295_000);
    let orders = topic(&engine, "orders.fifo");
    assert!(engine.publish(&orders, &in_group("x", "g", "2")).unwrap().duplicate);
    engine.advance(10_000).unwrap();
    let fourth = engine.publish(&orders, &in_group("four", "g", "2")).unwrap();
    assert_eq!((fourth.duplicate, fourth.seq), (false, Some(4)));
    let a = common::find(&engine, "a.fifo");
    assert_eq!(bodies(&receive(&a, 9)), ["one", "two", "four", "three"]);
    assert_eq!(bodies(&receive(&common::find(&engine, "b"), 9)), ["one", "two"]);
    assert_eq!(counts(&common::find(&engine, "none.fifo")), (0, 0, 0));
    // Two minutes and a compaction later the number still goes on.
    engine.advance(600_000).unwrap();
    for round in 0..20 {
        engine.put_document("filler", Some(&[round; 4 << 10])).unwrap();
        engine.flush().unwrap();
        engine.compact_oldest().unwrap();
    }
    engine.close().unwrap();
    let engine = on_disk(folder.path(), START + 2_000_000);
    let orders = topic(&engine, "orders.fifo");
    assert_eq!(engine.publish(&orders, &in_group("five", "g", "2")).unwrap().seq, Some(5));
}

#[test]
fn the_id_of_a_fifo_topic_counts_in_the_topic_or_in_its_group() {
    everywhere(|engine| {
        let config = TopicConfig { is_fifo: true, content_based_dedup: true, dedup_by_group: true };
        let name = topic_name("grouped.fifo");
        let (grouped, _) = engine.topic(name.clone(), Some(config), b"").unwrap();
        let whole = topic(engine, "whole.fifo");
        for (topic, is_duplicate) in [(&grouped, false), (&whole, true)] {
            engine.publish(topic, &in_group("a", "g", "1")).unwrap();
            let other = engine.publish(topic, &in_group("b", "h", "1")).unwrap();
            assert_eq!(other.duplicate, is_duplicate);
        }
        let by_content = Notification { dedup_id: None, ..in_group("a", "g", "") };
        assert!(!engine.publish(&grouped, &by_content).unwrap().duplicate);
        assert!(engine.publish(&grouped, &by_content).unwrap().duplicate);
        assert_eq!(code(engine.publish(&whole, &by_content)), Code::InvalidParameterValue);
        assert_eq!(code(engine.publish(&whole, &message("a"))), Code::MissingParameter);
        let other = TopicConfig { content_based_dedup: false, ..config };
        assert_eq!(code(engine.topic(name, Some(other), b"")), Code::InvalidParameterValue);
        grouped.configure(other, b"changed").unwrap();
        assert_eq!(code(engine.publish(&grouped, &by_content)), Code::InvalidParameterValue);
    });
}

#[test]
fn what_a_target_does_not_take_goes_to_its_dead_letter_queue() {
    everywhere(|engine| {
        let orders = topic(engine, "orders");
        let small = QueueConfig { message_bytes_max: 1_024, ..standard_queue() };
        let (small, gone) =
            (queue(engine, "small", small), queue(engine, "gone", standard_queue()));
        let (dead, lost) =
            (queue(engine, "dead", standard_queue()), queue(engine, "lost", standard_queue()));
        let with_dead = |queue: &Queue| NewSubscription {
            dead_letter: Some(dead.id()),
            is_raw: false,
            ..to(queue)
        };
        engine.subscribe(&orders, &with_dead(&small)).unwrap();
        engine.subscribe(&orders, &with_dead(&gone)).unwrap();
        subscribe(engine, &orders, &lost);
        gone.remove().unwrap();
        lost.remove().unwrap();
        let large = "x".repeat(2_000);
        let published = publish(engine, &orders, &large);
        assert_eq!((published.matched, published.delivered), (3, 0));
        let statistics = orders.statistics().unwrap();
        assert_eq!((statistics.dead_lettered, statistics.failed), (2, 1));
        let got = receive(&dead, 9);
        assert_eq!(got.len(), 2);
        assert!(got.iter().all(|got| got.body.contains("\"Type\" : \"Notification\"")));
        got.iter().for_each(|got| assert!(dead.delete(&got.receipt).is_ok()));
        assert_eq!(payloads(engine), 0);
    });
}

#[test]
fn bad_input_is_refused_by_name() {
    everywhere(|engine| {
        let (orders, fifo) = (topic(engine, "orders"), topic(engine, "f.fifo"));
        let (a, b) = (queue(engine, "a", standard_queue()), queue(engine, "b.fifo", fifo_queue()));
        let invalid = Code::InvalidParameterValue;
        for name in ["", "a b", "x.y", "a.fifo.fifo", &"n".repeat(257)] {
            assert_eq!(code(engine.topic(topic_name(name), None, b"")), invalid, "{name:?}");
        }
        let config = TopicConfig { content_based_dedup: true, ..TopicConfig::default() };
        assert_eq!(code(engine.topic(topic_name("n"), Some(config), b"")), invalid);
        let wrong = [
            message(""),
            Notification { dedup_id: Some("1"), ..message("x") },
            Notification { subject: Some(""), ..message("x") },
            Notification { subject: Some("two\nlines"), ..message("x") },
        ];
        for wrong in wrong {
            assert_eq!(code(engine.publish(&orders, &wrong)), invalid, "{wrong:?}");
        }
        let large = "x".repeat(engine.limits().message_bytes_max as usize + 1);
        assert_eq!(code(engine.publish(&orders, &message(&large))), invalid);
        assert_eq!(code(engine.subscribe(&orders, &to(&b))), invalid);
        let transport = Transport::Handler { lease: 1_000 };
        let outside = NewSubscription { target: TargetResource::Outside(transport), ..to(&a) };
        assert_eq!(code(engine.subscribe(&fifo, &outside)), invalid);
        let dead = |queue: &Queue, dead: &Queue| NewSubscription {
            dead_letter: Some(dead.id()),
            ..to(queue)
        };
        assert_eq!(code(engine.subscribe(&fifo, &dead(&b, &a))), invalid);
        assert_eq!(code(engine.subscribe(&orders, &dead(&a, &b))), invalid);
        let nothing = TargetResource::Resource(ResourceId(9_999));
        let nothing = NewSubscription { target: nothing, ..to(&a) };
        assert_eq!(code(engine.subscribe(&orders, &nothing)), Code::ResourceNotFoundException);
        let topic_as_target = TargetResource::Resource(fifo.id());
        let other = NewSubscription { target: topic_as_target, ..to(&a) };
        assert_eq!(code(engine.subscribe(&orders, &other)), Code::UnsupportedOperation);
    });
}

/// A destination that handlers serve, and what it gets of one publish.
fn of_handler(engine: &Arc<Engine>, is_raw: bool) -> (LeasedDelivery, String, Publication) {
    let orders = topic(engine, "orders");
    let subscription = NewSubscription {
        target: TargetResource::Outside(Transport::Handler { lease: 1_000 }),
        is_raw,
        ..to(&queue(engine, if is_raw { "a" } else { "b" }, standard_queue()))
    };
    let (id, _) = engine.subscribe(&orders, &subscription).unwrap();
    let published = publish(engine, &orders, "hello");
    let target = orders.subscription(id).unwrap().target;
    let handler = engine.outbox().enter_handler(target).unwrap();
    let leased = handler.lease(1).unwrap().remove(0);
    drop(handler);
    engine.unsubscribe(&orders, id).unwrap();
    assert!(engine.destinations().unwrap().is_empty());
    (leased, orders.subscription_arn(id), published)
}

#[test]
fn a_delivery_that_leaves_the_engine_has_the_header_lines_of_sns() {
    everywhere(|engine| {
        for is_raw in [true, false] {
            let (leased, arn, published) = of_handler(engine, is_raw);
            let header = |name: &str| {
                let found = leased.headers.iter().find(|(own, _)| own == name);
                found.map(|(_, value)| value.clone())
            };
            assert_eq!(header("x-amz-sns-message-id"), Some(published.message_id.to_string()));
            assert_eq!(header("x-amz-sns-subscription-arn"), Some(arn));
            let raw = header("x-amz-sns-rawdelivery");
            assert_eq!((raw.is_some(), leased.body == b"hello"), (is_raw, is_raw));
            let text = String::from_utf8(leased.body).unwrap();
            assert!(is_raw || text.contains("\"Message\" : \"hello\""), "{text}");
        }
    });
}

#[test]
fn destinations_go_with_their_subscriptions_and_those_of_none_at_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let orders = topic(&engine, "orders");
    let outside = NewSubscription {
        target: TargetResource::Outside(Transport::Handler { lease: 1_000 }),
        ..to(&queue(&engine, "a", standard_queue()))
    };
    engine.subscribe(&orders, &outside).unwrap();
    let config = engine.outbox().config(engine.destinations().unwrap()[0].1).unwrap();
    // As if the engine had crashed before the subscription was recorded.
    engine.create_destination("subscription/99", &config).unwrap();
    publish(&engine, &orders, "hello");
    engine.close().unwrap();
    let engine = on_disk(folder.path(), START);
    assert_eq!((engine.destinations().unwrap().len(), payloads(&engine)), (1, 1));
    engine.remove_topic(&topic(&engine, "orders")).unwrap();
    assert_eq!((engine.destinations().unwrap().len(), payloads(&engine)), (0, 0));
}

#[test]
fn a_pending_subscription_gets_nothing_until_it_is_configured_and_may_wait_for_its_queue() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let (orders, a) = (topic(&engine, "orders"), queue(&engine, "a", standard_queue()));
    let none = TargetResource::Resource(ResourceId(0));
    let pending = NewSubscription { target: none, is_pending: true, name: Some("a"), ..to(&a) };
    let (id, _) = engine.subscribe(&orders, &pending).unwrap();
    assert_eq!(publish(&engine, &orders, "early").matched, 0);
    drop((orders, a, engine));
    let engine = on_disk(folder.path(), START);
    let (orders, a) = (topic(&engine, "orders"), common::find(&engine, "a"));
    assert!(orders.subscription(id).unwrap().is_pending);
    assert_eq!(publish(&engine, &orders, "early").matched, 0);
    engine.configure_subscription(&orders, id, &to(&a)).unwrap();
    let published = publish(&engine, &orders, "late");
    assert_eq!((published.matched, published.delivered), (1, 1));
    let other = queue(&engine, "b", standard_queue());
    assert!(engine.configure_subscription(&orders, id, &to(&other)).is_err());
    // A queue of the same name that took the place of the first is the target again.
    a.remove().unwrap();
    engine.configure_subscription(&orders, id, &to(&other)).unwrap();
    assert_eq!(publish(&engine, &orders, "later").delivered, 1);
}

#[test]
fn a_structured_message_gives_queues_their_own_text() {
    everywhere(|engine| {
        let (orders, a) = (topic(engine, "orders"), queue(engine, "a", standard_queue()));
        subscribe(engine, &orders, &a);
        let body = r#"{"default":"all","sqs":"queues"}"#;
        let structured = Notification { is_structured: true, ..message(body) };
        assert_eq!(engine.publish(&orders, &structured).unwrap().delivered, 1);
        assert_eq!(bodies(&receive(&a, 9)), ["queues"]);
        let flawed = Notification { is_structured: true, ..message("{}") };
        assert!(engine.publish(&orders, &flawed).is_err());
    });
}
