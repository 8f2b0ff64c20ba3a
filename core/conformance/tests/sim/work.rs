//! Random work for an engine, one operation after the other, each observed.

use std::sync::Arc;

use trunkline_conformance::{NOUNS, Noun};
use trunkline_engine::{
    Clock, DeadLetter, Durability, Engine, Millis, Outgoing, Queue, QueueConfig, Receipt, Receive,
    Ticket, fifo_queue, queue_name, standard_queue,
};
use trunkline_journal::sim::{Random, SimStorage};

use crate::observe::{Moment, look};
use crate::open;

pub const START: Millis = 1_700_000_000_000;
const OPERATIONS: usize = 100;
const GROUPS: [&str; 3] = ["a", "b", "c"];

pub struct Work {
    storage: SimStorage,
    engine: Arc<Engine>,
    clock: Arc<Clock>,
    queues: Vec<Arc<Queue>>,
    receipts: Vec<(usize, Receipt)>,
    accepted: Vec<(String, String, String, Millis)>,
    /// The number of the next body: bodies are never used twice.
    next: u64,
    last: Option<Ticket>,
    /// Every second operation is one of this noun.
    often: Option<&'static dyn Noun>,
}

impl Work {
    /// Begins on an empty disk.
    pub fn new(storage: &SimStorage, seed: u64, often: Option<&'static dyn Noun>) -> Self {
        let mut work = Self::again(storage, START + seed, 1, often);
        let dead = work.create("dead", standard_queue());
        let dead_fifo = work.create("dead.fifo", fifo_queue());
        let after = |queue: &Queue| Some(DeadLetter { queue: queue.id(), max_receive_count: 2 });
        let plain = QueueConfig { dead_letter: after(&dead), ..standard_queue() };
        let fifo = QueueConfig { dead_letter: after(&dead_fifo), ..fifo_queue() };
        let plain = work.create("plain", plain);
        let fifo = work.create("orders.fifo", fifo);
        work.queues = vec![plain, fifo, dead, dead_fifo];
        work.engine.flush().unwrap();
        work
    }

    /// Goes on with what a crash left.
    pub fn again(
        storage: &SimStorage,
        now: Millis,
        life: u64,
        often: Option<&'static dyn Noun>,
    ) -> Self {
        let (engine, clock) = open(storage, now);
        let find = |name: &str| engine.find_queue(&queue_name(name)).unwrap();
        let names = ["plain", "orders.fifo", "dead", "dead.fifo"];
        let queues = names.into_iter().filter_map(find).collect();
        let (storage, next) = (storage.clone(), 1_000_000 * life);
        let (receipts, accepted) = (Vec::new(), Vec::new());
        Self { storage, engine, clock, queues, receipts, accepted, next, last: None, often }
    }

    /// Works, and says how the queues looked from before the first operation on.
    pub fn run(mut self, random: &mut Random) -> Vec<Moment> {
        let mut history = vec![self.moment(self.storage.steps(), true)];
        for _ in 0..OPERATIONS {
            let before = self.storage.steps();
            let acknowledged = self.operate(random);
            history.push(self.moment(before, acknowledged));
        }
        history
    }

    fn create(&self, name: &str, config: QueueConfig) -> Arc<Queue> {
        self.engine.create_queue(queue_name(name), config, b"document").unwrap()
    }

    fn moment(&self, steps_before: usize, acknowledged: bool) -> Moment {
        Moment {
            look: look(&self.engine),
            now: self.clock.now(),
            steps_before,
            steps_after: self.storage.steps(),
            acknowledged,
            accepted: self.accepted.clone(),
        }
    }

    /// One operation; whether everything so far was acknowledged as durable with it.
    fn operate(&mut self, random: &mut Random) -> bool {
        // A ticket of an operation before says nothing about what this one does without any.
        self.last = None;
        match (self.often.filter(|_| random.once_in(2)), random.below(20)) {
            (Some(often), _) => self.last = often.operate(&self.engine, random),
            (None, operation) => self.operate_one(operation, random),
        }
        let Some(ticket) = self.last.filter(|_| random.once_in(2)) else { return false };
        self.engine.wait(ticket, Durability::Disk).unwrap();
        true
    }

    fn operate_one(&mut self, operation: usize, random: &mut Random) {
        match operation {
            0..=4 => self.send_plain(random),
            5..=8 => self.send_fifo(random),
            9..=12 => self.receive(random),
            13..=14 => self.delete(random),
            15 => self.extend(random),
            16 => {
                self.engine.advance(random.below(20_000) as u64).unwrap();
                // What fell due, such as a step of a move task, hands out no ticket either.
                self.last = self.engine.put_document("work/clock", Some(b"")).unwrap();
            }
            17 => self.last = NOUNS[random.below(NOUNS.len())].operate(&self.engine, random),
            18 if random.once_in(2) => self.engine.compact().unwrap(),
            18 => self.checkpoint(random),
            _ => self.rarely(random),
        }
    }

