//! Queues. The crash simulation works on them by itself, so they have no random operation here.

use std::sync::Arc;

use trunkline_engine::{
    Awaited, Engine, Millis, Outgoing, Queue, QueueConfig, Receipt, Receive, Result, Signal,
    fifo_queue, operation, queue_name, standard_queue,
};

use crate::{FaultyVerb, Noun};

/// Queues under test.
pub struct QueueNoun;

fn create(engine: &Engine, name: &str, config: QueueConfig) -> Arc<Queue> {
    engine.create_queue(queue_name(name), config, b"").unwrap()
}

fn find(engine: &Engine, name: &str) -> Result<Arc<Queue>> {
    engine.find_queue(&queue_name(name)).map(Option::unwrap)
}

fn receive(queue: &Queue, max: usize) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    let request = Receive { max, ..Receive::default() };
    queue.try_receive(&request, |message| receipts.push(message.receipt)).unwrap();
    receipts
}

impl Noun for QueueNoun {
    fn name(&self) -> &'static str {
        "queues"
    }

    fn fill(&self, engine: &Engine) {
        let plain = create(engine, "plain", standard_queue());
        let fifo = create(engine, "orders.fifo", fifo_queue());
        for number in 0..40 {
            let body = format!("{number:0200}");
            let message = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
            plain.send(&message).unwrap();
            let (group, dedup_id) = (Some(["a", "b"][number % 2]), Some(&*body));
            fifo.send(&Outgoing { group, dedup_id, ..message }).unwrap();
        }
        let delay = Some(60_000);
        plain.send(&Outgoing { body: b"later", delay, ..Outgoing::default() }).unwrap();
        plain.delete(&receive(&plain, 3)[1]).unwrap();
        receive(&fifo, 2);
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let mut seen = Vec::new();
        for queue in engine.queues(None, None, "").unwrap() {
            let name = queue.name().name.clone();
            let counts = queue.statistics().unwrap();
            let groups = counts.groups_in_flight;
            let (visible, in_flight, delayed) = (counts.visible, counts.in_flight, counts.delayed);
            seen.push(format!("{name} {visible} {in_flight} {delayed} {groups}"));
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

    fn touch(&self, engine: &Engine) -> Result<()> {
        find(engine, "plain")?.try_receive(&Receive::default(), |_| {}).map(drop)
    }

    fn faulty_verb(&self) -> Option<FaultyVerb> {
        Some(FaultyVerb {
            operation: operation::SEND,
            resource: queue_name("plain"),
            call: |engine| {
                let message = Outgoing { body: b"again", ..Outgoing::default() };
                find(engine, "plain")?.send(&message).map(drop)
            },
        })
    }

    fn wait(&self, engine: &Engine, signal: Arc<dyn Signal>) -> bool {
        find(engine, "plain").unwrap().waiters().subscribe(signal, None);
        true
    }

    // The leases of what was received end.
    fn first_timer(&self) -> Option<Millis> {
        Some(30_000)
    }
}
