//! The states that a crash may leave.
//!
//! Files: the system writes a dirty sector back at any time, as it is at that time.
//! So after a power failure each sector holds the bytes it had at the last sync, or after any of
//! the writes since, independently of all others; and it may be torn between two of these. The
//! length is the one after the last sync, or after any operation since.
//!
//! The folder: of the creations, renamings and removals since the last sync of the
//! folder any subset has reached the disk. Each of them is atomic.

use std::collections::BTreeMap;

use super::Random;
use super::step::{FileId, Step};
use crate::storage::overwrite;

/// Bytes that a disk writes at once, unless the power fails.
const SECTOR_BYTES: usize = 512;

/// A sector is torn once in this many, in those crashes that tear any.
const TORN_ONE_IN: usize = 6;

/// The files of a disk by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    files: BTreeMap<String, Vec<u8>>,
}

impl Image {
    /// The files.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The files, to be damaged.
    pub fn files_mut(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        &mut self.files
    }
}

/// How much of what was not synced reaches the disk.
#[derive(Clone, Copy)]
enum Mood {
    Nothing,
    Everything,
    /// In the order of the operations, up to a point.
    Prefix,
    /// Anything.
    Any,
}

/// A file on its way through the steps.
#[derive(Default, Clone)]
struct Tracked {
    durable: Vec<u8>,
    /// Since the last sync, in order. Those before `clean` were dropped by a failed sync.
    unsynced: Vec<Change>,
    clean: usize,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write(offset, bytes) => overwrite(content, *offset, bytes),
            Change::SetLen(bytes) => content.resize(*bytes as usize, 0),
        }
    }
}

#[derive(Default)]
struct Replayed {
    files: Vec<Tracked>,
    names: BTreeMap<String, FileId>,
    /// Changes of the folder since its last sync.
    unsynced: Vec<Step>,
}

/// All bytes that were ever written are there: the page cache survives the process.
pub(super) fn killed(base: &Image, steps: &[Step]) -> Image {
    let replayed = replay(base, steps);
    let mut names = replayed.names;
    replayed.unsynced.iter().for_each(|step| rename(&mut names, step));
    image(&names, |id| {
        let file = &replayed.files[id];
        let mut content = file.durable.clone();
        file.unsynced.iter().for_each(|change| change.apply(&mut content));
        content
    })
}

/// One state of the disk after a power failure behind `steps`.
pub(super) fn power_loss(base: &Image, steps: &[Step], seed: u64) -> Image {
    let mut random = Random::new(seed);
    let mood = match seed {
        0 => Mood::Nothing,
        1 => Mood::Everything,
        _ => [Mood::Nothing, Mood::Everything, Mood::Prefix, Mood::Any, Mood::Any][random.below(5)],
    };
    let replayed = replay(base, steps);
    let mut names = replayed.names;
    let count = replayed.unsynced.len();
    let prefix = random.below(count + 1);
    for (index, step) in replayed.unsynced.iter().enumerate() {
        if mood.takes(index < prefix, &mut random) {
            rename(&mut names, step);
        }
    }
    image(&names, |id| content_after(&replayed.files[id], mood, &mut random))
}

impl Mood {
    fn takes(self, before: bool, random: &mut Random) -> bool {
        match self {
            Mood::Nothing => false,
            Mood::Everything => true,
            Mood::Prefix => before,
            Mood::Any => random.once_in(2),
        }
    }
}

fn image(names: &BTreeMap<String, FileId>, mut content: impl FnMut(FileId) -> Vec<u8>) -> Image {
    let files = names.iter().map(|(name, id)| (name.clone(), content(*id))).collect();
    Image { files }
}

fn replay(base: &Image, steps: &[Step]) -> Replayed {
    let mut replayed = Replayed::default();
    for (id, (name, content)) in base.files.iter().enumerate() {
        replayed.names.insert(name.clone(), id);
        replayed.files.push(Tracked { durable: content.clone(), ..Tracked::default() });
    }
    for step in steps {
        replayed.step(step);
    }
    replayed
}

impl Replayed {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Create { id, .. } => {
                self.files.resize(self.files.len().max(id + 1), Tracked::default());
                self.unsynced.push(step.clone());
            }
            Step::Rename { .. } | Step::Remove { .. } => self.unsynced.push(step.clone()),
            Step::SyncDir => {
                for step in std::mem::take(&mut self.unsynced) {
                    rename(&mut self.names, &step);
                }
            }
            Step::Write { id, offset, bytes } => {
                self.files[*id].unsynced.push(Change::Write(*offset, bytes.clone()));
            }
            Step::SetLen { id, bytes } => {
                self.files[*id].unsynced.push(Change::SetLen(*bytes));
            }
            Step::Sync { id } => {
                let file = &mut self.files[*id];
                // What a failed sync dropped stays dropped: the system holds it for clean.
                let clean = std::mem::take(&mut file.clean);
                let kept: Vec<Change> = file.unsynced.drain(..).skip(clean).collect();
                kept.iter().for_each(|change| change.apply(&mut file.durable));
            }
            Step::FailedSync { id } => self.files[*id].clean = self.files[*id].unsynced.len(),
        }
    }
}

fn rename(names: &mut BTreeMap<String, FileId>, step: &Step) {
    match step {
        Step::Create { id, name } => {
            names.insert(name.clone(), *id);
        }
        Step::Rename { id, from, to } => {
            if names.get(from) == Some(id) {
                names.remove(from);
            }
            names.insert(to.clone(), *id);
        }
        Step::Remove { id, name } if names.get(name) == Some(id) => {
            names.remove(name);
        }
        _ => {}
    }
}

fn content_after(file: &Tracked, mood: Mood, random: &mut Random) -> Vec<u8> {
    if file.unsynced.is_empty() {
        return file.durable.clone();
    }
    let mut versions = vec![file.durable.clone()];
    for change in &file.unsynced {
        let mut next = versions[versions.len() - 1].clone();
        change.apply(&mut next);
        versions.push(next);
    }
    let newest = versions.len() - 1;
    let prefix = random.below(versions.len());
    let tears = matches!(mood, Mood::Prefix | Mood::Any) && random.once_in(2);
    let pick = |random: &mut Random| match mood {
        Mood::Nothing => 0,
        Mood::Everything => newest,
        Mood::Prefix => prefix,
        Mood::Any => random.below(newest + 1),
    };
    let length = versions[pick(random)].len();
    let mut content = vec![0u8; length];
    for start in (0..length).step_by(SECTOR_BYTES) {
        let end = length.min(start + SECTOR_BYTES);
        let (first, second) = (pick(random), pick(random).min(newest));
        let tear = if tears && random.once_in(TORN_ONE_IN) {
            // In a prefix the tear lies between that version and the one after.
            start + random.below(end - start + 1)
        } else {
            end
        };
        let second = if matches!(mood, Mood::Prefix) { newest.min(prefix + 1) } else { second };
        copy_range(&mut content, &versions[first], start, tear);
        copy_range(&mut content, &versions[second], tear, end);
    }
    content
}

/// Copies a range of `version`, which may be shorter: what was never written there is zero.
fn copy_range(content: &mut [u8], version: &[u8], start: usize, end: usize) {
    let end = end.min(version.len());
    if start < end {
        content[start..end].copy_from_slice(&version[start..end]);
    }
}