    /// Writes a checkpoint, often with a verb in the middle of it.
    fn checkpoint(&mut self, random: &mut Random) {
        let engine = self.engine.clone();
        let (mut parts, wanted) = (0, random.below(16));
        let mut between = || {
            parts += 1;
            if parts == wanted {
                match random.below(5) {
                    0 => self.send_plain(random),
                    1 => self.send_fifo(random),
                    2 => self.receive(random),
                    3 => self.delete(random),
                    _ => self.extend(random),
                }
            }
        };
        assert!(engine.host().checkpoint_with(&mut between).unwrap());
    }

    fn body(&mut self, random: &mut Random) -> String {
        self.next += 1;
        // Zeros in front: numbers compare as they were sent, and some bodies fill whole sectors.
        let width = if random.once_in(3) { 2_500 } else { 20 };
        format!("m{:0width$}", self.next)
    }

    fn send_plain(&mut self, random: &mut Random) {
        let bodies: Vec<String> = (0..=random.below(4)).map(|_| self.body(random)).collect();
        let delay = random.once_in(5).then(|| random.below(30_000) as u64);
        let group = random.once_in(6).then_some("tenant");
        let messages: Vec<Outgoing<'_>> = bodies
            .iter()
            .map(|body| Outgoing { body: body.as_bytes(), delay, group, ..Outgoing::default() })
            .collect();
        let each = |_: usize, sent: trunkline_engine::Result<_>| assert!(sent.is_ok());
        self.last = self.queues[0].send_batch(&messages, each).unwrap();
    }

    fn send_fifo(&mut self, random: &mut Random) {
        let (body, group) = (self.body(random), GROUPS[random.below(GROUPS.len())]);
        // Every few sends repeat an id that was used before.
        let id = match self.accepted.last().filter(|_| random.once_in(4)) {
            Some((_, _, id, _)) => id.clone(),
            None => format!("id{}", self.next),
        };
        let (dedup_id, name) = (Some(id.as_str()), "orders.fifo".to_owned());
        let message =
            Outgoing { body: body.as_bytes(), group: Some(group), dedup_id, ..Outgoing::default() };
        let sent = self.queues[1].send(&message).unwrap();
        self.last = sent.ticket;
        if !sent.duplicate {
            self.accepted.push((name, group.to_owned(), id, self.clock.now()));
        }
    }

    fn receive(&mut self, random: &mut Random) {
        let at = random.below(self.queues.len());
        let visibility = [Some(0), Some(5_000), Some(60_000), None][random.below(4)];
        let request = Receive { max: 1 + random.below(5), visibility, ..Receive::default() };
        let receipts = &mut self.receipts;
        let sink = |message: trunkline_engine::Delivery<'_>| receipts.push((at, message.receipt));
        self.queues[at].try_receive(&request, sink).unwrap();
        // A receive hands out no ticket: the next wait for any ticket covers it.
        self.last = self.engine.put_document("work/clock", Some(b"")).unwrap();
    }

    fn delete(&mut self, random: &mut Random) {
        if self.receipts.is_empty() {
            return;
        }
        let at = random.below(self.receipts.len());
        let (queue, receipt) = self.receipts.swap_remove(at);
        // A FIFO receipt may have expired: an error that changes nothing.
        if let Ok(ticket) = self.queues[queue].delete(&receipt) {
            self.last = ticket;
        }
    }

    fn extend(&mut self, random: &mut Random) {
        if self.receipts.is_empty() {
            return;
        }
        let (queue, receipt) = self.receipts[random.below(self.receipts.len())];
        let visibility = [0, 1_000, 90_000][random.below(3)];
        if let Ok(ticket) = self.queues[queue].extend(&receipt, visibility) {
            self.last = ticket;
        }
    }

    fn rarely(&mut self, random: &mut Random) {
        match random.below(3) {
            0 => self.last = self.queues[0].purge().unwrap(),
            1 => {
                let (dead, rate) = (self.queues[2].id(), 1 + random.below(5) as u32);
                // Refused while a task runs.
                if let Ok((_, ticket)) = self.engine.start_redrive(dead, None, Some(rate)) {
                    self.last = ticket;
                }
            }
            _ => {
                let mut config = self.queues[0].config();
                config.visibility = 1_000 * (1 + random.below(60) as u64);
                self.last = self.queues[0].configure(config, b"changed").unwrap();
            }
        }
    }
}
