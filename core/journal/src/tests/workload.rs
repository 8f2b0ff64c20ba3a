//! A seeded workload on a simulated disk, which remembers what it was promised.

use std::sync::Arc;

use trunkline_types::{Durability, IdKey, Result};

use crate::mutant::Mutant;
use crate::sim::{Random, SimStorage};
use crate::{Journal, Lsn, Options};

/// A promise: from this step on, the first `count` records are safe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    pub(super) step: usize,
    pub(super) level: Durability,
    pub(super) count: usize,
}

/// From this step on, records before `kept` may be gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Release {
    pub(super) step: usize,
    pub(super) kept: usize,
}

/// What has to be found again.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) records: Vec<Vec<u8>>,
    pub(super) places: Vec<Lsn>,
    pub(super) promises: Vec<Promise>,
    pub(super) releases: Vec<Release>,
    /// All records have the same length, and a batch each: a new batch ends where a lost one did.
    pub(super) uniform: bool,
}

pub(super) fn options(mutant: Option<Mutant>) -> Options {
    Options {
        segment_bytes: 8_192,
        segment_bytes_first: 4_096,
        key: Some(IdKey(7, 11)),
        unwritten_bytes_max: 20_000,
        background: false,
        mutant,
    }
}

impl Model {
    /// A record that can be told from all others, of a random length.
    fn next_payload(&self, random: &mut Random) -> Vec<u8> {
        let length = match random.below(12) {
            _ if self.uniform => 500,
            0 => 0,
            1 => 9_000 + random.below(3_000),
            2..4 => 1_000 + random.below(2_000),
            _ => random.below(200),
        };
        let mut payload = (self.records.len() as u64).to_le_bytes().to_vec();
        payload.extend(random.next_u64().to_le_bytes());
        payload.extend((0..length).map(|_| random.next_u64() as u8));
        payload
    }

    fn promise(&mut self, disk: &SimStorage, level: Durability) {
        let count = self.records.len();
        self.promises.push(Promise { step: disk.steps(), level, count });
    }

    /// Does `verbs` random things to a journal on `disk`; the journal may fail.
    pub(super) fn run(
        &mut self,
        disk: &SimStorage,
        mutant: Option<Mutant>,
        verbs: usize,
        random: &mut Random,
    ) -> Result<()> {
        let mut journal = open(disk, mutant)?;
        for _ in 0..verbs {
            match random.below(20) {
                0..9 => {
                    self.append(&journal, random)?;
                    if self.uniform {
                        self.commit(&journal, disk, Durability::Os)?;
                    }
                }
                9..14 => self.commit(&journal, disk, Durability::Disk)?,
                14..17 => self.commit(&journal, disk, Durability::Os)?,
                17 if self.uniform => {}
                17 | 18 => self.release(&journal, disk)?,
                19 if random.once_in(2) => {
                    journal.shrink()?;
                }
                _ => {
                    journal.close()?;
                    self.promise(disk, Durability::Disk);
                    journal = open(disk, mutant)?;
                }
            }
        }
        // Not closed: whatever waits in memory is lost, as when the process is killed.
        std::mem::forget(journal);
        Ok(())
    }

    pub(super) fn append(&mut self, journal: &Journal, random: &mut Random) -> Result<()> {
        journal.wait_for_capacity()?;
        let mut appender = journal.lock()?;
        let count = if self.uniform { 1 } else { 1 + random.below(4) };
        for _ in 0..count {
            let payload = self.next_payload(random);
            let (front, back) = payload.split_at(random.below(payload.len()));
            self.places.push(appender.append(&[front, back]));
            self.records.push(payload);
        }
        Ok(())
    }

    pub(super) fn commit(
        &mut self,
        journal: &Journal,
        disk: &SimStorage,
        level: Durability,
    ) -> Result<()> {
        journal.commit(journal.appended(), level)?;
        self.promise(disk, level);
        Ok(())
    }

    fn release(&mut self, journal: &Journal, disk: &SimStorage) -> Result<()> {
        let segments = journal.segments();
        let oldest = segments[0].number;
        // Records at or after the newest written segment always stay.
        let kept = self.places.iter().filter(|place| place.segment() <= oldest).count();
        let step = disk.steps();
        // Written down first: a crash inside may have released already.
        self.releases.push(Release { step, kept });
        if journal.reclaim_oldest()? {
            self.promise(disk, Durability::Disk);
        } else {
            self.releases.pop();
        }
        Ok(())
    }
}

fn open(disk: &SimStorage, mutant: Option<Mutant>) -> Result<Journal> {
    Journal::open(Arc::new(disk.clone()), options(mutant), &mut |_, _| Ok(()))
}
