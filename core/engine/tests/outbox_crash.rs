//! Random deliveries, random crashes: none is lost, none is both delivered and dead-lettered.
//!
//! A seed decides the work, the moment of the crash and what the disk forgets in it. What was
//! acknowledged before the crash has to hold after it: an accepted delivery is waiting, delivered,
//! dead-lettered or recorded as failed; one whose end was acknowledged has exactly that end.
//!
//! `TRUNKLINE_SIM_SEED` (first seed) and `TRUNKLINE_SIM_RUNS` (how many) choose the runs.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trunkline_engine::delivery::{Delay, Ended, Jitter, Phase, RetryTable};
use trunkline_engine::{
    AttemptRef, Clock, DestinationConfig, Durability, Engine, Millis, OpenOptions, Outgoing,
    Receive, ResourceId, Seq, Target, Transport, queue_name, standard_queue,
};
use trunkline_journal::sim::{Random, SimStorage};

const RUNS: u64 = 60;
const START: Millis = 1_700_000_000_000;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What is known of one delivery. A step is a moment of the disk; the end counts from `at_step`.
#[derive(Debug, Clone, Default)]
struct Known {
    seq: Seq,
    accepted: Option<usize>,
    /// A handler said that it took the delivery, acknowledged or not.
    taken: bool,
    end: Option<(End, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    DeadLettered,
    Failed,
}

struct Run {
    storage: SimStorage,
    engine: Arc<Engine>,
    id: ResourceId,
    known: BTreeMap<String, Known>,
    has_dead_letters: bool,
}

fn open(storage: &SimStorage, now: Millis) -> Arc<Engine> {
    let options = OpenOptions {
        storage: Some(Arc::new(storage.clone())),
        clock: Arc::new(Clock::virtual_at(now)),
        durability: Durability::Disk,
        seed: Some(7),
        // Small, so that a run sees many segments begin, be compacted and be recycled.
        segment_bytes: 8 << 10,
        background: false,
        ..OpenOptions::memory()
    };
    Engine::open(options).unwrap()
}

fn config(dead_letter: Option<ResourceId>) -> DestinationConfig {
    let phase = Phase { retries: 3, delay: Delay::Fixed(10_000) };
    DestinationConfig {
        transport: Transport::Handler { lease: 30_000 },
        retry: RetryTable::new(vec![phase], None, Jitter::None).unwrap(),
        dead_letter,
        concurrency: 1,
        renderer: None,
        http: Default::default(),
    }
}

impl Run {
    fn start(has_dead_letters: bool) -> Self {
        let storage = SimStorage::new();
        let engine = open(&storage, START);
        let dead = engine.create_queue(queue_name("dead"), standard_queue(), b"").unwrap();
        let dead = has_dead_letters.then(|| dead.id());
        let id = engine.create_destination("handler", &config(dead)).unwrap();
        engine.flush().unwrap();
        Self { storage, engine, id, known: BTreeMap::new(), has_dead_letters }
    }

    fn work(&mut self, random: &mut Random) {
        for turn in 0..120 {
            match random.below(10) {
                0..=3 => self.deliver(turn, random),
                4..=7 => self.handle(random),
                8 => self.engine.advance(5_000 * random.below(9) as u64).unwrap(),
                _ => self.engine.compact_oldest().unwrap(),
            }
        }
    }

    fn deliver(&mut self, turn: usize, random: &mut Random) {
        let body = format!("{turn:03} {}", "x".repeat(random.below(900)));
        let delivery = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
        let sent = self.engine.deliver(Target::Outbox(self.id), &delivery).unwrap();
        let mut known = Known { seq: sent.seq, ..Known::default() };
        if random.below(3) > 0 {
            self.engine.wait(sent.ticket.unwrap(), Durability::Disk).unwrap();
            known.accepted = Some(self.storage.steps());
        }
        self.known.insert(body, known);
    }

    fn handle(&mut self, random: &mut Random) {
        let gives_up = self.gives_up();
        let handler = self.engine.outbox().enter_handler(self.id).unwrap();
        let before = self.engine.outbox().statistics(self.id).unwrap();
        for leased in handler.lease(1 + random.below(3)).unwrap() {
            let body = String::from_utf8(leased.body.clone()).unwrap();
            let known = self.known.get_mut(&body).expect("a delivery that was accepted");
            assert!(known.end.is_none(), "{body:.4} comes back after {:?}", known.end);
            let (ended, end) = match random.below(5) {
                // The handler dies with it.
                0 => continue,
                1 | 2 => (Ended::Delivered, Some(End::Delivered)),
                3 => (Ended::Transient { why: "down".to_owned(), retry_after: None }, None),
                _ => (Ended::Permanent { why: "no".to_owned() }, Some(gives_up)),
            };
            known.taken |= ended == Ended::Delivered;
            handler.settle(&AttemptRef::from(&leased), &ended).unwrap();
            if random.below(2) == 0 {
                self.engine.flush().unwrap();
                let known = self.known.get_mut(&body).unwrap();
                known.end = end.map(|end| (end, self.storage.steps()));
            }
        }
        drop(handler);
        let after = self.engine.outbox().statistics(self.id).unwrap();
        assert!(after.due + after.leased <= before.due + before.leased);
    }

