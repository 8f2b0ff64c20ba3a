//! Opening: the records of the journal say which entries are sealed; the sealed files have to hold
//! exactly these. Only the footers of the files are read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use trunkline_types::{Code, Error, Result};

use super::file::{SealedFile, damaged, is_draft, name_of, parse_name};
use super::log::{RetainedLog, State};
use super::record::{FIRST_SEQUENCE, RetainedRecord};
use super::unsealed::{Location, Unsealed};
use crate::Journal;
use crate::lsn::Lsn;
use crate::storage::Storage;

/// The first sequence numbers of the sealed files of each log.
type Firsts = BTreeMap<u64, Vec<u64>>;

/// Collects the records of retained logs during a replay.
#[derive(Debug, Default)]
pub struct RetainedLoader {
    logs: BTreeMap<u64, Loaded>,
}

#[derive(Debug)]
struct Loaded {
    first: u64,
    next: u64,
    sealed_at: Option<Location>,
    /// The sequence number of the first entry in `entries`.
    start: u64,
    entries: VecDeque<Unsealed>,
}

impl Default for Loaded {
    fn default() -> Self {
        Self {
            first: FIRST_SEQUENCE,
            next: FIRST_SEQUENCE,
            sealed_at: None,
            start: FIRST_SEQUENCE,
            entries: VecDeque::new(),
        }
    }
}

impl RetainedLoader {
    /// Applies the record at `lsn`, whose payload in the journal has `len` bytes. A record may come
    /// again, also on top of the effect of later ones.
    pub fn apply(&mut self, lsn: Lsn, len: u32, record: RetainedRecord<'_>) -> Result<()> {
        match record {
            RetainedRecord::Entry { log, sequence, time, .. } => {
                let loaded = self.logs.entry(log).or_default();
                if sequence < loaded.next {
                    return Ok(());
                }
                if loaded.entries.is_empty() {
                    loaded.start = sequence;
                }
                let entry = Unsealed { time, at: Location { lsn, len } };
                let expected = loaded.start + loaded.entries.len() as u64;
                match sequence.checked_sub(loaded.start).map(|index| index as usize) {
                    Some(_) if sequence == expected => loaded.entries.push_back(entry),
                    Some(index) if sequence < expected => loaded.entries[index] = entry,
                    _ => return Err(gap(log, expected)),
                }
            }
            RetainedRecord::Sealed { log, first, next } => {
                let loaded = self.logs.entry(log).or_default();
                (loaded.first, loaded.next) = (loaded.first.max(first), loaded.next.max(next));
                loaded.sealed_at = Some(Location { lsn, len });
                while loaded.start < loaded.next && loaded.entries.pop_front().is_some() {
                    loaded.start += 1;
                }
            }
            RetainedRecord::Removed { log } => {
                self.logs.remove(&log);
            }
        }
        Ok(())
    }

    /// The logs, each with its first entry and its next sequence number.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, (u64, u64))> {
        self.logs.iter().map(|(log, loaded)| {
            let next = loaded.next.max(loaded.start + loaded.entries.len() as u64);
            (*log, (loaded.first, next))
        })
    }

    /// Every record that is still needed.
    pub fn locations(&self) -> impl Iterator<Item = Location> {
        self.logs
            .values()
            .flat_map(|loaded| loaded.entries.iter().map(|entry| entry.at).chain(loaded.sealed_at))
    }

    /// Fails unless the sealed files are there that the records name, in place of
    /// [`RetainedLoader::finish`]. For a look at a folder.
    pub fn check_files(&self, journal: &Journal) -> Result<()> {
        let (mut names, mut leftovers) = self.files_of(&*journal.shared.storage)?;
        for (log, loaded) in &self.logs {
            let firsts = names.remove(log).unwrap_or_default();
            loaded.open_files(journal, *log, firsts, &mut leftovers)?;
        }
        Ok(())
    }

    /// Opens the logs. Sealed files that the journal does not name are leftovers of a crash: they
    /// are removed, unless the journal is read-only. `kind` is the first byte of the records.
    pub fn finish(self, journal: &Journal, kind: u8) -> Result<Vec<RetainedLog>> {
        let storage = Arc::clone(&journal.shared.storage);
        let (mut names, mut leftovers) = self.files_of(&*storage)?;
        let mut logs = Vec::new();
        for (log, loaded) in self.logs {
            if loaded.start != loaded.next && !loaded.entries.is_empty() {
                return Err(gap(log, loaded.next));
            }
            let firsts = names.remove(&log).unwrap_or_default();
            let state = State {
                files: loaded.open_files(journal, log, firsts, &mut leftovers)?,
                first: loaded.first,
                sealed: loaded.next,
                sealed_at: loaded.sealed_at,
                unsealed_bytes: loaded.entries.iter().map(|it| u64::from(it.at.len)).sum(),
                unsealed: loaded.entries,
                removed: false,
            };
            logs.push(RetainedLog::new(journal, log, kind, state));
        }
        if !journal.is_read_only() && !leftovers.is_empty() {
            for name in &leftovers {
                storage.remove(name)?;
            }
            storage.sync_dir()?;
        }
        Ok(logs)
    }

    /// The first sequence numbers of the sealed files of each log, and the names of files that
    /// belong to none.
    fn files_of(&self, storage: &dyn Storage) -> Result<(Firsts, Vec<String>)> {
        let mut names = Firsts::new();
        let mut leftovers = Vec::new();
        for name in storage.list()? {
            match parse_name(&name) {
                Some((log, first)) if self.logs.contains_key(&log) => {
                    names.entry(log).or_default().push(first);
                }
                Some(_) => leftovers.push(name),
                None if is_draft(&name) => leftovers.push(name),
                None => {}
            }
        }
        Ok((names, leftovers))
    }
}

impl Loaded {
    /// Opens the sealed files of the log, which follow each other without a gap.
    fn open_files(
        &self,
        journal: &Journal,
        log: u64,
        mut firsts: Vec<u64>,
        leftovers: &mut Vec<String>,
    ) -> Result<Vec<Arc<SealedFile>>> {
        let (open_files, seed) = (&journal.shared.sealed_files, journal.shared.seed);
        let mut files = Vec::new();
        let mut expected = self.first;
        firsts.sort_unstable();
        for first in firsts {
            if !(self.first..self.next).contains(&first) {
                leftovers.push(name_of(log, first));
                continue;
            }
            if first != expected {
                return Err(damaged(&name_of(log, expected), "is missing"));
            }
            let file = SealedFile::open(open_files, seed, log, first)?;
            expected = file.footer.next;
            files.push(Arc::new(file));
        }
        if expected != self.next {
            return Err(damaged(&name_of(log, expected), "is missing"));
        }
        Ok(files)
    }
}

#[cold]
fn gap(log: u64, sequence: u64) -> Error {
    Error::new(
        Code::CorruptJournal,
        format!(
            "entry {sequence} of retained log {log} is in neither the journal nor a sealed file; \
             restore the data folder from a copy"
        ),
    )
}
