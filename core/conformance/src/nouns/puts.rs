//! Puts of an event bus with every sort of target, for the crash simulation: two queues that get
//! the same, one whose input differs, a FIFO queue with a deduplication window, a queue that
//! refuses what is long and has a dead-letter queue, a stream, a topic with two queues, a handler,
//! and an archive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_engine::{
    Bus, Delivery, Engine, Input, NewRule, NewSubscription, NewTarget, PutEvent, Queue,
    QueueConfig, ReadRequest, Stream, StreamConfig, StreamRecord, TargetResource, Ticket, Topic,
    Transport, bus_name, fifo_queue, queue_name, standard_queue, stream_name, topic_name,
};
use trunkline_journal::sim::Random;

const PATTERN: &str = r#"{"source":["shop"]}"#;
const ARCHIVE: &str = "put-archive";
const HANDLER: &str = "put-handler";
const STREAM: &str = "put-stream";
const TOPIC: &str = "put-topic";
/// What subscribes to the topic.
const TOLD: [&str; 2] = ["put-told-a", "put-told-b"];
const RULES: [&str; 8] =
    ["put-a", "put-b", "put-template", "put.fifo", "put-short", STREAM, TOPIC, HANDLER];
/// What the queue that refuses takes at most.
const SHORT_BYTES: u32 = 1_024;

fn bus(engine: &Engine) -> Arc<Bus> {
    engine.bus(bus_name("puts"), b"").unwrap().0
}

fn queue(engine: &Engine, name: &str) -> Arc<Queue> {
    let found = engine.find_queue(&queue_name(name)).unwrap();
    found.unwrap_or_else(|| {
        let config = match name {
            "put.fifo" => QueueConfig { content_based_dedup: true, ..fifo_queue() },
            "put-short" => QueueConfig { message_bytes_max: SHORT_BYTES, ..standard_queue() },
            _ => standard_queue(),
        };
        engine.create_queue(queue_name(name), config, b"").unwrap()
    })
}

/// The stream of this name. If there is none it is created, which is an operation of its own: a
/// crash may leave it without what would lead to it.
pub fn stream(engine: &Engine, name: &str) -> Option<Arc<Stream>> {
    let found = engine.find_stream(&stream_name(name)).unwrap();
    if found.is_none() {
        let config = StreamConfig { shards: 1, retention: 86_400_000 };
        engine.create_stream(stream_name(name), &config, b"").unwrap();
    }
    found
}

/// The records of a stream, if it has any.
pub fn records(engine: &Engine, name: &str) -> Option<(String, Vec<u8>)> {
    let stream = engine.find_stream(&stream_name(name)).unwrap()?;
    let mut data = Vec::new();
    for shard in stream.shards().all() {
        let shard = shard.id;
        let all = ReadRequest { shard, offset: 0, max: 10_000, max_bytes: 16 << 20 };
        stream.read(&all, |record: StreamRecord<'_>| data.extend_from_slice(record.data)).unwrap();
    }
    (!data.is_empty()).then(|| (format!("records of {name}"), data))
}

/// A subscription of a queue to raw messages.
pub fn subscription(queue: &Queue, filter: Option<&'static str>) -> NewSubscription<'static> {
    NewSubscription {
        target: TargetResource::Resource(queue.id()),
        is_raw: true,
        is_pending: false,
        protocol: trunkline_engine::Protocol::Default,
        filter,
        filters_body: true,
        dead_letter: None,
        retry: None,
        endpoint: "",
        name: None,
    }
}

/// The topic, if both queues are subscribed to it. Each subscription is an operation of its own.
fn topic(engine: &Engine) -> Option<Arc<Topic>> {
    let topic = engine.topic(topic_name(TOPIC), None, b"").unwrap().0;
    for name in TOLD {
        let queue = queue(engine, name);
        if topic.subscription_of(queue.id()).unwrap().is_none() {
            engine.subscribe(&topic, &subscription(&queue, None)).unwrap();
            return None;
        }
    }
    Some(topic)
}

/// The target of the rule of this name, unless its stream or its topic had to be made first.
fn to(engine: &Engine, name: &str) -> Option<NewTarget> {
    if name == HANDLER {
        let outside = TargetResource::Outside(Transport::Handler { lease: 30_000 });
        return Some(NewTarget::new("handler", outside));
    }
    if name == STREAM {
        let stream = stream(engine, STREAM)?;
        return Some(NewTarget::new("stream", TargetResource::Resource(stream.id())));
    }
    if name == TOPIC {
        let topic = topic(engine)?;
        return Some(NewTarget::new("topic", TargetResource::Resource(topic.id())));
    }
    let number = "$.detail.n".to_owned();
    let (input, group) = match name {
        "put-template" => {
            let paths = vec![("n".to_owned(), number)];
            (Input::Template { paths, template: r#""number <n>""#.to_owned() }, None)
        }
        // Numbers, in the order of the puts.
        "put.fifo" => (Input::Path(number), Some("g".to_owned())),
        _ => (Input::Event, None),
    };
    let dead_letter = (name == "put-short").then(|| queue(engine, "put-dead").id());
    let resource = TargetResource::Resource(queue(engine, name).id());
    Some(NewTarget { dead_letter, group, input, ..NewTarget::new("end", resource) })
}

/// Makes what is still missing of the bus, one thing at a time, or puts an event.
pub fn operate(engine: &Engine, random: &mut Random) -> Option<Ticket> {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
    let bus = bus(engine);
    let rules = bus.rules().unwrap();
    if let Some(name) = RULES.iter().find(|name| rules.iter().all(|rule| rule.name != **name)) {
        let targets = Some(vec![to(engine, name)?]);
        let rule = NewRule { name, pattern: PATTERN, is_enabled: true, targets, document: b"" };
        return engine.put_rule(&bus, rule).unwrap();
    }
    if bus.archives().is_empty() {
        bus.get_or_create_archive(ARCHIVE, None, None, b"").unwrap();
        return None;
    }
    let filler = "x".repeat([0, 600, 2_500][random.below(3)]);
    let detail = format!(r#"{{"n":{},"filler":"{filler}"}}"#, NEXT.fetch_add(1, Ordering::Relaxed));
    let event = format!(r#"{{"source":"shop","detail-type":"t","detail":{detail}}}"#);
    let put = bus.put(PutEvent::new(event.as_bytes())).unwrap();
    assert_eq!((put.matched, put.failed), (8, u32::from(event.len() > SHORT_BYTES as usize)));
    put.ticket
}

/// Everything that the puts have left.
pub fn states(engine: &Engine) -> BTreeMap<String, Vec<u8>> {
    let Some(bus) = engine.find_bus(&bus_name("puts")).unwrap() else { return BTreeMap::new() };
    let mut queues = engine.queues(None, None, "put").unwrap();
    let rules = bus.rules().unwrap();
    let handler = rules.iter().find(|rule| rule.name == HANDLER);
    queues.extend(handler.and_then(|rule| engine.queue_by_id(rule.targets[0].resource)));
    let mut states = BTreeMap::new();
    for queue in queues {
        let mut bodies = Vec::new();
        let see = |message: Delivery<'_>| bodies.extend_from_slice(message.body);
        queue.peek(usize::MAX >> 1, true, see).unwrap();
        if !bodies.is_empty() {
            states.insert(format!("put to {}", queue.name()), bodies);
        }
    }
    states.extend(records(engine, STREAM));
    let archived = bus.archive(ARCHIVE).map_or(0, |archive| archive.events());
    if archived > 0 {
        states.insert("archived".to_owned(), archived.to_string().into_bytes());
    }
    states
}