    fn gives_up(&self) -> End {
        if self.has_dead_letters { End::DeadLettered } else { End::Failed }
    }

    /// Opens what a crash left, and holds it against what is known.
    fn crash(&self, random: &mut Random) {
        let step = random.below(self.storage.steps() + 1);
        let image = match random.once_in(4) {
            true => self.storage.killed(step),
            false => self.storage.power_loss(step, random.next_u64()),
        };
        let storage = SimStorage::from_image(image);
        let engine = open(&storage, self.engine.clock().now());
        let Some(id) = engine.find_destination("handler").unwrap() else {
            assert!(self.known.values().all(|known| known.accepted.is_none_or(|at| at > step)));
            return;
        };
        let seen = Seen::of(&engine, id);
        for (body, known) in &self.known {
            seen.check(body, known, step);
        }
        seen.drain(&engine, id);
    }
}

/// Where every delivery is after a crash.
#[derive(Debug)]
struct Seen {
    waiting: BTreeSet<String>,
    dead: BTreeSet<String>,
    failed: BTreeSet<Seq>,
}

impl Seen {
    fn of(engine: &Engine, id: ResourceId) -> Self {
        let failed = engine.outbox().failures(id).unwrap();
        let failed: BTreeSet<Seq> = failed.iter().map(|failure| failure.seq).collect();
        let dead = engine.find_queue(&queue_name("dead")).unwrap().unwrap();
        Self { waiting: peek(&engine.queue_by_id(id).unwrap()), dead: peek(&dead), failed }
    }

    fn check(&self, body: &str, known: &Known, step: usize) {
        let (waits, dead) = (self.waiting.contains(body), self.dead.contains(body));
        let failed = self.failed.contains(&known.seq);
        let tell = || format!("{body:.4}: {known:?}, crash at {step}: {waits} {dead} {failed}");
        assert!(!(waits && dead), "twice: {}", tell());
        assert!(!(dead && failed), "two ends: {}", tell());
        match known.end.filter(|(_, at)| *at <= step) {
            Some((End::Delivered, _)) => assert!(!waits && !dead && !failed, "{}", tell()),
            Some((End::DeadLettered, _)) => assert!(dead && !waits, "{}", tell()),
            Some((End::Failed, _)) => assert!(failed && !waits, "{}", tell()),
            None if known.accepted.is_some_and(|at| at <= step) => {
                assert!(waits || dead || failed || known.taken, "lost: {}", tell());
            }
            None => {}
        }
    }

    /// Everything that waits is delivered, once; what was recorded too early is forgotten.
    fn drain(&self, engine: &Engine, id: ResourceId) {
        let mut delivered = BTreeSet::new();
        let mut given_up = 0;
        for _ in 0..8 {
            engine.advance(31_000).unwrap();
            let handler = engine.outbox().enter_handler(id).unwrap();
            for leased in handler.lease(1_000).unwrap() {
                handler.settle(&AttemptRef::from(&leased), &Ended::Delivered).unwrap();
                let recorded = engine.outbox().failures(id).unwrap();
                let seq = leased.receipt.seq;
                assert!(!recorded.iter().any(|failure| failure.seq == seq), "failed and delivered");
                let body = String::from_utf8(leased.body).unwrap();
                assert!(self.waiting.contains(&body), "{body:.4} comes from nowhere");
                assert!(delivered.insert(body), "delivered twice");
            }
            drop(handler);
            let statistics = engine.outbox().statistics(id).unwrap();
            given_up = statistics.dead_lettered + statistics.failed;
        }
        assert_eq!(delivered.len() as u64 + given_up, self.waiting.len() as u64);
        let there = engine.outbox().statistics(id).unwrap();
        assert_eq!((there.due, there.leased), (0, 0));
    }
}

fn peek(queue: &trunkline_engine::Queue) -> BTreeSet<String> {
    let mut bodies = BTreeSet::new();
    queue
        .peek(10_000, true, |message| {
            let body = String::from_utf8(message.body.to_vec()).unwrap();
            assert!(bodies.insert(body), "one delivery is there twice");
        })
        .unwrap();
    // A peek shows what is visible or leased; what waits for its delay is none of ours.
    bodies
}

struct Blame(u64);

impl Drop for Blame {
    fn drop(&mut self) {
        eprintln!("repeat with TRUNKLINE_SIM_SEED={} TRUNKLINE_SIM_RUNS=1", self.0);
    }
}

#[test]
fn no_delivery_is_lost_and_none_has_two_ends() {
    let (first, runs) = (number("TRUNKLINE_SIM_SEED", 1), number("TRUNKLINE_SIM_RUNS", RUNS));
    for seed in first..first + runs {
        let blame = Blame(seed);
        let mut random = Random::new(seed);
        let mut run = Run::start(seed % 2 == 0);
        run.work(&mut random);
        for _ in 0..6 {
            run.crash(&mut random);
        }
        std::mem::forget(blame);
    }
    println!("{runs} runs from seed {first}, {} crashes, 0 violations", runs * 6);
}

#[test]
fn unused_dead_letter_queues_stay_empty() {
    let mut run = Run::start(false);
    run.work(&mut Random::new(3));
    let dead = run.engine.find_queue(&queue_name("dead")).unwrap().unwrap();
    assert_eq!(dead.try_receive(&Receive::default(), |_| {}).unwrap().count, 0);
}
