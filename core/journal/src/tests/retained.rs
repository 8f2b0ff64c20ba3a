//! Retained logs against a model, with crashes at random steps, damaged files, and mutants.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_types::{Code, Result};

use super::workload::options;
use crate::mutant::Mutant;
use crate::retained::{RetainedLoader, RetainedLog, RetainedRecord};
use crate::sim::{Image, Random, SimStorage};
use crate::{Journal, Lsn};

const KIND: u8 = 77;
const LOGS: u64 = 2;
const RUNS: u64 = 250;
const VERBS_MAX: usize = 60;
const STATES: usize = 6;
const SEEDS_MAX: u64 = 1_500;

struct Open {
    journal: Journal,
    logs: BTreeMap<u64, RetainedLog>,
}

fn open(disk: &SimStorage, mutant: Option<Mutant>) -> Result<Open> {
    let mut loader = RetainedLoader::default();
    let mut replay = |lsn: Lsn, bytes: &[u8]| {
        assert_eq!(bytes[0], KIND);
        loader.apply(lsn, bytes.len() as u32, RetainedRecord::decode(&bytes[1..])?)
    };
    let journal = Journal::open(Arc::new(disk.clone()), options(mutant), &mut replay)?;
    let mut logs: BTreeMap<u64, RetainedLog> =
        loader.finish(&journal, KIND)?.into_iter().map(|log| (log.id(), log)).collect();
    for id in 1..=LOGS {
        logs.entry(id).or_insert_with(|| RetainedLog::create(&journal, id, KIND));
    }
    Ok(Open { journal, logs })
}

/// What a log has to hold.
#[derive(Debug, Clone, Default)]
struct Model {
    /// All entries from 1 on, expired ones too.
    entries: Vec<(u64, Vec<u8>)>,
    /// From this step on, so many entries are durable.
    durable: Vec<(usize, u64)>,
    /// From the first step on, entries before `first` may be gone; from the second on, they are.
    expired: Vec<(usize, usize, u64)>,
}

type Models = BTreeMap<u64, Model>;

fn run(
    disk: &SimStorage,
    models: &mut Models,
    mutant: Option<Mutant>,
    random: &mut Random,
) -> Result<()> {
    let mut engine = open(disk, mutant)?;
    let mut time = 1_000;
    for _ in 0..1 + random.below(VERBS_MAX) {
        let id = 1 + random.below(LOGS as usize) as u64;
        match random.below(20) {
            0..11 => append(&engine, models, id, &mut time, random)?,
            11..13 => {
                engine.journal.flush()?;
                promise_all(models, disk);
            }
            13..15 => {
                engine.logs[&id].seal(&mut ())?;
                promise(models, id, disk);
            }
            15..17 => expire(&engine, models, id, disk, random)?,
            17..19 => {
                if reclaim(&engine)? {
                    promise_all(models, disk);
                }
            }
            _ => {
                engine.journal.close()?;
                promise_all(models, disk);
                engine = open(disk, mutant)?;
            }
        }
    }
    std::mem::forget(engine);
    Ok(())
}

fn append(
    engine: &Open,
    models: &mut Models,
    id: u64,
    time: &mut u64,
    random: &mut Random,
) -> Result<()> {
    let mut appender = engine.journal.lock()?;
    let model = models.entry(id).or_default();
    for _ in 0..1 + random.below(6) {
        // The clock may step back.
        *time = (*time + random.below(50) as u64).saturating_sub(random.below(20) as u64);
        let payload = vec![random.next_u64() as u8; random.below(300)];
        let sequence = engine.logs[&id].append(&mut appender, *time, &[&payload], &mut ())?;
        model.entries.push((*time, payload));
        assert_eq!(sequence, model.entries.len() as u64);
    }
    Ok(())
}

fn expire(
    engine: &Open,
    models: &mut Models,
    id: u64,
    disk: &SimStorage,
    random: &mut Random,
) -> Result<()> {
    let log = &engine.logs[&id];
    let started = disk.steps();
    let before = 1_000 + random.below(400) as u64;
    log.expire(before, &super::as_it_says, &mut ())?;
    let model = models.entry(id).or_default();
    let (first, _) = log.range();
    let is_old = |(time, _): &(u64, Vec<u8>)| *time < before;
    assert!(model.entries[..first as usize - 1].iter().all(is_old) || !model.expired.is_empty());
    model.expired.push((started, disk.steps(), first));
    Ok(())
}

