//! A retained log: entries are appended to the journal and later sealed in bulk.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Durability, Error, Result};

use super::file::{SealedFile, Writer};
use super::record::{ENTRY_HEAD_BYTES, FIRST_SEQUENCE, RetainedRecord, entry_head};
use super::unsealed::{Location, Unsealed, UnsealedReader, reclaimed};
use crate::Journal;
use crate::journal::Appender;
use crate::limits;
use crate::mutant::Mutant;
use crate::shared::Shared;

/// Counts the bytes of the journal that are still needed. Called under the append lock.
pub trait LiveBytes {
    /// A record became live.
    fn add(&mut self, at: Location);
    /// A record is no longer needed.
    fn remove(&mut self, at: Location);
}

/// For a caller that does not count.
impl LiveBytes for () {
    fn add(&mut self, _at: Location) {}
    fn remove(&mut self, _at: Location) {}
}

#[derive(Debug)]
pub(super) struct State {
    /// The sealed files in order, without gaps: from `first` to `sealed`.
    pub(super) files: Vec<Arc<SealedFile>>,
    pub(super) first: u64,
    /// The sequence number behind the last sealed entry.
    pub(super) sealed: u64,
    /// The record that says so.
    pub(super) sealed_at: Option<Location>,
    pub(super) unsealed: VecDeque<Unsealed>,
    /// Bytes of the unsealed entries.
    pub(super) unsealed_bytes: u64,
    /// Set under the append lock together with the record that says so: a record of the log behind
    /// that one would be damage.
    pub(super) removed: bool,
}

impl State {
    pub(super) fn next(&self) -> u64 {
        self.sealed + self.unsealed.len() as u64
    }
}

/// An append-only log that is kept by age. Its entries have sequence numbers without gaps, from 1.
///
/// Lock order: `sealing`, `maintenance` and the append lock of the journal, `state`.
pub struct RetainedLog {
    pub(super) log: u64,
    kind: u8,
    pub(super) shared: Arc<Shared>,
    /// Held while entries are sealed or expire.
    sealing: Mutex<()>,
    pub(super) state: Mutex<State>,
}

impl fmt::Debug for RetainedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetainedLog").field("log", &self.log).finish_non_exhaustive()
    }
}

impl RetainedLog {
    pub(super) fn new(journal: &Journal, log: u64, kind: u8, state: State) -> Self {
        let shared = Arc::clone(&journal.shared);
        lock(&shared.recent).want();
        Self { log, kind, shared, sealing: Mutex::default(), state: Mutex::new(state) }
    }

    /// Creates an empty log. The caller keeps ids of logs unique. `kind` is the first byte of every
    /// record that the log appends.
    pub fn create(journal: &Journal, log: u64, kind: u8) -> Self {
        let state = State {
            files: Vec::new(),
            first: FIRST_SEQUENCE,
            sealed: FIRST_SEQUENCE,
            sealed_at: None,
            unsealed: VecDeque::new(),
            unsealed_bytes: 0,
            removed: false,
        };
        Self::new(journal, log, kind, state)
    }

    /// The id of the log.
    pub fn id(&self) -> u64 {
        self.log
    }

