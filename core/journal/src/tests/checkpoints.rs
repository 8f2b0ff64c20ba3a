//! Checkpoints: an opening from one shows what a full replay shows, after any crash and any damage.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_types::{Code, Durability, Result};

use super::workload::options;
use crate::checkpoint::parse_name;
use crate::mutant::Mutant;
use crate::segment::name_of;
use crate::sim::{Image, Random, SimStorage};
use crate::{Journal, Lsn};

const RUNS: u64 = 150;
const VERBS_MAX: usize = 50;
const STATES: usize = 6;
const SEEDS_MAX: u64 = 1_500;
const KEYS: usize = 12;

/// A map that the records of the journal set, with the location of the newest record of each key.
type Map = BTreeMap<u8, (u64, Vec<u8>)>;

fn apply(map: &mut Map, lsn: Lsn, record: &[u8]) {
    match record {
        [key] => drop(map.remove(key)),
        [key, value @ ..] => drop(map.insert(*key, (lsn.to_u64(), value.to_vec()))),
        [] => {}
    }
}

fn encode(key: u8, (lsn, value): &(u64, Vec<u8>)) -> Vec<u8> {
    [&lsn.to_le_bytes()[..], &[key], value].concat()
}

struct Open {
    journal: Journal,
    map: Map,
    loaded: usize,
    replayed: usize,
}

fn open(disk: &SimStorage, mutant: Option<Mutant>, from_checkpoint: bool) -> Result<Open> {
    let state = std::cell::RefCell::new((Map::new(), 0, 0));
    let mut load = |record: &[u8]| {
        let (map, loaded, _) = &mut *state.borrow_mut();
        let (lsn, rest) = record.split_first_chunk::<8>().expect("a record of ours");
        apply(map, Lsn::from_u64(u64::from_le_bytes(*lsn)), rest);
        *loaded += 1;
        Ok(())
    };
    let mut replay = |lsn: Lsn, record: &[u8]| {
        let (map, _, replayed) = &mut *state.borrow_mut();
        apply(map, lsn, record);
        *replayed += 1;
        Ok(())
    };
    let storage = Arc::new(disk.clone());
    let journal = if from_checkpoint {
        Journal::open_from_checkpoint(storage, options(mutant), &mut load, &mut replay)?
    } else {
        Journal::open(storage, options(mutant), &mut replay)?
    };
    let (map, loaded, replayed) = state.into_inner();
    Ok(Open { journal, map, loaded, replayed })
}

fn set(engine: &mut Open, key: u8, value: Vec<u8>) -> Result<()> {
    let record = [&[key], value.as_slice()].concat();
    let lsn = engine.journal.lock()?.append(&[&record]);
    apply(&mut engine.map, lsn, &record);
    Ok(())
}

/// Writes a checkpoint while records are appended: before the export, and inside it.
fn checkpoint(engine: &mut Open, random: &mut Random) -> Result<()> {
    let journal = &engine.journal;
    let map = &mut engine.map;
    let appends = random.below(3);
    let value = vec![random.next_u64() as u8; 1 + random.below(500)];
    journal.checkpoint(&mut |sink| {
        for key in 0..appends as u8 {
            let record = [&[key], value.as_slice()].concat();
            let lsn = journal.lock()?.append(&[&record]);
            apply(map, lsn, &record);
        }
        map.iter().try_for_each(|(key, entry)| sink(&encode(*key, entry)))
    })?;
    Ok(())
}

/// Appends again what lies in the oldest segment, and reclaims it.
fn reclaim(engine: &mut Open) -> Result<()> {
    let segments = engine.journal.segments();
    if segments.len() < 2 {
        return Ok(());
    }
    let there = |(lsn, _): &(u64, Vec<u8>)| Lsn::from_u64(*lsn).segment() == segments[0].number;
    let moved: Vec<(u8, Vec<u8>)> = engine
        .map
        .iter()
        .filter(|(_, entry)| there(entry))
        .map(|(key, (_, value))| (*key, value.clone()))
        .collect();
    for (key, value) in moved {
        set(engine, key, value)?;
    }
    engine.journal.reclaim_oldest().map(|_| ())
}

fn run(disk: &SimStorage, mutant: Option<Mutant>, random: &mut Random) -> Result<()> {
    let mut engine = open(disk, mutant, true)?;
    for _ in 0..1 + random.below(VERBS_MAX) {
        let key = random.below(KEYS) as u8;
        match random.below(20) {
            0..11 => {
                let value = vec![random.next_u64() as u8; 1 + random.below(900)];
                set(&mut engine, key, value)?;
            }
            11 => set(&mut engine, key, Vec::new())?,
            12..14 => engine.journal.commit(engine.journal.appended(), Durability::Os)?,
            14 => engine.journal.flush()?,
            15..17 => checkpoint(&mut engine, random)?,
            17..19 => reclaim(&mut engine)?,
            _ => {
                engine.journal.close()?;
                engine = open(disk, mutant, true)?;
            }
        }
    }
    std::mem::forget(engine);
    Ok(())
}

