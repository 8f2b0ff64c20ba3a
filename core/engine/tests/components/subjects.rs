//! The kinds of resources under test, each with the same few verbs.

use std::sync::Arc;

use trunkline_engine::{Engine, Outgoing, Receive, Result, Signal, fifo_queue, standard_queue};

use crate::common::{find, queue, receive, send, send_to};
use crate::counter::Counters;

/// A kind of resource under test.
pub trait Subject {
    fn name(&self) -> &'static str;
    /// Makes some resources, in each state that they can have.
    fn fill(&self, engine: &Engine);
    /// How all its resources stand, as text to be compared.
    fn look(&self, engine: &Engine) -> Vec<String>;
    /// The names of what `fill` makes, in the order of a report.
    fn resources(&self) -> Vec<&'static str>;
    /// Waits for one of its resources; false if that cannot be waited for.
    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool;
    /// Any verb that changes something.
    fn touch(&self, engine: &Engine) -> Result<()>;
}

pub struct QueuesSubject;

impl Subject for QueuesSubject {
    fn name(&self) -> &'static str {
        "queues"
    }

    fn fill(&self, engine: &Engine) {
        let plain = queue(engine, "plain", standard_queue());
        let fifo = queue(engine, "orders.fifo", fifo_queue());
        for number in 0..40 {
            send(&plain, &format!("{number:0200}"));
            send_to(&fifo, ["a", "b"][number % 2], &format!("{number:0200}"));
        }
        let delay = Some(60_000);
        plain.send(&Outgoing { body: b"later", delay, ..Outgoing::default() }).unwrap();
        plain.delete(&receive(&plain, 3)[1].receipt).unwrap();
        receive(&fifo, 2);
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut seen = Vec::new();
        for queue in engine.queues(None, None, "").unwrap() {
            let name = queue.name().name.clone();
            seen.push(format!("{name} {:?}", queue.statistics().unwrap()));
            let see = |message: trunkline_engine::Delivery<'_>| {
                let body = String::from_utf8_lossy(message.body).into_owned();
                let (count, in_flight) = (message.receive_count, message.in_flight);
                seen.push(format!("{name} {} {count} {in_flight} {body}", message.seq));
            };
            queue.peek(usize::MAX >> 1, true, see).unwrap();
        }
        seen
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["plain", "orders.fifo"]
    }

    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool {
        find(engine, "plain").subscribe(signal);
        true
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        let queue = engine.find_queue(&trunkline_engine::queue_name("plain"))?;
        queue.unwrap().try_receive(&Receive::default(), |_| {}).map(drop)
    }
}

pub struct DocumentsSubject;

impl Subject for DocumentsSubject {
    fn name(&self) -> &'static str {
        "documents"
    }

    fn fill(&self, engine: &Engine) {
        for (key, value) in [("tags/b", "2"), ("tags/a", "1"), ("tags/gone", "0")] {
            engine.put_document(key, Some(value.as_bytes())).unwrap();
        }
        engine.put_document("tags/gone", None).unwrap();
        engine.put_document("tags/b", Some(b"3")).unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let all = engine.documents("");
        all.iter().map(|(key, value)| format!("{key} {}", String::from_utf8_lossy(value))).collect()
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["tags/a", "tags/b"]
    }

    fn wait(&self, _: &Engine, _: Arc<dyn Signal>) -> bool {
        false
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        engine.put_document("tags/a", None).map(drop)
    }
}

pub struct CountersSubject;

pub fn counters(engine: &Engine) -> Arc<Counters> {
    engine.host().component().unwrap()
}

impl Subject for CountersSubject {
    fn name(&self) -> &'static str {
        "counters"
    }

    fn fill(&self, engine: &Engine) {
        let counters = counters(engine);
        let (visits, _) = counters.create("visits", 0).unwrap();
        for _ in 0..3 {
            visits.raise().unwrap();
        }
        counters.create("ticks", 60_000).unwrap();
        counters.create("gone", 0).unwrap().0.remove().unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let Some(counters) = engine.host().component::<Counters>() else { return Vec::new() };
        let name = |counter: &crate::counter::Counter| {
            trunkline_host::Resource::name(counter).name.clone()
        };
        let all = counters.all();
        all.iter().map(|counter| format!("{} {}", name(counter), counter.value())).collect()
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["visits", "ticks"]
    }

    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool {
        counters(engine).find("visits").unwrap().waiters.subscribe(signal, None);
        true
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        match engine.host().component::<Counters>() {
            Some(counters) => counters.create("late", 0).map(drop),
            None => engine.host().check_writable(),
        }
    }
}
