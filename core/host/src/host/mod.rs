//! The host: what every kind of resource shares. It holds the clock, the journal, the timers and
//! the directory, and knows no kind of resource by name.

mod compaction;
mod component;
mod open;
mod schedule;
mod ticker;

pub use compaction::Compactor;
pub use component::{Component, ComponentKind, Loader};
pub(crate) use open::{Replay, read_all};
pub use schedule::{TimerKey, advance};
pub use ticker::Ticker;

use std::any::Any;
use std::sync::Arc;

use trunkline_journal::{Journal, Signal, Ticket};
use trunkline_timer::Timers;
use trunkline_types::sync::atomic::{AtomicU32, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{Clock, Code, Durability, Error, IdKey, Limits, Millis, ResourceId, Result};

use crate::append::Append;
use crate::bodies::Bodies;
use crate::directory::Directory;
use crate::faults::Faults;
use crate::gate::{CLOSED, Gate, READ_ONLY};
use crate::live_bytes::LiveBytes;
use crate::location::Location;
use crate::mutant;
use crate::options::OpenOptions;
use crate::run_queue::RunQueue;
use crate::trace::Trace;

/// What the resources of one engine share.
pub struct Host {
    /// The engine's time.
    pub clock: Arc<Clock>,
    /// The time of the opening, less the steps of the clock until then.
    pub(crate) opened_at: Millis,
    /// The key behind ids and receipts.
    pub key: IdKey,
    /// Counts the openings of this engine; receipts say under which they were issued.
    pub incarnation: u32,
    /// The table of bounds.
    pub limits: Limits,
    /// What "acknowledged" means unless a call says less.
    pub durability: Durability,
    /// Whether a receive waits for its lease to be that durable.
    pub durable_receives: bool,
    /// The resources, by id and by name.
    pub directory: Directory,
    /// The faults to be injected.
    pub faults: Faults,
    /// What happened to messages, events and records.
    pub trace: Trace,
    /// The table of kinds this host was opened with.
    pub kinds: Vec<&'static ComponentKind>,
    pub(crate) bodies: Arc<Bodies>,
    pub(crate) journal: Option<Journal>,
    pub(crate) live_bytes: Mutex<LiveBytes>,
    /// Where the newest record of this opening lies.
    pub(crate) opened: Mutex<Option<Location>>,
    pub(crate) compactor: Compactor,
    pub(crate) timers: Timers<TimerKey>,
    /// Timer entries that were added since the last sweep, about.
    pub(crate) unsorted: AtomicU32,
    pub(crate) ticker: Ticker,
    pub(crate) run_queue: RunQueue,
    pub(crate) next_id: AtomicU32,
    pub(crate) components: Mutex<Vec<(ResourceId, Arc<dyn Component>)>>,
    pub(crate) gate: Gate,
    pub(crate) background: bool,
    pub(crate) checkpoint_bytes: Option<u64>,
}

impl Host {
    /// Opens a host with these kinds of resources: replays its journal, or starts empty in memory.
    pub fn open(options: OpenOptions, kinds: &[&'static ComponentKind]) -> Result<Arc<Host>> {
        open::open(options, kinds)
    }

    /// Writes out everything, gives up the folder, and refuses every later verb. Once is enough;
    /// more do no harm.
    pub fn close(&self) -> Result<()> {
        // A forked child shares the parent's folder: it must not write or unlock anything.
        if self.gate.is_forked() || !self.gate.close() {
            return Ok(());
        }
        self.checkpoint_at_close();
        self.release();
        match &self.journal {
            Some(journal) => journal.close(),
            None => Ok(()),
        }
    }

    /// Ends what runs and breaks the circle between the host and its resources, so that the folder
    /// is given up with the last of them.
    pub(crate) fn release(&self) {
        self.gate.close();
        self.bodies.close();
        self.ticker.stop();
        self.compactor.stop();
        let components = std::mem::take(&mut *lock(&self.components));
        for (_, component) in &components {
            component.close();
        }
        for resource in self.directory.clear() {
            resource.close();
        }
    }

    /// The time. A verb reads it once.
    #[inline]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// When the engine was opened, by the clock as it stands now: a step of the wall clock since
    /// then moves it.
    fn opened(&self) -> Millis {
        self.opened_at + self.clock.stepped()
    }

    /// When something came that has `time` written on it. What lies ahead of the clock was written
    /// before the opening, by a clock that was wrong: it counts as if it came with the opening.
    #[inline]
    pub fn came(&self, time: Millis) -> Millis {
        // The clock never runs backwards, so what this opening has written is not ahead of it.
        if time <= self.now() { time } else { self.opened() }
    }

    /// How far this clock lags behind the one by which something was written before the opening, at
    /// `written`: what was to happen later by that clock happens so much earlier by this one. 0 if
    /// that clock was not ahead. Once a slow clock is set right, there is no lag.
    pub fn lag(&self, written: Millis) -> Millis {
        written.saturating_sub(self.opened())
    }

    /// Fails if the engine is closed, or belongs to the process that forked this one.
    #[inline]
    pub fn check_readable(&self) -> Result<()> {
        self.gate.check(CLOSED)
    }

    /// The same, and fails if the engine was opened read-only.
    #[inline]
    pub fn check_writable(&self) -> Result<()> {
        self.gate.check(CLOSED | READ_ONLY)
    }

    /// An id that no resource of this engine ever had.
    pub fn next_id(&self) -> ResourceId {
        ResourceId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// The component of type `C`, if this host has one and is open.
    pub fn component<C: Component>(&self) -> Option<Arc<C>> {
        let find = |(_, component): &(ResourceId, Arc<dyn Component>)| {
            let any: Arc<dyn Any + Send + Sync> = component.clone();
            any.downcast().ok()
        };
        lock(&self.components).iter().find_map(find)
    }

    pub(crate) fn all_components(&self) -> Vec<Arc<dyn Component>> {
        lock(&self.components).iter().map(|(_, component)| component.clone()).collect()
    }

    /// Removes every resource and everything in it.
    pub fn reset(&self) -> Result<()> {
        self.check_writable()?;
        // In the reverse order of the table: later kinds may refer to earlier ones.
        self.all_components().iter().rev().try_for_each(|component| component.reset())
    }

    /// Whether the engine keeps a journal.
    #[inline]
    pub fn is_journaled(&self) -> bool {
        self.journal.is_some()
    }

    /// Takes the journal's append lock, if there is a journal: what happens while the result lives
    /// is one step of the log.
    #[inline]
    pub fn append(&self) -> Result<Append<'_>> {
        match &self.journal {
            None => Ok(Append::off()),
            Some(_) => self.append_at(self.now()),
        }
    }

    /// The same, for a verb that has read the clock.
    #[inline]
    pub fn append_at(&self, now: Millis) -> Result<Append<'_>> {
        match &self.journal {
            // A reader's own view of time passing is not worth a record.
            Some(_) if self.gate.is_read_only() => Ok(Append::off()),
            None => Ok(Append::off()),
            Some(journal) => {
                if mutant::is_commit_due() {
                    journal.commit(journal.appended(), Durability::Os)?;
                }
                let is_full = journal.is_full();
                let appender = journal.lock()?;
                Ok(Append::on(
                    appender,
                    lock(&self.live_bytes),
                    self.compactor.segments(),
                    now,
                    is_full,
                ))
            }
        }
    }

    /// Reads the record that lies at `at`; false when compaction has moved it meanwhile.
    pub fn read(&self, at: Location, record: &mut Vec<u8>) -> Result<bool> {
        match &self.journal {
            Some(journal) => journal.read(at.lsn, Some(at.len as usize), record),
            None => Err(Error::new(Code::InternalError, "There is no journal to read from.")),
        }
    }

    /// What lives in which segment. Loaders count here what they restore; from then on [`Append`]
    /// does it.
    pub fn live_bytes(&self) -> MutexGuard<'_, LiveBytes> {
        lock(&self.live_bytes)
    }

    /// Whether a verb that writes would start at once. One that would not first waits
    /// until enough of what was appended before is written.
    #[inline]
    pub fn has_capacity(&self) -> bool {
        self.journal.as_ref().is_none_or(Journal::has_capacity)
    }

    /// Waits while more is unwritten than may be; fails with `StorageFull` on a full disk. Called
    /// before any lock is taken.
    #[inline]
    pub(crate) fn wait_for_capacity(&self) -> Result<()> {
        let Some(journal) = &self.journal else { return Ok(()) };
        if journal.has_capacity() { Ok(()) } else { self.wait_for_writes(journal) }
    }

    #[cold]
    fn wait_for_writes(&self, journal: &Journal) -> Result<()> {
        let waited = journal.wait_for_capacity();
        if waited.is_err() && journal.is_full() {
            self.compactor.request();
        }
        waited
    }

    /// Whether the disk has no space for more content.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_full)
    }

    /// Fails with `StorageFull` on a full disk, without waiting for writes. For verbs that neither
    /// add content nor free space, such as changes of a definition.
    pub fn refuse_if_full(&self) -> Result<()> {
        match &self.journal {
            Some(journal) if journal.is_full() => journal.probe(),
            _ => Ok(()),
        }
    }

    /// Fails with `StorageFull` on a full disk once half of what is kept for deletes is used. For
    /// verbs that end work which would have to be done again, such as a commit of a position.
    #[inline]
    pub fn refuse_if_scarce(&self) -> Result<()> {
        match &self.journal {
            Some(journal) if journal.is_scarce() => journal.probe(),
            _ => Ok(()),
        }
    }

    /// What has to be written before a verb would start, if too much is unwritten.
    pub fn unwritten(&self) -> Option<Ticket> {
        let journal = self.journal.as_ref().filter(|journal| journal.over_write_limit())?;
        Some(journal.appended())
    }

    /// What stands for all that was appended so far, if there is a journal.
    pub fn appended(&self) -> Option<Ticket> {
        self.journal.as_ref().map(Journal::appended)
    }

    /// Schedules a flush to `level` within a few milliseconds, for writes that no caller awaits.
    #[inline]
    pub fn flush_in_background(&self, level: Durability) -> Result<()> {
        match &self.journal {
            Some(journal) if !self.gate.is_read_only() => journal.flush_in_background(level),
            _ => Ok(()),
        }
    }

    /// Blocks until everything up to `ticket` is as durable as `level` says.
    pub fn wait(&self, ticket: Ticket, level: Durability) -> Result<()> {
        match &self.journal {
            Some(_) if level == Durability::Memory => self.flush_in_background(Durability::Os),
            Some(journal) => journal.commit(ticket, level),
            None => Ok(()),
        }
    }

    /// Whether everything up to `ticket` is as durable as `level` says.
    pub fn is_settled(&self, ticket: Ticket, level: Durability) -> Result<bool> {
        match &self.journal {
            Some(journal) => journal.is_settled(ticket, level),
            None => Ok(true),
        }
    }

    /// Calls `signal` once when everything up to `ticket` is as durable as `level` says, or when it
    /// is known that it will not be; [`Host::is_settled`] tells which.
    pub fn notify_when(
        &self,
        ticket: Ticket,
        level: Durability,
        signal: Arc<dyn Signal>,
    ) -> Result<()> {
        match &self.journal {
            Some(journal) => journal.notify_when(ticket, level, signal),
            None => {
                signal.signal();
                Ok(())
            }
        }
    }

    /// Starts to make everything up to `ticket` as durable as `level` says, without waiting for it.
    pub fn begin_commit(&self, ticket: Ticket, level: Durability) -> Result<()> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.begin_commit(ticket, level))
    }

    /// Fails when no more writes are accepted, and says why: it was closed, or a write failed.
    pub fn check_healthy(&self) -> Result<()> {
        self.check_readable()?;
        self.journal.as_ref().map_or(Ok(()), |journal| journal.check_usable())
    }

    /// Blocks until everything so far is on disk, if the engine has a journal.
    pub fn flush(&self) -> Result<()> {
        self.check_readable()?;
        match &self.journal {
            Some(journal) => journal.flush(),
            None => Ok(()),
        }
    }

    /// Brings everything to the engine's own level: for verbs that hand out no ticket.
    pub fn acknowledge(&self) -> Result<()> {
        match self.durability {
            Durability::Memory => self.flush_in_background(Durability::Os),
            Durability::Os | Durability::Disk => self.flush(),
        }
    }
}