fn check_seed(seed: u64, mutant: Option<Mutant>) -> std::result::Result<usize, String> {
    let mut random = Random::new(seed);
    let disk = SimStorage::new();
    run(&disk, mutant, &mut random).map_err(|error| error.to_string())?;
    let mut started_late = 0;
    for _ in 0..STATES {
        let step = random.below(disk.steps() + 1);
        let image = disk.power_loss(step, random.next_u64());
        let open_with = |from_checkpoint| {
            let opened = open(&SimStorage::from_image(image.clone()), mutant, from_checkpoint);
            opened.map_err(|error| format!("after a crash at {step}: {error}"))
        };
        let (full, fast) = (open_with(false)?, open_with(true)?);
        if let Some(defect) = fast.journal.checkpoint_defect() {
            return Err(format!("a crash at {step} left a checkpoint of no use: {defect}"));
        }
        if full.journal.behind_checkpoint().0 < fast.journal.behind_checkpoint().0 {
            return Err(format!("a crash at {step}: more is replayed with the checkpoint"));
        }
        let found = (full.map == fast.map, full.journal.segments() == fast.journal.segments());
        if found != (true, true) {
            return Err(format!("a crash at {step}: an opening from the checkpoint differs"));
        }
        started_late += usize::from(fast.replayed < full.replayed);
    }
    Ok(started_late)
}

#[test]
fn an_opening_from_a_checkpoint_shows_what_a_full_replay_shows() {
    let mut started_late = 0;
    for seed in 0..RUNS {
        started_late +=
            check_seed(seed, None).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
    assert!(started_late > 100, "only {started_late} openings used a checkpoint");
}

#[test]
fn every_deliberate_defect_of_checkpoints_is_caught() {
    for mutant in [
        Mutant::CheckpointBeforeCommit,
        Mutant::SkipCheckpointSync,
        Mutant::DropBehindCheckpoint,
        Mutant::TrustCheckpoint,
    ] {
        let caught = (0..SEEDS_MAX).any(|seed| {
            let run = || check_seed(seed, Some(mutant));
            !matches!(std::panic::catch_unwind(run), Ok(Ok(_)))
        });
        assert!(caught, "{mutant:?} lived through {SEEDS_MAX} seeds");
    }
}

#[test]
fn a_segment_that_is_not_replayed_is_looked_at_all_the_same() {
    let (image, map, _) = written_with(120, 100);
    let opened = open(&SimStorage::from_image(image.clone()), None, true).expect("opens");
    let segments = opened.journal.segments();
    assert!(segments.len() >= 4 && opened.map == map, "{segments:?}");
    let names = [segments[1], segments[2]].map(|segment| name_of(segment.number));
    let mut swapped = image.clone();
    let [one, two] = names.clone().map(|name| image.files()[&name].clone());
    swapped.files_mut().insert(names[0].clone(), two);
    swapped.files_mut().insert(names[1].clone(), one);
    let mut zeroed = image.clone();
    zeroed.files_mut().get_mut(&names[0]).expect("there")[..64].fill(0);
    let mut lost = image.clone();
    lost.files_mut().remove(&names[0]);
    for damaged in [swapped, zeroed, lost] {
        let refused = open(&SimStorage::from_image(damaged), None, true).map(|_| ());
        let error = refused.expect_err("damage");
        assert_eq!(error.code(), Code::CorruptJournal, "{error}");
        assert!(error.message().contains(&names[0]), "{error}");
    }
}

/// A closed folder with a checkpoint in the middle of the journal, and its name.
fn written() -> (Image, Map, String) {
    written_with(60, 40)
}

/// The same, of so many records, with the checkpoint behind record `middle`.
fn written_with(records: u8, middle: u8) -> (Image, Map, String) {
    let disk = SimStorage::new();
    let mut engine = open(&disk, None, true).expect("a new disk");
    for number in 0..records {
        set(&mut engine, number % 20, vec![number; 300]).expect("set");
        if number == middle {
            checkpoint(&mut engine, &mut Random::new(3)).expect("written");
        }
    }
    engine.journal.close().expect("closed");
    let image = disk.killed(disk.steps());
    let name = image.files().keys().find(|name| parse_name(name).is_some()).cloned();
    (image, engine.map, name.expect("a checkpoint"))
}

#[test]
fn a_damaged_checkpoint_is_named_and_everything_is_replayed() {
    let (image, map, name) = written();
    let whole = open(&SimStorage::from_image(image.clone()), None, true).expect("opens");
    assert!(whole.loaded > 0 && whole.replayed < 30 && whole.journal.checkpoint_defect().is_none());
    assert_eq!(whole.map, map);
    let length = image.files()[&name].len();
    for at in (0..length).step_by(97).chain([length - 1]) {
        let mut damaged = image.clone();
        damaged.files_mut().get_mut(&name).expect("there")[at] ^= 0x20;
        let opened = open(&SimStorage::from_image(damaged), None, true).expect("opens");
        let defect = opened.journal.checkpoint_defect().expect("named").message().to_owned();
        assert!(defect.contains(&name), "{defect}");
        assert_eq!((opened.loaded, &opened.map), (0, &map), "byte {at}");
    }
    let mut cut = image.clone();
    cut.files_mut().get_mut(&name).expect("there").truncate(length / 2);
    let opened = open(&SimStorage::from_image(cut), None, true).expect("opens");
    assert!(opened.journal.checkpoint_defect().is_some() && opened.map == map);
}

#[test]
fn a_checkpoint_of_another_history_is_ignored() {
    let (image, _, name) = written();
    let disk = SimStorage::new();
    let mut other = open(&disk, None, true).expect("a new disk");
    for number in 0..80u8 {
        set(&mut other, number, vec![number; 300]).expect("set");
    }
    other.journal.close().expect("closed");
    // Both folders have the same key, so only the chain tells them apart.
    let mut mixed = disk.killed(disk.steps());
    mixed.files_mut().insert(name.clone(), image.files()[&name].clone());
    let opened = open(&SimStorage::from_image(mixed), None, true).expect("opens");
    let defect = opened.journal.checkpoint_defect().expect("named");
    assert!(defect.message().contains("another history"), "{defect}");
    assert_eq!(opened.map, other.map);
}