/// Seals what lies in the oldest segment, as compaction does, and reclaims it.
fn reclaim(engine: &Open) -> Result<bool> {
    let segments = engine.journal.segments();
    // Nothing is relocated out of the segment that is written to.
    if segments.len() < 2 {
        return Ok(false);
    }
    let oldest = segments[0].number;
    for log in engine.logs.values() {
        if log.oldest_segment().is_some_and(|segment| segment <= oldest) {
            log.seal(&mut ())?;
        }
        log.relocate(oldest, &mut ())?;
    }
    engine.journal.reclaim_oldest()
}

fn promise(models: &mut Models, id: u64, disk: &SimStorage) {
    let model = models.entry(id).or_default();
    model.durable.push((disk.steps(), model.entries.len() as u64));
}

fn promise_all(models: &mut Models, disk: &SimStorage) {
    (1..=LOGS).for_each(|id| promise(models, id, disk));
}

/// Compares a log with its model after a crash at `step`.
fn check(log: &RetainedLog, model: &Model, step: usize) -> std::result::Result<(u64, u64), String> {
    let (first, next) = log.range();
    let durable = model.durable.iter().filter(|(at, _)| *at <= step).map(|(_, count)| *count);
    let durable = durable.max().unwrap_or(0);
    if next <= durable {
        return Err(format!("{durable} entries were durable, the next one is {next}"));
    }
    let most = model.expired.iter().filter(|(from, ..)| *from <= step).map(|it| it.2).max();
    let least = model.expired.iter().filter(|(_, to, _)| *to <= step).map(|it| it.2).max();
    if first > most.unwrap_or(1) || first < least.unwrap_or(1) {
        return Err(format!("the first entry is {first}, expected {least:?} to {most:?}"));
    }
    let mut found = Vec::new();
    let read = log.read(0, &mut |entry| {
        found.push((entry.sequence, entry.time, entry.payload.to_vec()));
        true
    });
    read.map_err(|error| error.to_string())?;
    let expected: Vec<_> = (first..next)
        .zip(model.entries.iter().skip(first as usize - 1))
        .map(|(sequence, (time, payload))| (sequence, *time, payload.clone()))
        .collect();
    if found != expected || expected.len() as u64 != next - first {
        return Err(format!("entries {first}..{next} are not those that were appended"));
    }
    for time in [0, 1_000, 1_100, 1_250, 9_000] {
        let naive = found.iter().find(|(_, at, _)| *at >= time).map_or(next, |it| it.0);
        let sought = log.find_time(time).map_err(|error| error.to_string())?;
        if sought != naive {
            return Err(format!("time {time} is at {naive}, found {sought}"));
        }
    }
    log.verify().map_err(|error| error.to_string())?;
    Ok((first, next))
}

fn check_seed(seed: u64, mutant: Option<Mutant>) -> std::result::Result<usize, String> {
    let mut random = Random::new(seed);
    let mut disk = SimStorage::new();
    let mut models = Models::new();
    let mut states = 0;
    for _life in 0..2 {
        run(&disk, &mut models, mutant, &mut random).map_err(|error| error.to_string())?;
        let mut left = None;
        for _ in 0..STATES {
            let step = random.below(disk.steps() + 1);
            let image = disk.power_loss(step, random.next_u64());
            let after = SimStorage::from_image(image);
            let engine = open(&after, mutant).map_err(|error| error.to_string())?;
            let mut next_models = models.clone();
            for (id, log) in &engine.logs {
                let model = next_models.entry(*id).or_default();
                let (first, next) = check(log, model, step)
                    .map_err(|wrong| format!("log {id} after a crash at {step}: {wrong}"))?;
                model.entries.truncate(next as usize - 1);
                model.durable = vec![(0, next - 1)];
                model.expired = vec![(0, 0, first)];
            }
            std::mem::forget(engine);
            states += 1;
            left = Some((after, next_models));
        }
        if let Some((after, next_models)) = left {
            (disk, models) = (after, next_models);
        }
    }
    Ok(states)
}

#[test]
fn a_crash_loses_no_durable_entry_and_no_other_appears() {
    let mut states = 0;
    for seed in 0..RUNS {
        states += check_seed(seed, None).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
    println!("{states} crash states, 0 violations");
    assert!(states >= 2_000);
}

macro_rules! caught {
    ($($name:ident: $mutant:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            let caught = (0..SEEDS_MAX).any(|seed| {
                let run = || check_seed(seed, Some(Mutant::$mutant));
                !matches!(std::panic::catch_unwind(run), Ok(Ok(_)))
            });
            assert!(caught, "{:?} lived through {SEEDS_MAX} seeds", Mutant::$mutant);
        }
    )*};
}

