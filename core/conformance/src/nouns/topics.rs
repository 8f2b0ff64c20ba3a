//! Topics, with subscriptions of queues that nothing else touches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_engine::{
    Delivery, Engine, Millis, NewSubscription, Notification, PUBLISH, Queue, QueueConfig,
    ResourceId, Result, TargetResource, Ticket, Topic, Transport, fifo_queue, queue_name,
    standard_queue, topic_name,
};
use trunkline_journal::sim::Random;

use super::puts::{self, subscription as to};
use crate::{FaultyVerb, Noun};

/// Topics under test.
pub struct TopicNoun;

const TOPICS: [&str; 2] = ["news", "orders.fifo"];
const STREAM: &str = "sub-stream";
/// The first byte of the record of a publish of a FIFO topic.
const PUBLISHED: u8 = 50;
const DAY: Millis = 86_400_000;
const QUEUES: [&str; 3] = ["sub-a", "sub-b", "sub.fifo"];

fn topic(engine: &Engine, name: &str) -> Arc<Topic> {
    engine.topic(topic_name(name), None, b"").unwrap().0
}

fn queue(engine: &Engine, name: &str) -> Arc<Queue> {
    let found = engine.find_queue(&queue_name(name)).unwrap();
    let config = if name.ends_with("fifo") { fifo_queue() } else { standard_queue() };
    found.unwrap_or_else(|| engine.create_queue(queue_name(name), config, b"").unwrap())
}

/// What the queue that refuses takes at most.
const SHORT_BYTES: u32 = 1_024;

/// Subscribes a handler, then a queue that refuses what is long and has a dead-letter queue.
fn subscribe_others(engine: &Engine) -> Option<Ticket> {
    let news = topic(engine, TOPICS[0]);
    if handler(&news).is_none() {
        let target = TargetResource::Outside(Transport::Handler { lease: 30_000 });
        let new = NewSubscription { target, ..to(&queue(engine, "sub-a"), None) };
        return engine.subscribe(&news, &new).unwrap().1;
    }
    if engine.find_queue(&queue_name("sub-short")).unwrap().is_some() {
        let stream = puts::stream(engine, STREAM)?;
        if news.subscription_of(stream.id()).unwrap().is_some() {
            return None;
        }
        let target = TargetResource::Resource(stream.id());
        let new = NewSubscription { target, ..to(&queue(engine, "sub-a"), None) };
        return engine.subscribe(&news, &new).unwrap().1;
    }
    let config = QueueConfig { message_bytes_max: SHORT_BYTES, ..standard_queue() };
    let short = engine.create_queue(queue_name("sub-short"), config, b"").unwrap();
    let dead_letter = Some(queue(engine, "sub-dead").id());
    engine.subscribe(&news, &NewSubscription { dead_letter, ..to(&short, None) }).unwrap().1
}

/// The destination of the subscribed handler.
fn handler(topic: &Topic) -> Option<ResourceId> {
    let subscriptions = topic.subscriptions(None, usize::MAX).unwrap();
    subscriptions.iter().find(|one| one.is_outside).map(|one| one.target)
}

fn publish(engine: &Engine, topic: &Topic, number: u64, id: u64, width: usize) -> Option<Ticket> {
    let (body, id) = (format!("{number:0width$}"), id.to_string());
    let is_fifo = topic.config().is_fifo;
    let (group, dedup_id) = (is_fifo.then_some("g"), is_fifo.then_some(&*id));
    let message =
        Notification { body: body.as_bytes(), group, dedup_id, ..Notification::default() };
    engine.publish(topic, &message).unwrap().ticket
}

fn seen(engine: &Engine) -> Vec<String> {
    let mut seen = Vec::new();
    for topic in engine.topics(None, None, "").unwrap() {
        let name = &topic.name().name;
        let subscriptions = topic.subscriptions(None, usize::MAX).unwrap();
        let archive = topic.archive().unwrap();
        seen.push(format!("{name} {:?} {subscriptions:?} {archive:?}", topic.config()));
    }
    seen
}

fn bodies(queue: &Queue) -> Vec<u8> {
    let mut bodies = Vec::new();
    let see = |message: Delivery<'_>| bodies.extend_from_slice(message.body);
    queue.peek(usize::MAX >> 1, true, see).unwrap();
    bodies
}