    /// The first entry that is there, and the sequence number of the next one.
    pub fn range(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.first, state.next())
    }

    /// Bytes of entries that are in the journal only.
    pub fn unsealed_bytes(&self) -> u64 {
        lock(&self.state).unsealed_bytes
    }

    /// The oldest segment of the journal that holds an unsealed entry.
    pub fn oldest_segment(&self) -> Option<u32> {
        lock(&self.state).unsealed.front().map(|entry| entry.at.lsn.segment())
    }

    /// Appends an entry whose payload is the concatenation of `parts`; returns its sequence number.
    /// Durable with the ticket of `appender`. Fails after [`RetainedLog::remove`], and for an entry
    /// that is too long for a record.
    pub fn append(
        &self,
        appender: &mut Appender<'_>,
        time: u64,
        parts: &[&[u8]],
        live: &mut dyn LiveBytes,
    ) -> Result<u64> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        check_length(length)?;
        let mut state = lock(&self.state);
        self.check_exists(&state)?;
        let sequence = state.next();
        let head = entry_head(self.kind, self.log, sequence, time);
        let lsn = match *parts {
            [payload] => appender.append(&[&head, payload]),
            [first, second] => appender.append(&[&head, first, second]),
            [first, second, third] => appender.append(&[&head, first, second, third]),
            _ => appender.append(&[&head, &parts.concat()]),
        };
        let at = Location { lsn, len: (head.len() + length) as u32 };
        live.add(at);
        state.unsealed.push_back(Unsealed { time, at });
        state.unsealed_bytes += u64::from(at.len);
        Ok(sequence)
    }

    fn check_exists(&self, state: &State) -> Result<()> {
        if !state.removed {
            return Ok(());
        }
        Err(Error::new(
            Code::ResourceNotFoundException,
            format!("log {} was removed, so nothing can be appended to it", self.log),
        ))
    }

    /// Moves all entries from the journal to a sealed file. Then their segments can be reclaimed.
    /// Returns how many there were.
    pub fn seal(&self, live: &mut dyn LiveBytes) -> Result<u64> {
        self.shared.check_usable()?;
        let _sealing = lock(&self.sealing);
        let _open = self.shared.maintain()?;
        let (first, entries) = {
            let state = lock(&self.state);
            (state.sealed, state.unsealed.iter().copied().collect::<Vec<_>>())
        };
        if entries.is_empty() {
            return Ok(0);
        }
        let options = &self.shared.options;
        // No commit is needed first: the file counts once the record behind its entries is durable,
        // and so are the entries then.
        if options.has(Mutant::RecordBeforeSeal) {
            self.record_sealed(live, |state| state.sealed += entries.len() as u64)?;
        }
        let files = &self.shared.sealed_files;
        let mut writer = Writer::create(files, options, self.shared.seed, self.log, first)?;
        let mut reader = UnsealedReader::new(self.log, &self.shared);
        for (index, entry) in entries.iter().enumerate() {
            let Some(payload) = reader.payload(&entries[index..])? else {
                return Err(reclaimed(entry));
            };
            writer.push(entry.time, payload)?;
        }
        let file = Arc::new(writer.finish()?);
        self.record_sealed(live, |state| {
            state.sealed = first + entries.len() as u64;
            state.files.push(file);
        })?;
        Ok(entries.len() as u64)
    }

    /// Removes the sealed files whose entries all came before `before`, and behind the last of them
    /// the unsealed entries up to the first that did not. Returns how many entries expired. `came`
    /// says when an entry of a time came: usually then, unless the clock was wrong.
    pub fn expire(
        &self,
        before: u64,
        came: &dyn Fn(u64) -> u64,
        live: &mut dyn LiveBytes,
    ) -> Result<u64> {
        self.shared.check_usable()?;
        // No file comes or goes while this is held.
        let _sealing = lock(&self.sealing);
        let files = lock(&self.state).files.clone();
        let mut expired = Vec::new();
        for file in &files {
            if !file.is_before(before, came)? {
                break;
            }
            expired.push(file.clone());
        }
        let (first, next) = {
            let state = lock(&self.state);
            let is_old = |entry: &&Unsealed| entry.time < before || came(entry.time) < before;
            let old = state.unsealed.iter().take_while(is_old).count();
            let next = match expired.last() {
                _ if expired.len() == files.len() => state.sealed + old as u64,
                Some(last) => last.footer.next,
                None => state.first,
            };
            (state.first, next)
        };
        if next == first {
            return Ok(0);
        }
        // IMPORTANT: a file that is gone while the journal still names it is damage.
        let early = self.shared.options.has(Mutant::ExpireBeforeRecord);
        if early {
            self.remove_files(&expired)?;
        }
        self.record_sealed(live, |state| {
            state.files.drain(..expired.len());
            state.first = next;
            // Unsealed entries that expire are in no file: the next one starts behind them.
            state.sealed = state.sealed.max(next);
        })?;
        if !early && !expired.is_empty() {
            self.remove_files(&expired)?;
        }
        Ok(next - first)
    }

    /// Removes the log and its files. Nothing can be appended afterwards.
    pub fn remove(&self, live: &mut dyn LiveBytes) -> Result<()> {
        let _sealing = lock(&self.sealing);
        let mut bytes = vec![self.kind];
        RetainedRecord::Removed { log: self.log }.encode_head(&mut bytes);
        let (ticket, files) = {
            let mut appender = Appender::lock(&self.shared)?;
            let mut state = lock(&self.state);
            if std::mem::replace(&mut state.removed, true) {
                return Ok(());
            }
            appender.append(&[&bytes]);
            let gone = state.unsealed.drain(..).map(|entry| entry.at).collect::<Vec<_>>();
            gone.into_iter().chain(state.sealed_at.take()).for_each(|at| live.remove(at));
            (state.first, state.unsealed_bytes) = (state.sealed, 0);
            (appender.ticket(), std::mem::take(&mut state.files))
        };
        self.shared.commit(ticket, Durability::Disk)?;
        self.remove_files(&files)
    }

    /// Appends the record that names the sealed entries again, if it lies in `segment`.
    pub fn relocate(&self, segment: u32, live: &mut dyn LiveBytes) -> Result<()> {
        let there = lock(&self.state).sealed_at.is_some_and(|at| at.lsn.segment() == segment);
        if there { self.record_sealed(live, |_| {}) } else { Ok(()) }
    }

    /// Changes the state and appends what is sealed now, in one step; returns when that is durable.
    fn record_sealed(
        &self,
        live: &mut dyn LiveBytes,
        change: impl FnOnce(&mut State),
    ) -> Result<()> {
        let ticket = {
            let mut appender = Appender::lock(&self.shared)?;
            let mut state = lock(&self.state);
            self.check_exists(&state)?;
            let before = state.sealed;
            change(&mut state);
            let (first, next) = (state.first, state.sealed);
            let record = RetainedRecord::Sealed { log: self.log, first, next };
            let mut bytes = vec![self.kind];
            record.encode_head(&mut bytes);
            let at = Location { lsn: appender.append(&[&bytes]), len: bytes.len() as u32 };
            live.add(at);
            state.sealed_at.replace(at).into_iter().for_each(|old| live.remove(old));
            for _ in before..next {
                if let Some(entry) = state.unsealed.pop_front() {
                    state.unsealed_bytes -= u64::from(entry.at.len);
                    live.remove(entry.at);
                }
            }
            appender.ticket()
        };
        self.shared.commit(ticket, Durability::Disk)
    }

    fn remove_files(&self, files: &[Arc<SealedFile>]) -> Result<()> {
        let open_files = &self.shared.sealed_files;
        for file in files {
            open_files.remove(&file.name())?;
        }
        open_files.storage().sync_dir()
    }
}

/// An entry is one record of the journal, so it is limited like one.
fn check_length(length: usize) -> Result<()> {
    let most = limits::RECORD_BYTES_MAX - 1 - ENTRY_HEAD_BYTES;
    if length <= most {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidParameterValue,
        format!("payload: it has {length} bytes, at most {most} are allowed; split it"),
    ))
}
