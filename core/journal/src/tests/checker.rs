//! The crash checker: whatever was promised has to be there after any crash.

use std::sync::Arc;

use trunkline_types::Durability;

use super::workload::{Model, Promise, options};
use crate::mutant::Mutant;
use crate::sim::{Random, SimStorage};
use crate::{Journal, Lsn};

/// Lives of one folder: each ends in a crash, and the next goes on from what is left.
const LIVES: usize = 3;

/// Verbs in one life.
const VERBS_MAX: usize = 40;

/// Crash states that are looked at in one life.
const STATES: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    PowerLoss,
    Kill,
}

impl Crash {
    /// The weakest level whose promises outlive this.
    fn survived(self) -> Durability {
        match self {
            Crash::PowerLoss => Durability::Disk,
            Crash::Kill => Durability::Os,
        }
    }
}

/// Runs the workload of `seed` and looks at crash states of it. Answers how many, or what was
/// found to be wrong.
pub(super) fn check_seed(seed: u64, mutant: Option<Mutant>) -> Result<usize, String> {
    let mut random = Random::new(seed);
    let mut disk = SimStorage::new();
    let mut model = Model { uniform: random.once_in(3), ..Model::default() };
    let mut looked_at = 0;
    // Earlier steps belong to another life: a process that was killed left its disk behind.
    let mut born = 0;
    for life in 0..LIVES {
        let verbs = 1 + random.below(VERBS_MAX);
        let ran = model.run(&disk, mutant, verbs, &mut random);
        ran.map_err(|error| format!("seed {seed}, life {life}: {error}"))?;
        let mut chosen = None;
        for state in 0..STATES {
            let step = born + random.below(disk.steps() + 1 - born);
            let crash = if random.once_in(4) { Crash::Kill } else { Crash::PowerLoss };
            let after = crash_at(&disk, step, crash, &mut random);
            let (next_born, mut left) = (after.steps(), model.clone());
            look_at(&after, &mut left, step, crash, mutant).map_err(|wrong| {
                format!("seed {seed}, life {life}, state {state}: {crash:?} at {step}: {wrong}")
            })?;
            looked_at += 1;
            chosen = Some((after, left, next_born));
        }
        // The journal that looked has recovered this disk: go on from there.
        if let Some((after, left, next_born)) = chosen {
            born = next_born;
            disk = after;
            model = left;
        }
    }
    Ok(looked_at)
}

fn crash_at(disk: &SimStorage, step: usize, crash: Crash, random: &mut Random) -> SimStorage {
    match crash {
        Crash::PowerLoss => {
            // The extremes are asked for by name, more often than chance would.
            let seed = if random.once_in(4) { random.below(2) as u64 } else { random.next_u64() };
            SimStorage::from_image(disk.power_loss(step, seed))
        }
        // What was not synced is still only in the page cache: the next crash may take it.
        Crash::Kill => disk.at(step),
    }
}

/// Opens the journal on `disk` and compares. `model` becomes what is safe from now on.
fn look_at(
    disk: &SimStorage,
    model: &mut Model,
    step: usize,
    crash: Crash,
    mutant: Option<Mutant>,
) -> Result<(), String> {
    let mut found: Vec<(Lsn, Vec<u8>)> = Vec::new();
    let opened = Journal::open(Arc::new(disk.clone()), options(mutant), &mut |lsn, payload| {
        found.push((lsn, payload.to_vec()));
        Ok(())
    });
    let journal = opened.map_err(|error| error.to_string())?;
    let first = compare(&found, model)?;
    let promised = promised_at(&model.promises, step, crash);
    let kept =
        model.releases.iter().filter(|it| it.step <= step).map(|it| it.kept).max().unwrap_or(0);
    let count = found.len();
    if count == 0 && promised <= kept {
        std::mem::forget(journal);
        *model = Model { uniform: model.uniform, ..Model::default() };
        return Ok(());
    }
    let end = first + count;
    if end < promised {
        return Err(format!("{promised} records were promised, found {first}..{end}"));
    }
    if first > kept {
        return Err(format!("records from {kept} on are needed, found {first}..{end}"));
    }
    read_back(&journal, &found)?;
    std::mem::forget(journal);
    model.records.truncate(end);
    model.places.truncate(end);
    // Everything that recovery found is as good as promised, and later lives build on it. While
    // it is at work, only what was promised before is.
    let found = Promise { step: disk.steps(), level: Durability::Disk, count: model.records.len() };
    model.promises.retain(|it| it.step <= step && it.level >= crash.survived());
    model.promises.iter_mut().for_each(|it| it.step = 0);
    model.promises.push(found);
    model.releases.retain(|it| it.step <= step);
    model.releases.iter_mut().for_each(|it| it.step = 0);
    Ok(())
}

/// The records have to be some of the model, in order, without a gap. Answers the first.
fn compare(found: &[(Lsn, Vec<u8>)], model: &Model) -> Result<usize, String> {
    let Some((start, _)) = found.first() else { return Ok(0) };
    let Some(first) = model.places.iter().position(|place| place == start) else {
        return Err(format!("a record was found at {start} where none was written"));
    };
    for (place, (lsn, payload)) in found.iter().enumerate() {
        let index = first + place;
        let expected = model.records.get(index).zip(model.places.get(index));
        match expected {
            Some((bytes, at)) if bytes == payload && at == lsn => {}
            _ => return Err(format!("record {index} at {lsn} is another one than was written")),
        }
    }
    Ok(first)
}

fn promised_at(promises: &[Promise], step: usize, crash: Crash) -> usize {
    let kept = promises.iter().filter(|it| it.step <= step && it.level >= crash.survived());
    kept.map(|it| it.count).max().unwrap_or(0)
}

fn read_back(journal: &Journal, found: &[(Lsn, Vec<u8>)]) -> Result<(), String> {
    let oldest = journal.segments()[0].number;
    for (lsn, payload) in found.iter().filter(|(lsn, _)| lsn.segment() >= oldest).step_by(7) {
        let mut bytes = Vec::new();
        let there = journal.read(*lsn, None, &mut bytes).map_err(|error| error.to_string())?;
        if !there || bytes != *payload {
            return Err(format!("the record at {lsn} cannot be read back"));
        }
    }
    Ok(())
}