/// The number of the newest message of each FIFO topic, from its deduplication window.
fn newest(engine: &Engine) -> BTreeMap<String, Vec<u8>> {
    // Of a part of a checkpoint: before its record, and before the number in a record of a publish.
    const HEAD_BYTES: usize = 13;
    const NUMBER: std::ops::Range<usize> = HEAD_BYTES + 5..HEAD_BYTES + 13;
    let mut newest = BTreeMap::new();
    let see = &mut |part: &[u8]| {
        if let (1, Some(&PUBLISHED), Some(number)) =
            (part[0], part.get(HEAD_BYTES), part.get(NUMBER))
        {
            let number = u64::from_le_bytes(number.try_into().unwrap());
            let topic = part[HEAD_BYTES + 1..NUMBER.start].to_vec();
            let last: &mut u64 = newest.entry(topic).or_default();
            *last = number.max(*last);
        }
        Ok(())
    };
    engine.host().export_checkpoint(see).unwrap();
    let state =
        |(topic, number)| (format!("newest of {topic:?}"), format!("{number}").into_bytes());
    newest.into_iter().map(state).collect()
}

impl Noun for TopicNoun {
    fn name(&self) -> &'static str {
        "topics"
    }

    fn fill(&self, engine: &Engine) {
        let queues = QUEUES.map(|name| queue(engine, name));
        let [news, orders] = TOPICS.map(|name| topic(engine, name));
        engine.subscribe(&news, &to(&queues[0], None)).unwrap();
        engine.subscribe(&news, &to(&queues[1], Some(r#"{"a":[1]}"#))).unwrap();
        let (gone, _) = engine.subscribe(&orders, &to(&queues[0], None)).unwrap();
        engine.subscribe(&orders, &to(&queues[2], None)).unwrap();
        engine.unsubscribe(&orders, gone).unwrap();
        orders.set_archive(Some(DAY)).unwrap();
        for number in 1..9 {
            publish(engine, &news, number, 0, 300);
            publish(engine, &orders, number, number / 2, 300);
        }
        engine.remove_topic(&topic(engine, "gone")).unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut seen = seen(engine);
        let queues = engine.queues(None, None, "sub").unwrap();
        seen.extend(queues.iter().map(|queue| String::from_utf8(bodies(queue)).unwrap()));
        seen
    }

    fn resources(&self) -> Vec<&'static str> {
        // The log of the archive comes first.
        vec!["10", "sub-a", "sub-b", "sub.fifo", "news", "orders.fifo"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        engine.topic(topic_name("late"), None, b"").map(drop)
    }

    fn faulty_verb(&self) -> Option<FaultyVerb> {
        let call = |engine: &Engine| {
            let message = Notification { body: b"late", ..Notification::default() };
            engine.publish(&topic(engine, TOPICS[0]), &message).map(drop)
        };
        Some(FaultyVerb { operation: PUBLISH, resource: topic_name(TOPICS[0]), call })
    }

    // Each operation is one step of the journal.
    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        static NEXT: AtomicU64 = AtomicU64::new(1 << 41);
        let name = QUEUES[random.below(QUEUES.len())];
        let name_of_topic = TOPICS[random.below(TOPICS.len())];
        if random.once_in(12) {
            return subscribe_others(engine);
        }
        if random.once_in(20) {
            let retention = DAY * (1 + random.below(9) as u64);
            return topic(engine, TOPICS[1]).set_archive(Some(retention)).unwrap();
        }
        // What is made just now shows nothing by itself.
        let (queue, topic) = (queue(engine, name), topic(engine, name_of_topic));
        if topic.name().name == TOPICS[0] && name.ends_with("fifo") {
            return None;
        }
        let old = topic.subscription_of(queue.id()).unwrap();
        let filter = random.once_in(2).then_some(r#"{"a":[1]}"#);
        match (random.below(6), old) {
            (0, None) => engine.subscribe(&topic, &to(&queue, filter)).unwrap().1,
            (0, Some(old)) => engine.unsubscribe(&topic, old.id).unwrap(),
            (1, Some(old)) => {
                let new = to(&queue, filter);
                engine.configure_subscription(&topic, old.id, &new).unwrap()
            }
            _ => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let width = [20, 2_500][random.below(2)];
                publish(engine, &topic, number, number, width)
            }
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let mut states = newest(engine);
        states.extend(puts::records(engine, STREAM));
        for topic in engine.topics(None, None, "").unwrap() {
            let subscriptions = topic.subscriptions(None, usize::MAX).unwrap();
            if let Some(archive) = topic.archive().unwrap() {
                let kept = (archive.retention, archive.messages);
                states.insert(format!("{} keeps", topic.name().name), format!("{kept:?}").into());
            }
            if !subscriptions.is_empty() {
                let name = format!("{} has", topic.name().name);
                states.insert(name, format!("{subscriptions:?}").into_bytes());
            }
        }
        let mut queues = engine.queues(None, None, "sub").unwrap();
        if let Some(news) = engine.find_topic(&topic_name(TOPICS[0])).unwrap() {
            queues.extend(handler(&news).and_then(|id| engine.queue_by_id(id)));
        }
        for queue in queues {
            let bodies = bodies(&queue);
            if !bodies.is_empty() {
                states.insert(format!("{} shows", queue.name().name), bodies);
            }
        }
        states
    }
}