caught! {
    a_sealed_file_without_a_sync_is_caught: SkipSealSync,
    a_record_before_its_sealed_file_is_caught: RecordBeforeSeal,
    a_file_removed_before_its_record_is_caught: ExpireBeforeRecord,
}

/// A log of three sealed files and some unsealed entries.
fn sealed() -> Image {
    let disk = SimStorage::new();
    let engine = open(&disk, None).expect("a new disk");
    for round in 0..4u64 {
        let mut appender = engine.journal.lock().expect("usable");
        for number in 0..40u64 {
            let time = round * 100 + number;
            let payload = [number as u8; 3_000];
            engine.logs[&1].append(&mut appender, time, &[&payload], &mut ()).expect("appended");
        }
        drop(appender);
        if round < 3 {
            assert_eq!(engine.logs[&1].seal(&mut ()).expect("sealed"), 40);
            while engine.journal.reclaim_oldest().expect("reclaimed") {}
        }
    }
    engine.journal.close().expect("closed");
    disk.killed(disk.steps())
}

#[test]
fn damaged_missing_and_swapped_files_are_named() {
    let image = sealed();
    let names: Vec<String> =
        image.files().keys().filter(|name| name.starts_with("retained-")).cloned().collect();
    assert_eq!(names.len(), 3);
    let refused = |damage: &dyn Fn(&mut Image)| {
        let mut image = image.clone();
        damage(&mut image);
        open(&SimStorage::from_image(image), None).err().map(|error| {
            assert_eq!(error.code(), Code::CorruptJournal);
            error.message().to_owned()
        })
    };
    assert_eq!(refused(&|_| {}), None);
    for name in &names {
        let gone = refused(&|image| drop(image.files_mut().remove(name))).expect("missing");
        assert!(gone.contains(name) && gone.contains("is missing"), "{gone}");
        let cut = refused(&|image| {
            image.files_mut().get_mut(name).expect("there").truncate(5_000);
        });
        assert!(cut.expect("cut").contains(name));
    }
    let swapped = refused(&|image| {
        let (first, second) = (image.files()[&names[0]].clone(), image.files()[&names[1]].clone());
        image.files_mut().insert(names[0].clone(), second);
        image.files_mut().insert(names[1].clone(), first);
    });
    assert!(swapped.expect("swapped").contains(&names[0]));
    // A block is read when it is needed: opening looks at the footer only.
    let mut damaged = image.clone();
    damaged.files_mut().get_mut(&names[1]).expect("there")[60_000] ^= 1;
    let engine = open(&SimStorage::from_image(damaged), None).expect("the footers are whole");
    let error = engine.logs[&1].verify().expect_err("a damaged block");
    assert!(error.message().contains(&names[1]) && error.message().contains("block"), "{error}");
    let mut count = 0;
    engine.logs[&1]
        .read(1, &mut |_| {
            count < 39 && {
                count += 1;
                true
            }
        })
        .expect("the first file");
}

#[test]
fn opening_reads_footers_and_reading_seeks() {
    let engine = open(&SimStorage::from_image(sealed()), None).expect("opens");
    let log = &engine.logs[&1];
    assert_eq!(log.range(), (1, 161));
    assert_eq!(log.unsealed_bytes() / 3_000, 40);
    let mut seen = Vec::new();
    log.read(119, &mut |entry| {
        seen.push((entry.sequence, entry.time, entry.payload[0]));
        seen.len() < 4
    })
    .expect("readable");
    assert_eq!(seen, [(119, 238, 38), (120, 239, 39), (121, 300, 0), (122, 301, 1)]);
    assert_eq!(log.find_time(205).expect("found"), 86);
    assert_eq!(log.expire(200, &super::as_it_says, &mut ()).expect("expired"), 80);
    assert_eq!(log.range(), (81, 161));
    log.remove(&mut ()).expect("removed");
}

#[test]
fn entries_of_a_clock_that_was_ahead_expire_by_when_they_came() {
    // Each file has the entries of 40 milliseconds, 100 apart; a part of the second is right.
    for (now, expired) in [(120, 40), (99, 160)] {
        let engine = open(&SimStorage::from_image(sealed()), None).expect("opens");
        let came = |time| if time > now { 50 } else { time };
        assert_eq!(engine.logs[&1].expire(60, &came, &mut ()).expect("expired"), expired);
    }
}
