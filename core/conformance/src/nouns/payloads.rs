//! Payloads that messages of several queues share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_engine::{
    Delivery, Engine, FanTarget, Queue, QueueKind, Receive, Result, SharedPayload, Target, Ticket,
    fifo_queue, queue_name, standard_queue,
};
use trunkline_journal::sim::Random;

use crate::Noun;

/// Shared payloads under test.
pub struct PayloadNoun;

const QUEUES: [&str; 3] = ["fan-a", "fan-b", "fan.fifo"];

fn find(engine: &Engine, name: &str) -> Option<Arc<Queue>> {
    engine.find_queue(&queue_name(name)).unwrap()
}

fn create(engine: &Engine, name: &str) -> Arc<Queue> {
    let config = if name.ends_with("fifo") { fifo_queue() } else { standard_queue() };
    engine.create_queue(queue_name(name), config, b"").unwrap()
}

fn publish(engine: &Engine, queues: &[Arc<Queue>], number: u64, width: usize) -> Option<Ticket> {
    let (id, body) = (number.to_string(), format!("m{number:0width$}"));
    let target = |queue: &Arc<Queue>| {
        let target = FanTarget::of(Target::Queue(queue.id()));
        match queue.kind() {
            QueueKind::Standard => target,
            QueueKind::Fifo => FanTarget { group: Some("g"), dedup_id: Some(&id), ..target },
        }
    };
    let targets: Vec<_> = queues.iter().map(target).collect();
    let content = SharedPayload { body: body.as_bytes(), ..SharedPayload::default() };
    engine.fan_out(&targets, &content).unwrap().ticket
}

/// The payloads and their references, which are counted again.
fn counts(engine: &Engine) -> Vec<(u64, u32)> {
    let counts = engine.count_payload_references();
    let check = |(id, counted, held)| {
        assert_eq!(counted, held, "the references of payload {id}");
        assert!(counted > 0, "payload {id} is kept without a message");
        (id, counted)
    };
    counts.into_iter().map(check).collect()
}

/// Deletes the first message in flight.
fn delete(queue: &Queue) -> Option<Ticket> {
    let mut receipt = None;
    let see = |message: Delivery<'_>| {
        receipt = receipt.or(message.in_flight.then_some(message.receipt));
    };
    queue.peek(9, true, see).unwrap();
    queue.delete(&receipt?).unwrap()
}

impl Noun for PayloadNoun {
    fn name(&self) -> &'static str {
        "payloads"
    }

    fn fill(&self, engine: &Engine) {
        let queues = QUEUES.map(|name| create(engine, name));
        for number in 0..20 {
            publish(engine, &queues, number, 300);
        }
        // Some payloads are gone, some have one message left, some are in flight.
        queues[1].purge().unwrap();
        for queue in [&queues[0], &queues[2]] {
            let request = Receive { max: 5, ..Receive::default() };
            queue.try_receive(&request, |_| {}).unwrap();
            (0..3).for_each(|_| _ = delete(queue));
        }
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let counts = counts(engine);
        let mut seen: Vec<String> = counts.iter().map(|count| format!("{count:?}")).collect();
        for queue in QUEUES.into_iter().filter_map(|name| find(engine, name)) {
            let name = queue.name().name.clone();
            let see = |message: Delivery<'_>| {
                let body = String::from_utf8_lossy(message.body);
                seen.push(format!("{name} {} {body}", message.seq));
            };
            queue.peek(usize::MAX >> 1, true, see).unwrap();
        }
        seen
    }

    fn resources(&self) -> Vec<&'static str> {
        QUEUES.to_vec()
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let queue = engine.find_queue(&queue_name(QUEUES[0]))?.unwrap();
        let target = FanTarget::of(Target::Queue(queue.id()));
        engine.fan_out(&[target], &SharedPayload::default()).map(drop)
    }

    // Each operation is one step of the journal: after a crash everything looks exactly as before
    // it or after it, and no fan-out is there in part.
    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        // Bodies are numbers in the order of sending; nothing else uses them.
        static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
        let name = QUEUES[random.below(QUEUES.len())];
        let Some(queue) = find(engine, name) else {
            create(engine, name);
            return None;
        };
        match random.below(6) {
            0 => {
                queue.try_receive(&Receive::default(), |_| {}).unwrap();
                None
            }
            1 => delete(&queue),
            _ => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let width = [20, 2_500][random.below(2)];
                let there = QUEUES.into_iter().filter_map(|name| find(engine, name));
                let some: Vec<_> = there.filter(|_| !random.once_in(4)).collect();
                publish(engine, &some, number, width)
            }
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        counts(engine);
        let mut states = BTreeMap::new();
        for queue in QUEUES.into_iter().filter_map(|name| find(engine, name)) {
            let mut bodies = Vec::new();
            let see = |message: Delivery<'_>| bodies.extend_from_slice(message.body);
            queue.peek(usize::MAX >> 1, true, see).unwrap();
            // An empty queue says nothing: its creation may be lost in a crash.
            if !bodies.is_empty() {
                states.insert(format!("{} shows", queue.name().name), bodies);
            }
        }
        states
    }
}
