//! Logs: append-only lists of entries that are kept by age, for kinds of resources that retain what
//! they take. An entry is found by its sequence number or by its time.
//!
//! With a journal a log is a [`RetainedLog`]: entries are records of the journal first, and are
//! sealed into files of their own in bulk, or when compaction comes to their segment. Without one
//! it is a [`MemoryLog`].
//!
//! Lock order: the map of logs, then the append lock, then the state of a log.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_journal::retained::{self, Entry, RetainedLoader, RetainedLog, RetainedRecord};
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Code, Error, Limits, Millis, ResourceId, ResourceKind, ResourceName, Result,
};

use crate::append::Append;
use crate::checkpoint::CheckpointSink;
use crate::codec::Encode;
use crate::host::{Component, ComponentKind, Host, Loader, TimerKey};
use crate::location::Location;
use crate::memory_log::{HeldMemoryLog, MemoryLog};
use crate::resource::ResourceReport;
use crate::run_queue::Jobs;

/// The kind of logs, for the table of kinds.
pub static LOGS: ComponentKind = ComponentKind {
    name: "log",
    records: &[LOG..=LOG],
    operations: &[],
    loader: |_: &Limits| Box::<LogLoader>::default(),
};

/// The kind under which [`crate::inspect()`] shows logs.
pub const LOG_KIND: ResourceKind = ResourceKind("log");

/// The first byte of the records.
const LOG: u8 = 40;

/// Entries of a log are sealed when this many bytes of them are in the journal only. A file costs
/// three syncs beside those of the journal, whatever its length.
const SEAL_BYTES: u64 = 16 << 20;

/// One log.
pub struct Log {
    id: ResourceId,
    kept: Kept,
    /// Whether a job that seals entries is on its way.
    is_seal_due: AtomicBool,
}

enum Kept {
    Journal(RetainedLog),
    Memory(MemoryLog),
}

impl Log {
    fn new(id: ResourceId, kept: Kept) -> Self {
        Self { id, kept, is_seal_due: AtomicBool::new(false) }
    }

    /// Whether enough entries are in the journal only that a file of them is worth it.
    fn is_worth_sealing(&self) -> bool {
        matches!(&self.kept, Kept::Journal(kept) if kept.unsealed_bytes() > SEAL_BYTES)
    }

    /// The id of the log.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// The first entry that is there, and the sequence number of the next one.
    pub fn range(&self) -> (u64, u64) {
        match &self.kept {
            Kept::Journal(log) => log.range(),
            Kept::Memory(log) => log.range(),
        }
    }

    /// Appends an entry, the concatenation of `parts`, in the step `append`; returns its sequence
    /// number. Tell [`Logs::on_append`] of it afterwards.
    #[inline]
    pub fn append(&self, append: &mut Append<'_>, time: Millis, parts: &[&[u8]]) -> Result<u64> {
        match (&self.kept, append) {
            (Kept::Journal(log), Append::On(step)) => step.append_to_log(log, time, parts),
            (Kept::Memory(log), _) => log.append(time, parts).ok_or_else(|| removed(self.id)),
            (Kept::Journal(_), Append::Off) => Err(Error::new(
                Code::EngineReadOnly,
                "The engine was opened read-only. Open it without read_only to change anything.",
            )),
        }
    }

    /// Holds the log for entries that are appended one after another: a log in memory is locked
    /// once for all of them, and must not be used otherwise meanwhile.
    pub fn hold(&self) -> HeldLog<'_> {
        let memory = match &self.kept {
            Kept::Memory(log) => Some(log.hold()),
            Kept::Journal(_) => None,
        };
        HeldLog { log: self, memory }
    }

    /// Appends an entry to a log in memory that is open; returns its sequence number.
    #[inline(always)]
    pub fn append_in_memory(&self, time: Millis, parts: &[&[u8]]) -> Option<u64> {
        match &self.kept {
            Kept::Memory(log) => log.append(time, parts),
            Kept::Journal(_) => None,
        }
    }

    /// Takes no more entries, if it is in memory. Others are closed by who appends to them.
    pub fn close_in_memory(&self) {
        if let Kept::Memory(log) = &self.kept {
            log.close();
        }
    }

    /// Calls `each` with the entries from `sequence` on, in order, until it returns false. `each`
    /// must not use the log.
    pub fn read(&self, sequence: u64, each: &mut dyn FnMut(Entry<'_>) -> bool) -> Result<()> {
        self.read_about(sequence, u64::MAX, each)
    }

    /// The same for a caller that wants about `wanted` entries: not many more are read ahead.
    pub fn read_about(
        &self,
        sequence: u64,
        wanted: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<()> {
        match &self.kept {
            Kept::Journal(log) => log.read_about(sequence, wanted, each),
            Kept::Memory(log) => {
                log.read(sequence, each);
                Ok(())
            }
        }
    }

    /// The first entry whose time is not before `time`; the next sequence number if there is none.
    pub fn find_time(&self, time: Millis) -> Result<u64> {
        match &self.kept {
            Kept::Journal(log) => log.find_time(time),
            Kept::Memory(log) => Ok(log.find_time(time)),
        }
    }
}

/// A log that takes entries one after another: see [`Log::hold`].
pub struct HeldLog<'a> {
    log: &'a Log,
    memory: Option<HeldMemoryLog<'a>>,
}

