//! Random fan-outs, random crashes: all messages of a fan-out are there, or none; no payload is
//! lost, none is kept without a message. Deliberate defects prove that the checks find them.
//!
//! `TRUNKLINE_SIM_SEED` (first seed) and `TRUNKLINE_SIM_RUNS` (how many) choose the runs.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use trunkline_engine::{
    Clock, DeadLetter, Delivery, Durability, Engine, FanTarget, Millis, OpenOptions, Queue,
    QueueConfig, QueueKind, Receive, SharedPayload, Target, Ticket, fifo_queue, standard_queue,
};
use trunkline_host::mutant::{self, Mutant};
use trunkline_journal::sim::{Random, SimStorage};

use crate::common::{START, find, queue, receive};
use crate::payloads;

const RUNS: u64 = 40;
const OPERATIONS: usize = 60;
const CRASHES: usize = 4;
const STANDARD: [&str; 3] = ["a", "b", "c"];
const FIFO: [&str; 2] = ["d.fifo", "e.fifo"];
const DEAD: &str = "dead";

/// What is known of one fan-out.
#[derive(Debug, Clone, Default)]
struct Known {
    body: String,
    /// The queues it went to.
    queues: BTreeSet<&'static str>,
    /// The queues whose message may be gone.
    ended: BTreeSet<String>,
    /// From which step of the disk on it is durable.
    durable: Option<usize>,
    ticket: Option<Ticket>,
}

fn open(storage: &SimStorage, now: Millis) -> Arc<Engine> {
    let options = OpenOptions {
        storage: Some(Arc::new(storage.clone())),
        clock: Arc::new(Clock::virtual_at(now)),
        durability: Durability::Disk,
        seed: Some(7),
        // Small, so that fan-outs span segments and segments are compacted.
        segment_bytes: 8 << 10,
        background: false,
        ..OpenOptions::memory()
    };
    Engine::open(options).unwrap()
}

struct Work {
    storage: SimStorage,
    engine: Arc<Engine>,
    known: Vec<Known>,
    /// What was known before each step of the disk.
    history: Vec<(usize, Vec<Known>)>,
}

impl Work {
    fn new() -> Self {
        let storage = SimStorage::new();
        let engine = open(&storage, START);
        let dead = queue(&engine, DEAD, standard_queue());
        let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
        for name in STANDARD {
            queue(&engine, name, QueueConfig { dead_letter, ..standard_queue() });
        }
        FIFO.into_iter().for_each(|name| drop(queue(&engine, name, fifo_queue())));
        engine.flush().unwrap();
        Self { storage, engine, known: Vec::new(), history: Vec::new() }
    }

    fn run(&mut self, random: &mut Random) {
        for _ in 0..OPERATIONS {
            self.note();
            match random.below(10) {
                0..=4 => self.publish(random),
                5 | 6 => self.delete(random),
                7 => self.dead_letter(random),
                8 => self.engine.compact_oldest().unwrap(),
                _ if random.once_in(4) => self.purge(random),
                _ => self.engine.flush().unwrap(),
            }
            self.learn_what_is_durable();
            payloads(&self.engine);
        }
        self.note();
    }

    fn note(&mut self) {
        self.history.push((self.storage.steps(), self.known.clone()));
    }

    fn learn_what_is_durable(&mut self) {
        let step = self.storage.steps();
        for known in self.known.iter_mut().filter(|known| known.durable.is_none()) {
            let Some(ticket) = known.ticket else { continue };
            if self.engine.is_settled(ticket, Durability::Disk).unwrap() {
                known.durable = Some(step);
            }
        }
    }

    fn publish(&mut self, random: &mut Random) {
        let number = self.known.len();
        let width = [20, 20, 3_000][random.below(3)];
        let body = format!("f{number:0width$}");
        let mut queues: BTreeSet<&'static str> = BTreeSet::new();
        for name in STANDARD.into_iter().chain(FIFO) {
            if random.once_in(2) {
                queues.insert(name);
            }
        }
        let known = Known { body, queues, ..Known::default() };
        // Known before it begins: a crash in the middle may show it.
        self.known.push(known.clone());
        self.note();
        let ticket = send(&self.engine, &known, number);
        self.known[number].ticket = ticket;
        if let Some(ticket) = ticket.filter(|_| random.once_in(3)) {
            self.engine.wait(ticket, Durability::Disk).unwrap();
        }
    }

