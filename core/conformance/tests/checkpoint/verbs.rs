//! Checkpoints beside every verb of queues: fan-outs, moves, purges, removals, compaction. An
//! opening from the last one shows what the engine showed when it was closed, and what a whole
//! replay shows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use trunkline_conformance::{START, open, options, state};
use trunkline_engine::{
    Clock, DeadLetter, Delivery, Engine, FanTarget, Millis, OpenOptions, Outgoing, Queue,
    QueueConfig, Receive, SharedPayload, Target, fifo_queue, queue_name, standard_queue,
};
use trunkline_journal::sim::Random;

use crate::{checkpoint_of, copy};

/// Folders that are filled, closed and opened again.
const ROUNDS: u64 = 3;
/// Checkpoints that a round writes.
const CHECKPOINTS: usize = 12;

fn on_disk(path: &Path, now: Millis) -> Arc<Engine> {
    let clock = Arc::new(Clock::virtual_at(now));
    let folder = OpenOptions { path: Some(path.to_owned()), checkpoint_bytes: None, ..options() };
    open(OpenOptions { clock, segment_bytes: 32 << 10, ..folder }).unwrap()
}

/// How each message stands, by queue and body.
type Messages = BTreeMap<(String, String), Vec<String>>;

/// Every message of every queue; each payload has as many references as messages refer to it.
fn messages(engine: &Engine) -> Messages {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for queue in engine.queues(None, None, "").unwrap() {
        let see = |message: Delivery<'_>| {
            let body = String::from_utf8_lossy(message.body).into_owned();
            let seen = format!(
                "{} {} {} {:?} {:?}",
                message.seq,
                message.receipt.delivery,
                message.in_flight,
                message.group,
                message.sent
            );
            all.entry((queue.name().name.clone(), body)).or_default().push(seen);
        };
        queue.peek(usize::MAX >> 1, true, see).unwrap();
        let statistics = queue.statistics().unwrap();
        let counts = (statistics.visible, statistics.in_flight, statistics.delayed);
        let key = (queue.name().name.clone(), "counts".to_owned());
        all.insert(key, vec![format!("{counts:?}")]);
    }
    for (id, counted, held) in engine.count_payload_references() {
        assert_eq!(counted, held, "payload {id}");
        assert!(counted > 0, "payload {id} is alive and nothing refers to it");
    }
    all
}

fn make(engine: &Engine, name: &str, config: QueueConfig) -> Arc<Queue> {
    engine.create_queue(queue_name(name), config, b"").unwrap()
}

/// A thread that carries out random verbs.
struct Worker {
    engine: Arc<Engine>,
    queues: Vec<Arc<Queue>>,
    random: Random,
    receipts: Vec<(usize, trunkline_engine::Receipt)>,
    number: u64,
    at: u64,
}

impl Worker {
    fn body(&mut self) -> String {
        self.number += 1;
        let width = if self.random.once_in(4) { 900 } else { 12 };
        format!("{} {:0width$}", self.at, self.number)
    }

    fn work(&mut self) {
        match self.random.below(14) {
            0..=3 => self.send(),
            4..=6 => self.fan_out(),
            7..=9 => self.receive(),
            10..=11 => self.delete(),
            12 => self.extend(),
            _ => self.rarely(),
        }
    }

    fn send(&mut self) {
        let (body, at) = (self.body(), self.random.below(self.queues.len()));
        let id = format!("{}-{}", self.at, self.number / 2);
        let group = format!("g{}", self.random.below(5));
        let is_fifo = self.queues[at].name().name.ends_with(".fifo");
        let tenant = self.random.once_in(5);
        let message = Outgoing {
            body: body.as_bytes(),
            group: (is_fifo || tenant).then_some(&group),
            dedup_id: is_fifo.then_some(&id),
            delay: (!is_fifo && self.random.once_in(5)).then_some(5_000),
            ..Outgoing::default()
        };
        self.queues[at].send(&message).unwrap();
    }

    fn fan_out(&mut self) {
        let body = self.body();
        let id = format!("f{}-{}", self.at, self.number / 2);
        let mut targets = Vec::new();
        for queue in &self.queues {
            if self.random.once_in(3) {
                continue;
            }
            let is_fifo = queue.name().name.ends_with(".fifo");
            let target = FanTarget::of(Target::Queue(queue.id()));
            targets.push(match is_fifo {
                true => FanTarget { group: Some("g1"), dedup_id: Some(&id), ..target },
                false => target,
            });
            if self.random.once_in(6) {
                let last = targets[targets.len() - 1];
                targets.push(last);
            }
        }
        let content = SharedPayload { body: body.as_bytes(), ..SharedPayload::default() };
        self.engine.fan_out(&targets, &content).unwrap();
    }

    fn receive(&mut self) {
        let at = self.random.below(self.queues.len());
        let visibility = [Some(0), Some(5_000), None][self.random.below(3)];
        let request = Receive { max: 1 + self.random.below(10), visibility, ..Receive::default() };
        let receipts = &mut self.receipts;
        let sink = |message: Delivery<'_>| receipts.push((at, message.receipt));
        self.queues[at].try_receive(&request, sink).unwrap();
    }

