//! Deliveries that leave the engine: to a handler, which takes, refuses or forgets them.

use std::collections::BTreeMap;

use trunkline_engine::delivery::{Delay, Ended, Jitter, Phase, RetryTable};
use trunkline_engine::{
    AttemptRef, Delivery, DestinationConfig, Engine, Millis, Outgoing, ResourceId, Result, Sent,
    Target, Ticket, Transport,
};
use trunkline_journal::sim::Random;

use crate::Noun;

/// The outbox under test.
pub struct OutboxNoun;

/// How long the handler has a delivery.
const LEASE: Millis = 30_000;

fn create(engine: &Engine, name: &str) -> ResourceId {
    // More attempts than any test makes: a delivery is given up because it is refused.
    let phase = Phase { retries: 90, delay: Delay::Fixed(10_000) };
    let config = DestinationConfig {
        transport: Transport::Handler { lease: LEASE },
        retry: RetryTable::new(vec![phase], None, Jitter::None).unwrap(),
        dead_letter: None,
        concurrency: 1,
        renderer: None,
        http: Default::default(),
    };
    engine.create_destination(name, &config).unwrap()
}

fn deliver(engine: &Engine, id: ResourceId, body: &str) -> Result<Sent> {
    let delivery = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
    engine.deliver(Target::Outbox(id), &delivery)
}

/// Has a handler lease one delivery and end it so; without an end the handler dies with it.
fn handle(engine: &Engine, id: ResourceId, ended: Option<&Ended>) -> Option<Ticket> {
    let handler = engine.outbox().enter_handler(id).unwrap();
    let leased = handler.lease(1).unwrap();
    handler.settle(&AttemptRef::from(leased.first()?), ended?).unwrap()
}

fn refused() -> Ended {
    Ended::Permanent { why: "it is no order".to_owned() }
}

fn failed() -> Ended {
    Ended::Transient { why: "the handler raised".to_owned(), retry_after: None }
}

/// Where every delivery of a destination is, by number. One that waits may be recorded as failed
/// already: the record comes first, and is forgotten when an attempt succeeds after all.
fn deliveries(engine: &Engine, id: ResourceId) -> BTreeMap<u64, String> {
    let failures = engine.outbox().failures(id).unwrap();
    let mut all: BTreeMap<u64, String> =
        failures.into_iter().map(|failure| (failure.seq, format!("{failure:?}"))).collect();
    let see = |message: Delivery<'_>| {
        let body = String::from_utf8_lossy(message.body);
        all.insert(message.seq, format!("waits: {body}"));
    };
    engine.queue_by_id(id).unwrap().peek(usize::MAX >> 1, true, see).unwrap();
    all
}

impl Noun for OutboxNoun {
    fn name(&self) -> &'static str {
        "outbox"
    }

    fn fill(&self, engine: &Engine) {
        let [id, gone] = ["handler", "gone"].map(|name| create(engine, name));
        for number in 0..8 {
            deliver(engine, id, &format!("{number:0200}")).unwrap();
        }
        for ended in [Some(refused()), Some(Ended::Delivered), Some(refused()), None] {
            handle(engine, id, ended.as_ref());
        }
        handle(engine, id, Some(&failed()));
        deliver(engine, gone, "x").unwrap();
        handle(engine, gone, Some(&refused()));
        engine.remove_destination(gone).unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut seen = Vec::new();
        for (name, id) in engine.destinations().unwrap() {
            let there = engine.outbox().statistics(id).unwrap();
            seen.push(format!("{name} {} due, {} leased", there.due, there.leased));
            let all = deliveries(engine, id);
            seen.extend(all.iter().map(|(seq, how)| format!("{name} {seq} {how}")));
        }
        seen
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["handler", "1"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let id = engine.find_destination("handler")?.unwrap();
        deliver(engine, id, "late").map(drop)
    }

    fn first_timer(&self) -> Option<Millis> {
        // The delivery that failed is due again.
        Some(10_000)
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let Some(id) = engine.find_destination("handler").unwrap() else {
            create(engine, "handler");
            return None;
        };
        match random.below(7) {
            0 => handle(engine, id, None),
            1 => handle(engine, id, Some(&failed())),
            2 => handle(engine, id, Some(&Ended::Delivered)),
            3 => handle(engine, id, Some(&refused())),
            _ => {
                let width = [10, 2_500][random.below(2)];
                let body = format!("{:0width$}", random.next_u64());
                deliver(engine, id, &body).unwrap().ticket
            }
        }
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        let Some(id) = engine.find_destination("handler").unwrap() else {
            return BTreeMap::new();
        };
        let all = deliveries(engine, id).into_iter();
        all.map(|(seq, how)| (format!("delivery {seq}"), how.into())).collect()
    }
}
