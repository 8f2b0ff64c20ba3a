//! How an engine looks, and what must be true of it.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_conformance::NOUNS;
use trunkline_engine::{Engine, Millis, Outgoing, QueueKind, Receive};

/// Queue and body of a message: bodies are never used twice.
pub type Name = (String, String);

/// A message as it stands: how often it was delivered, and whether it is in flight.
pub type Standing = (u32, bool);

/// How the queues look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Messages that are visible or in flight.
    pub messages: BTreeMap<Name, Standing>,
    /// Queues, and how many of their messages are delayed.
    pub delayed: BTreeMap<String, u64>,
    /// The resources of the other kinds.
    pub others: BTreeMap<String, Vec<u8>>,
}

/// How the queues looked after an operation.
#[derive(Debug, Clone)]
pub struct Moment {
    pub look: Look,
    pub now: Millis,
    /// The disk's operations when it began and when it was over.
    pub steps_before: usize,
    pub steps_after: usize,
    /// Everything up to here was acknowledged as durable.
    pub acknowledged: bool,
    /// Dedup ids that were accepted: queue, group, id, time.
    pub accepted: Vec<(String, String, String, Millis)>,
}

pub fn look(engine: &Engine) -> Look {
    let mut look = Look::default();
    for queue in engine.queues(None, None, "").unwrap() {
        let name = queue.name().name.clone();
        let see = |message: trunkline_engine::Delivery<'_>| {
            let body = String::from_utf8(message.body.to_vec()).unwrap();
            let standing = (message.receipt.delivery, message.in_flight);
            let twice = look.messages.insert((name.clone(), body), standing);
            assert!(twice.is_none(), "a message is in {name} twice: {:?}", message.receipt);
        };
        queue.peek(usize::MAX >> 1, true, see).unwrap();
        look.delayed.insert(name.clone(), queue.statistics().unwrap().delayed);
    }
    look.others = NOUNS.iter().flat_map(|noun| noun.states(engine)).collect();
    look
}

impl Look {
    /// Whether this is `moment`, seen at `now`: leases may have ended in between.
    pub fn is(&self, moment: &Moment, now: Millis) -> bool {
        if now == moment.now {
            return *self == moment.look;
        }
        let was = &moment.look;
        let deliveries = |look: &Look| -> Vec<_> {
            look.messages.iter().map(|(name, standing)| (name.clone(), standing.0)).collect()
        };
        // Delays may have ended as well: what was delayed is visible now.
        let all = |look: &Look| look.messages.len() as u64 + look.delayed.values().sum::<u64>();
        let known = was.messages.keys().all(|name| self.messages.contains_key(name));
        self.others == was.others
            && all(self) == all(was)
            && known
            && deliveries(was).iter().all(|(name, count)| self.messages[name].0 == *count)
    }

    /// Whether every message stands as in one of two moments that follow each other.
    pub fn is_between(&self, before: &Moment, after: &Moment) -> bool {
        let names: BTreeSet<&Name> = [self, &before.look, &after.look]
            .into_iter()
            .flat_map(|look| look.messages.keys())
            .collect();
        let deliveries = |look: &Look, name: &Name| look.messages.get(name).map(|one| one.0);
        let delayed = |look: &Look| look.delayed.values().sum::<u64>();
        let may_be_delayed = delayed(self).max(delayed(&before.look)).max(delayed(&after.look)) > 0;
        let others = [&before.look, &after.look].iter().any(|look| look.others == self.others);
        others
            && names.into_iter().all(|name| {
                let here = deliveries(self, name);
                let (was, is) = (deliveries(&before.look, name), deliveries(&after.look, name));
                let in_range = match (was, is, here) {
                    // In the middle of a receive and what it did to the message before.
                    (Some(was), Some(is), Some(here)) => was <= here && here <= is,
                    _ => false,
                };
                here == was || here == is || in_range || may_be_delayed && here == Some(0)
            })
    }
}

/// Takes everything out and checks it against what came back and what was acknowledged.
pub fn drain(engine: &Engine, seen: &Look, acknowledged: &Moment) {
    let mut drained = BTreeSet::new();
    let now = engine.clock().now();
    for (queue, group, id, at) in &acknowledged.accepted {
        if now < at + 300_000 {
            let name = trunkline_engine::queue_name(queue);
            let Some(queue) = engine.find_queue(&name).unwrap() else { continue };
            let (group, dedup_id) = (Some(group.as_str()), Some(id.as_str()));
            let probe = Outgoing { body: b"probe", group, dedup_id, ..Outgoing::default() };
            assert!(queue.send(&probe).unwrap().duplicate, "the dedup id {id} was forgotten");
        }
    }
    // Longer than any delay and any lease of the workload.
    engine.advance(2_000_000).unwrap();
    // Dead letters last: draining the others makes more of them.
    let mut queues = engine.queues(None, None, "").unwrap();
    queues.sort_by_key(|queue| queue.name().name.starts_with("dead"));
    for queue in queues {
        let name = queue.name().name.clone();
        let mut bodies: Vec<(String, String)> = Vec::new();
        for round in 0.. {
            assert!(round < 10_000, "{name} does not come to an end: {:?}", queue.statistics());
            let mut receipts = Vec::new();
            let sink = |message: trunkline_engine::Delivery<'_>| {
                let body = String::from_utf8(message.body.to_vec()).unwrap();
                bodies.push((message.group.unwrap_or_default().to_owned(), body));
                receipts.push(message.receipt);
            };
            queue.try_receive(&Receive { max: 7, ..Receive::default() }, sink).unwrap();
            let statistics = queue.statistics().unwrap();
            for receipt in &receipts {
                queue.delete(receipt).unwrap();
            }
            if receipts.is_empty() && statistics.visible == 0 {
                break;
            }
        }
        let all: BTreeSet<_> = bodies.iter().map(|(_, body)| body).collect();
        assert_eq!(all.len(), bodies.len(), "a message was delivered twice");
        drained.extend(bodies.iter().map(|(_, body)| body.clone()));
        if queue.kind() == QueueKind::Fifo && !name.starts_with("dead") {
            check_order(&bodies);
        }
    }
    // A message may have gone to the dead-letter queue on the way, but it is somewhere.
    let missing: Vec<_> =
        seen.messages.keys().filter(|(_, body)| !drained.contains(body)).collect();
    assert!(missing.is_empty(), "not delivered: {missing:?}");
    for queue in engine.queues(None, None, "").unwrap() {
        let statistics = queue.statistics().unwrap();
        assert_eq!((statistics.visible, statistics.in_flight, statistics.delayed), (0, 0, 0));
    }
}

/// Bodies are numbers in the order of sending.
fn check_order(bodies: &[(String, String)]) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for (group, body) in bodies {
        let number: u64 = body.trim_start_matches('m').parse().unwrap();
        if let Some(before) = last.insert(group, number) {
            assert!(before < number, "group {group} delivers {number} behind {before}");
        }
    }
}