    fn any(&self, random: &mut Random) -> Arc<Queue> {
        let names: Vec<&str> = STANDARD.into_iter().chain(FIFO).chain([DEAD]).collect();
        find(&self.engine, names[random.below(names.len())])
    }

    /// Nothing is known any more of the messages of `queue` with these bodies.
    fn end(&mut self, queue: &Queue, bodies: &BTreeSet<String>) {
        for known in self.known.iter_mut().filter(|known| bodies.contains(&known.body)) {
            known.ended.insert(queue.name().name.clone());
        }
        self.note();
    }

    fn delete(&mut self, random: &mut Random) {
        let queue = self.any(random);
        let got = receive(&queue, 1 + random.below(3));
        let bodies = got.iter().map(|message| message.body.clone()).collect();
        self.end(&queue, &bodies);
        got.iter().for_each(|message| assert!(queue.delete(&message.receipt).is_ok()));
    }

    /// Messages that were received once go to the dead-letter queue.
    fn dead_letter(&mut self, random: &mut Random) {
        let queue = find(&self.engine, STANDARD[random.below(STANDARD.len())]);
        for _ in 0..2 {
            let request = Receive { max: 2, visibility: Some(0), ..Receive::default() };
            queue.try_receive(&request, |_| {}).unwrap();
        }
    }

    fn purge(&mut self, random: &mut Random) {
        let queue = self.any(random);
        let bodies = seen(&self.engine).into_keys().map(|(_, body)| body).collect();
        self.end(&queue, &bodies);
        queue.purge().unwrap();
    }
}

fn send(engine: &Engine, known: &Known, number: usize) -> Option<Ticket> {
    let id = number.to_string();
    let mut targets = Vec::new();
    for name in &known.queues {
        let queue = find(engine, name);
        let target = FanTarget::of(Target::Queue(queue.id()));
        targets.push(match queue.kind() {
            QueueKind::Standard => target,
            QueueKind::Fifo => FanTarget { group: Some("g"), dedup_id: Some(&id), ..target },
        });
    }
    let content = SharedPayload { body: known.body.as_bytes(), ..SharedPayload::default() };
    let out = engine.fan_out(&targets, &content).unwrap();
    for sent in out.results {
        assert!(!sent.unwrap().duplicate, "the id of {} was taken", known.body);
    }
    out.ticket
}

/// How many messages there are, by queue and body.
fn seen(engine: &Engine) -> BTreeMap<(String, String), usize> {
    let mut seen = BTreeMap::new();
    for queue in engine.queues(None, None, "").unwrap() {
        let see = |message: Delivery<'_>| {
            let body = String::from_utf8(message.body.to_vec()).unwrap();
            *seen.entry((queue.name().name.clone(), body)).or_insert(0) += 1;
        };
        queue.peek(usize::MAX >> 1, true, see).unwrap();
        let statistics = queue.statistics().unwrap();
        let there: usize =
            seen.iter().filter(|((name, _), _)| *name == queue.name().name).map(|(_, n)| n).sum();
        assert_eq!(there as u64, statistics.visible + statistics.in_flight, "it can be read");
    }
    seen
}