impl HeldLog<'_> {
    /// As [`Log::append`].
    #[inline]
    pub fn append(
        &mut self,
        append: &mut Append<'_>,
        time: Millis,
        parts: &[&[u8]],
    ) -> Result<u64> {
        match &mut self.memory {
            Some(log) => log.append(time, parts).ok_or_else(|| removed(self.log.id)),
            None => self.log.append(append, time, parts),
        }
    }
}

/// The logs of one host.
pub struct Logs {
    host: Arc<Host>,
    logs: Mutex<BTreeMap<ResourceId, Arc<Log>>>,
}

impl Logs {
    /// Creates an empty log under an id that no other resource has.
    pub fn create(&self) -> Result<Arc<Log>> {
        self.host.check_writable()?;
        Ok(self.get_or_create(self.host.next_id()))
    }

    /// The log with this id, for a kind that keeps the ids of its logs: an empty one when nothing
    /// was appended to it before the last opening.
    pub fn get_or_create(&self, id: ResourceId) -> Arc<Log> {
        let mut logs = lock(&self.logs);
        let log = logs.entry(id).or_insert_with(|| {
            let kept = match &self.host.journal {
                Some(journal) => Kept::Journal(RetainedLog::create(journal, u64::from(id.0), LOG)),
                None => Kept::Memory(MemoryLog::default()),
            };
            Arc::new(Log::new(id, kept))
        });
        Arc::clone(log)
    }

    /// The log with this id. An empty log that nothing was appended to is gone after a restart.
    pub fn get(&self, id: ResourceId) -> Option<Arc<Log>> {
        lock(&self.logs).get(&id).cloned()
    }

    fn all(&self) -> Vec<Arc<Log>> {
        lock(&self.logs).values().cloned().collect()
    }

    /// To be called after appends to `log`: has its entries sealed when there are enough.
    pub fn on_append(&self, log: &Log) {
        if log.is_worth_sealing() && !log.is_seal_due.swap(true, Ordering::AcqRel) {
            let key = TimerKey { owner: LOGS.owner(), slot: log.id.0 };
            self.host.arm(key, self.host.now());
        }
    }

    /// Removes entries that came before `before`; returns how many. With a journal sealed files go
    /// as a whole, so younger neighbours keep older entries.
    pub fn expire(&self, log: &Log, before: Millis) -> Result<u64> {
        let came = |time| self.host.came(time);
        let kept = match &log.kept {
            Kept::Journal(kept) => kept,
            Kept::Memory(kept) => return Ok(kept.expire(before, &came)),
        };
        let _no_copy = self.host.compactor().pause();
        kept.expire(before, &came, &mut Counting(&self.host))
    }

    /// Removes a log with everything in it. Appends to it fail afterwards.
    pub fn remove(&self, id: ResourceId) -> Result<()> {
        let Some(log) = self.get(id) else { return Ok(()) };
        let removed = match &log.kept {
            Kept::Journal(kept) => {
                let _no_copy = self.host.compactor().pause();
                kept.remove(&mut Counting(&self.host))
            }
            Kept::Memory(kept) => {
                kept.remove();
                Ok(())
            }
        };
        // Last: a checkpoint that does not find the log lies behind the record of its removal.
        if removed.is_ok() {
            lock(&self.logs).remove(&id);
        }
        removed
    }
}

/// The error for an append to a log that was removed, as the journal words it.
fn removed(id: ResourceId) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("log {} was removed, so nothing can be appended to it", id.0),
    )
}

/// Counts what lives in the journal, under the append lock that the caller holds.
struct Counting<'a>(&'a Host);

impl retained::LiveBytes for Counting<'_> {
    fn add(&mut self, at: retained::Location) {
        self.0.live_bytes().add(Location { lsn: at.lsn, len: at.len }, self.0.now());
    }

    fn remove(&mut self, at: retained::Location) {
        self.0.live_bytes().remove(Location { lsn: at.lsn, len: at.len });
    }
}