    fn delete(&mut self) {
        for _ in 0..6 {
            if self.receipts.is_empty() {
                return;
            }
            let at = self.random.below(self.receipts.len());
            let (queue, receipt) = self.receipts.swap_remove(at);
            let _expired = self.queues[queue].delete(&receipt);
        }
    }

    fn extend(&mut self) {
        let Some((queue, receipt)) = self.receipts.last() else { return };
        let visibility = [0, 1_000, 90_000][self.random.below(3)];
        let _expired = self.queues[*queue].extend(receipt, visibility);
    }

    fn rarely(&mut self) {
        match self.random.below(30) {
            0 => drop(self.queues[self.random.below(self.queues.len())].purge().unwrap()),
            1..=3 => {
                let dead = self.queues[2].id();
                let _one_runs = self.engine.start_redrive(dead, None, Some(50));
            }
            4..=6 => {
                let queue = &self.queues[self.random.below(2)];
                let mut config = queue.config();
                config.visibility = 1_000 * (1 + self.random.below(60) as u64);
                queue.configure(config, b"changed").unwrap();
            }
            7..=9 => {
                let queue = make(&self.engine, &format!("short-{}", self.at), standard_queue());
                self.queues.push(queue);
                for _ in 0..8 {
                    self.send();
                    self.fan_out();
                }
                let gone = self.queues.pop().unwrap();
                self.receipts.retain(|(queue, _)| *queue < self.queues.len());
                gone.remove().unwrap();
            }
            10..=12 => self.engine.advance(self.random.below(4_000) as u64).unwrap(),
            13..=16 => self.engine.compact_oldest().unwrap(),
            _ => {
                let key = format!("key{}", self.random.below(8));
                let body = self.body();
                let value = (!self.random.once_in(3)).then_some(body.as_bytes());
                self.engine.put_document(&key, value).unwrap();
            }
        }
    }
}

fn fill(path: &Path, seed: u64) -> (Messages, Millis) {
    let engine = on_disk(path, START);
    let dead = make(&engine, "dead", standard_queue());
    let dead_fifo = make(&engine, "dead.fifo", fifo_queue());
    let to = |queue: &Queue| Some(DeadLetter { queue: queue.id(), max_receive_count: 2 });
    let plain = QueueConfig { dead_letter: to(&dead), visibility: 3_000, ..standard_queue() };
    let fifo = QueueConfig { dead_letter: to(&dead_fifo), visibility: 3_000, ..fifo_queue() };
    let (plain, fifo) = (make(&engine, "plain", plain), make(&engine, "q.fifo", fifo));
    let queues = vec![plain, fifo, dead, dead_fifo];
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for at in 0..3 {
            let (engine, queues, done) = (engine.clone(), queues.clone(), &done);
            scope.spawn(move || {
                let (random, receipts) = (Random::new(seed * 10 + at), Vec::new());
                let mut worker = Worker { engine, queues, random, receipts, number: 0, at };
                while !done.load(Ordering::Relaxed) {
                    worker.work();
                }
                // Behind the last checkpoint, too.
                (0..20).for_each(|_| worker.work());
            });
        }
        for _ in 0..CHECKPOINTS {
            thread::sleep(std::time::Duration::from_millis(15));
            assert!(engine.host().checkpoint().unwrap());
        }
        done.store(true, Ordering::Relaxed);
    });
    let (seen, now) = (messages(&engine), engine.clock().now());
    engine.close().unwrap();
    (seen, now)
}

#[test]
fn a_checkpoint_beside_all_verbs_of_queues_misses_nothing() {
    for seed in 1..=ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let (seen, now) = fill(folder.path(), seed);
        let whole = copy(folder.path());
        std::fs::remove_file(checkpoint_of(whole.path())).unwrap();
        let (one, other) = (on_disk(folder.path(), now), on_disk(whole.path(), now));
        assert_eq!(state(&one), state(&other), "round {seed}");
        assert_eq!(messages(&one), seen, "round {seed}");
        assert_eq!(messages(&other), seen, "round {seed}");
    }
}

#[test]
fn a_purge_that_matters_no_longer_is_gone_with_its_segment() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let queue = make(&engine, "q", standard_queue());
    queue.purge().unwrap();
    for number in 0..200 {
        engine.put_document(&format!("key{}", number % 8), Some(&[b'x'; 900])).unwrap();
    }
    assert!(engine.host().checkpoint().unwrap());
    engine.advance(61_000).unwrap();
    for _ in 0..4 {
        engine.compact_oldest().unwrap();
    }
    let now = engine.clock().now();
    engine.close().unwrap();
    let whole = copy(folder.path());
    std::fs::remove_file(checkpoint_of(whole.path())).unwrap();
    let (one, other) = (on_disk(folder.path(), now), on_disk(whole.path(), now));
    assert_eq!(state(&one), state(&other));
}