/// Whether all of a fan-out is there; `None` when its messages may all be gone.
fn is_whole(known: &Known, seen: &BTreeMap<(String, String), usize>) -> Option<bool> {
    let at = |queue: &str| seen.get(&(queue.to_owned(), known.body.clone())).copied().unwrap_or(0);
    let total = at(DEAD) + known.queues.iter().map(|queue| at(queue)).sum::<usize>();
    assert!(total <= known.queues.len(), "{} came twice", known.body);
    // A message that was moved to the dead-letter queue and may be deleted there says nothing.
    let dead_ended = known.ended.contains(DEAD);
    let ended = |queue: &str| known.ended.contains(queue);
    let open = known.queues.iter().filter(|queue| !ended(queue));
    let missing = open.clone().filter(|queue| at(queue) == 0).count();
    if dead_ended {
        return (total > 0).then_some(true);
    }
    // What is not where it was sent has to be among the dead letters.
    match (total, missing) {
        (0, 0) => None,
        (0, _) => Some(false),
        (_, missing) => {
            assert!(missing <= at(DEAD), "a part of {} is there: {seen:?}", known.body);
            Some(true)
        }
    }
}

fn check(storage: &SimStorage, step: usize, known: &[Known]) {
    let engine = open(storage, START);
    payloads(&engine);
    let before = seen(&engine);
    let mut undone = Vec::new();
    for (number, known) in known.iter().enumerate() {
        let is_durable = known.durable.is_some_and(|durable| durable <= step);
        let whole = is_whole(known, &before);
        assert!(!is_durable || whole != Some(false), "{} was acknowledged", known.body);
        if whole == Some(false) {
            undone.push((number, known));
        }
    }
    // Life goes on, and what did not happen does not come back with it.
    let after = Known {
        body: "after".to_owned(),
        queues: STANDARD.into_iter().chain(FIFO).collect(),
        ..Known::default()
    };
    send(&engine, &after, 1_000_000);
    engine.flush().unwrap();
    engine.close().unwrap();
    let engine = open(storage, START);
    payloads(&engine);
    let again = seen(&engine);
    assert_eq!(again.len(), before.len() + after.queues.len(), "something came back");
    // An id that no message stands for is free.
    for (number, known) in undone {
        send(&engine, known, number);
    }
    for queue in engine.queues(None, None, "").unwrap() {
        queue.purge().unwrap();
    }
    assert_eq!(payloads(&engine), 0);
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    let mut work = Work::new();
    let opened = work.storage.steps();
    work.run(&mut random);
    for _ in 0..CRASHES {
        let step = opened + random.below(work.storage.steps() - opened + 1);
        let killed = random.once_in(3);
        let image = match killed {
            true => work.storage.killed(step),
            false => work.storage.power_loss(step, random.next_u64()),
        };
        // What had begun by then, and what was known to be durable later does no harm.
        let at = work.history.iter().rposition(|(begun, _)| *begun <= step).unwrap_or(0);
        let mut known = work.history[at].1.clone();
        for (known, last) in known.iter_mut().zip(&work.known) {
            known.durable = last.durable;
        }
        check(&SimStorage::from_image(image), step, &known);
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn a_crash_leaves_all_of_a_fan_out_or_none_of_it() {
    let (first, runs) = (number("TRUNKLINE_SIM_SEED", 1), number("TRUNKLINE_SIM_RUNS", RUNS));
    for seed in first..first + runs {
        println!("seed {seed}");
        run(seed);
    }
}

#[test]
fn a_step_that_was_split_over_batches_is_still_whole_or_not_there() {
    // As earlier builds wrote it: the payload, which comes last, commits the messages before it.
    mutant::enable(&[Mutant::SplitStep]);
    (1..=RUNS).for_each(run);
    mutant::enable(&[]);
}

#[test]
fn deliberate_defects_are_found() {
    const MUTANTS: [Mutant; 8] = [
        Mutant::PayloadFirst,
        Mutant::KeepUncommitted,
        Mutant::KeepUncommittedDedup,
        Mutant::LoseTarget,
        Mutant::ReuseNumber,
        Mutant::ForgetRelease,
        Mutant::MoveWithoutReference,
        Mutant::ForgetRelocation,
    ];
    for mutant in MUTANTS {
        // Without batches that keep a step together, which hide what is wrong behind them.
        mutant::enable(&[Mutant::SplitStep, mutant]);
        let found = (1..=200).any(|seed| catch_unwind(AssertUnwindSafe(|| run(seed))).is_err());
        mutant::enable(&[]);
        assert!(found, "{mutant:?} was not found");
    }
}