impl Component for Logs {
    /// Entries are sealed instead of relocated: no entry is ever copied within the journal.
    fn relocate(&self, segment: u32) -> Result<()> {
        for log in self.all() {
            let Kept::Journal(kept) = &log.kept else { continue };
            if kept.oldest_segment().is_some_and(|oldest| oldest <= segment) {
                kept.seal(&mut Counting(&self.host))?;
            }
            kept.relocate(segment, &mut Counting(&self.host))?;
        }
        Ok(())
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        for log in self.all() {
            let (first, _) = log.range();
            let id = u64::from(log.id.0);
            sink(&encode(RetainedRecord::Sealed { log: id, first, next: first }))?;
            let mut failed = Ok(());
            log.read(first, &mut |Entry { sequence, time, payload, .. }| {
                let record = RetainedRecord::Entry { log: id, sequence, time, payload };
                let mut bytes = encode(record);
                bytes.extend_from_slice(payload);
                failed = sink(&bytes);
                failed.is_ok()
            })?;
            failed?;
        }
        Ok(())
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        for log in self.all() {
            let Kept::Journal(kept) = &log.kept else { continue };
            kept.records(&mut |at, record| {
                sink.record(Location { lsn: at.lsn, len: at.len }, &LogRecord(record))
            })?;
        }
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        self.all().iter().map(|log| report(log.id, log.range())).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|log| self.remove(log.id))
    }

    fn fire(&self, slot: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        jobs.push(u64::from(slot));
        None
    }

    fn run(&self, task: u64, _: Millis) -> Result<()> {
        let id = ResourceId(u32::try_from(task).unwrap_or(u32::MAX));
        let Some(log) = self.get(id) else { return Ok(()) };
        let Kept::Journal(kept) = &log.kept else { return Ok(()) };
        let _no_copy = self.host.compactor().pause();
        // Entries that come while the file is written may be enough for another one.
        log.is_seal_due.store(false, Ordering::Release);
        if !log.is_worth_sealing() {
            return Ok(());
        }
        let oldest = kept.oldest_segment();
        kept.seal(&mut Counting(&self.host))?;
        if kept.oldest_segment() != oldest {
            // The segment before can become the next one, which else is filled with zeros.
            self.host.compactor().request();
        }
        Ok(())
    }
}

/// A record of a log, without the payload of an entry.
struct LogRecord<'a>(RetainedRecord<'a>);

impl Encode for LogRecord<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(LOG);
        self.0.encode_head(out);
    }
}

fn encode(record: RetainedRecord<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    LogRecord(record).encode(&mut bytes);
    bytes
}

fn report(id: ResourceId, (first, next): (u64, u64)) -> ResourceReport {
    let (kind, account, region) = (LOG_KIND, String::new(), String::new());
    let name = ResourceName { kind, account, region, name: id.0.to_string() };
    ResourceReport { name, counters: vec![("first", first), ("entries", next - first)] }
}

#[derive(Default)]
struct LogLoader {
    logs: RetainedLoader,
    last_id: u64,
}

impl Loader for LogLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        let record = RetainedRecord::decode(record.get(1..).unwrap_or_default())?;
        self.last_id = self.last_id.max(record.log());
        self.logs.apply(at.lsn, at.len, record)
    }

    fn last_id(&self) -> Option<ResourceId> {
        u32::try_from(self.last_id).ok().filter(|id| *id > 0).map(ResourceId)
    }

    fn check_files(&self, journal: &trunkline_journal::Journal) -> Result<()> {
        self.logs.check_files(journal)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let id = |log: u64| ResourceId(u32::try_from(log).unwrap_or(u32::MAX));
        self.logs.ranges().map(|(log, range)| report(id(log), range)).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let mut logs = BTreeMap::new();
        if let Some(journal) = &host.journal {
            self.logs.locations().for_each(|at| retained::LiveBytes::add(&mut Counting(host), at));
            for kept in self.logs.finish(journal, LOG)? {
                let id = ResourceId(u32::try_from(kept.id()).unwrap_or(u32::MAX));
                logs.insert(id, Arc::new(Log::new(id, Kept::Journal(kept))));
            }
        }
        Ok(Arc::new(Logs { host: host.clone(), logs: Mutex::new(logs) }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use trunkline_journal::{MemoryStorage, Storage};
    use trunkline_types::Clock;

    use super::*;
    use crate::options::OpenOptions;

    fn sealed(storage: &dyn Storage) -> usize {
        let names = storage.list().unwrap();
        names.iter().filter(|name| name.starts_with("retained-")).count()
    }

    #[test]
    fn one_job_seals_whatever_was_appended_before_it_ran() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let clock = Arc::new(Clock::virtual_at(1));
        let options =
            OpenOptions { storage: Some(storage.clone()), clock, ..OpenOptions::memory() };
        let host = Host::open(OpenOptions { background: false, ..options }, &[&LOGS]).unwrap();
        let logs = host.component::<Logs>().unwrap();
        let log = logs.create().unwrap();
        let append = || {
            log.append(&mut host.append().unwrap(), 1, &[&[7; 256 << 10]]).unwrap();
            logs.on_append(&log);
        };
        (0..80).for_each(|_| append());
        host.fire_due(host.now());
        let jobs: Vec<_> = std::iter::from_fn(|| host.run_queue.pop()).collect();
        assert_eq!(jobs.len(), 1);
        logs.run(jobs[0].task, 1).unwrap();
        assert_eq!(sealed(&*storage), 1);
        // A job that comes when little was appended since leaves it where it is.
        append();
        logs.run(jobs[0].task, 1).unwrap();
        assert_eq!(sealed(&*storage), 1);
        (0..80).for_each(|_| append());
        host.sweep_all(host.now());
        assert_eq!(sealed(&*storage), 2);
    }
}
