//! Random work, random crashes: what comes back is a moment of what was.
//!
//! A seed decides the work, the clock, the moment of the crash and what the disk forgets in it. The
//! observer writes down how every queue looked after every operation. After the crash the engine is
//! opened again, and must look as it did after one of the operations at or behind the last one that
//! was acknowledged (in between, if that one was a batch). Then everything is drained: no message
//! is missing, none comes twice, no group is out of order, no dedup id is forgotten.
//!
//! `TRUNKLINE_SIM_SEED` (first seed) and `TRUNKLINE_SIM_RUNS` (how many) choose the runs.

#![allow(clippy::unwrap_used)]

mod observe;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use observe::{Moment, drain, look};
use trunkline_conformance::{NOUNS, Noun, state};
use trunkline_engine::{Clock, Durability, Engine, Millis, OpenOptions};
use trunkline_host::mutant::{self, Mutant};
use trunkline_journal::sim::{Image, Random, SimStorage};
use work::Work;

const RUNS: u64 = 60;
const CRASHES_PER_RUN: usize = 4;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Opens an engine on a simulated disk, with a clock that stands at `now`.
pub fn open(storage: &SimStorage, now: Millis) -> (Arc<Engine>, Arc<Clock>) {
    let clock = Arc::new(Clock::virtual_at(now));
    let options = OpenOptions {
        storage: Some(Arc::new(storage.clone())),
        clock: clock.clone(),
        durability: Durability::Disk,
        seed: Some(7),
        // Small, so that a run sees many segments begin, be cleaned and be recycled.
        segment_bytes: 8 << 10,
        background: false,
        ..OpenOptions::memory()
    };
    (trunkline_conformance::open(options).unwrap(), clock)
}

#[test]
fn what_comes_back_after_a_crash_is_a_moment_of_what_was() {
    let (first, runs) = (number("TRUNKLINE_SIM_SEED", 1), number("TRUNKLINE_SIM_RUNS", RUNS));
    let mut crashes = 0;
    for seed in first..first + runs {
        // Whatever fails below says which seed it was.
        let blame = Blame(seed);
        crashes += run(seed, None);
        std::mem::forget(blame);
    }
    println!("{runs} runs from seed {first}, {crashes} crashes, 0 violations");
}

#[test]
fn a_put_and_a_publish_are_there_as_a_whole_or_not_at_all() {
    let (first, runs) = (number("TRUNKLINE_SIM_SEED", 1), number("TRUNKLINE_SIM_RUNS", RUNS) / 5);
    for seed in first..first + runs.max(1) {
        let blame = Blame(seed);
        for name in NOUNS_THAT_FAN_OUT {
            run_often(seed, name);
        }
        std::mem::forget(blame);
    }
}

#[test]
fn a_put_or_a_publish_that_is_split_is_found() {
    // A publish has no bodies of its own, and only a FIFO topic takes part in the step.
    const SPLITS: [(&str, Mutant); 5] = [
        ("event buses", Mutant::SplitStep),
        ("event buses", Mutant::OwnBodiesApart),
        ("event buses", Mutant::ParticipantsApart),
        ("topics", Mutant::SplitStep),
        ("topics", Mutant::ParticipantsApart),
    ];
    for (name, mutant) in SPLITS {
        mutant::enable(&[mutant]);
        let found = (1..=200)
            .find(|seed| catch_unwind(AssertUnwindSafe(|| run_often(*seed, name))).is_err());
        mutant::enable(&[]);
        println!("{mutant:?} of {name}: seed {found:?}");
        assert!(found.is_some(), "{mutant:?} of {name} was not found");
    }
}

const NOUNS_THAT_FAN_OUT: [&str; 2] = ["event buses", "topics"];

/// A run whose every second operation is one of this noun, and in which other threads seem to
/// commit between any two steps of the journal.
fn run_often(seed: u64, name: &str) -> usize {
    let noun = NOUNS.iter().find(|noun| noun.name() == name).unwrap();
    mutant::commit_between_steps(Some(seed));
    let crashes = run(seed, Some(*noun));
    mutant::commit_between_steps(None);
    crashes
}

struct Blame(u64);

impl Drop for Blame {
    fn drop(&mut self) {
        eprintln!("seed {0}: repeat with `make sim SEED={0} RUNS=1`", self.0);
    }
}

/// A run; every second operation is one of the noun `often`.
fn run(seed: u64, often: Option<&'static dyn Noun>) -> usize {
    let mut random = Random::new(seed);
    let storage = SimStorage::new();
    let history = Work::new(&storage, seed, often).run(&mut random);
    for _ in 0..CRASHES_PER_RUN {
        let crash = Crash::choose(&history, &storage, &mut random);
        let (image, now) = (crash.image.clone(), crash.now);
        crash.check(&history);
        if random.once_in(3) {
            // Work goes on after a crash, and may crash again.
            let storage = SimStorage::from_image(image);
            let history = Work::again(&storage, now, 2, often).run(&mut random);
            Crash::choose(&history, &storage, &mut random).check(&history);
        }
    }
    CRASHES_PER_RUN
}

/// The image without its checkpoint.
fn without(image: &Image) -> Image {
    let mut image = image.clone();
    image.files_mut().retain(|name, _| !name.starts_with("checkpoint-"));
    image
}

/// One crash and what may be seen after it.
struct Crash {
    image: Image,
    now: Millis,
    /// Indices of the earliest and the latest moment that may come back.
    earliest: usize,
    latest: usize,
}

impl Crash {
    fn choose(history: &[Moment], storage: &SimStorage, random: &mut Random) -> Self {
        let opened = history[0].steps_after;
        let step = opened + random.below(storage.steps() - opened + 1);
        let killed = random.once_in(4);
        let image =
            if killed { storage.killed(step) } else { storage.power_loss(step, random.next_u64()) };
        // Acknowledged before the crash: everything up to there has to come back.
        let durable = |moment: &Moment| moment.acknowledged && moment.steps_after <= step;
        let earliest = history.iter().rposition(durable).unwrap_or(0);
        let begun = |moment: &Moment| moment.steps_before <= step;
        let latest = history.iter().rposition(begun).unwrap_or(0);
        Self { image, now: history[latest].now, earliest, latest }
    }

    fn check(self, history: &[Moment]) {
        let (replayed, _) = open(&SimStorage::from_image(without(&self.image)), self.now);
        let storage = SimStorage::from_image(self.image);
        let (engine, _) = open(&storage, self.now);
        assert_eq!(state(&engine), state(&replayed), "an opening from the checkpoint differs");
        let seen = look(&engine);
        let candidates = &history[self.earliest..=self.latest];
        // A crash in the middle of an operation may show part of it.
        let fits = candidates.iter().any(|moment| seen.is(moment, self.now))
            || candidates.windows(2).any(|pair| seen.is_between(&pair[0], &pair[1]));
        assert!(
            fits,
            "none of the moments {}..={} looks like what came back:\n{seen:?}\nthe first: {:?}\n\
             the last: {:?}",
            self.earliest,
            self.latest,
            candidates[0],
            candidates[candidates.len() - 1],
        );
        drain(&engine, &seen, &history[self.earliest]);
    }
}
