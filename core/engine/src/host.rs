//! The heart of an engine: what its queues share. Holds the clock, the journal and the timers, and
//! decides nothing about messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use trunkline_types::sync::atomic::{AtomicU32, Ordering};

use trunkline_journal::Journal;
use trunkline_timer::Timers;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Clock, Code, Durability, Error, IdKey, Limits, Millis, ResourceId, Result, forked_since,
};

use crate::append::{Append, Location};
use crate::compaction::Compactor;
use crate::faults::Faults;
use crate::image::StoredDocument;
use crate::live_bytes::LiveBytes;
use crate::redrive::Redrives;
use crate::registry::Registry;
use crate::ticker::Ticker;

/// What a timer entry points at: a hint to look at a slot of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerKey {
    pub queue: ResourceId,
    pub slot: u32,
}

/// Timer slot: the oldest messages of the queue may have reached their retention.
pub(crate) const SLOT_RETENTION: u32 = u32::MAX;
/// Timer slot: a wait may have reached its deadline on a virtual clock.
pub(crate) const SLOT_WAITERS: u32 = u32::MAX - 1;
/// Timer queue: the message move task whose number is in `slot`.
pub(crate) const QUEUE_REDRIVES: ResourceId = ResourceId(0);

/// How many timer entries one verb works off at most, so that no verb pays for a whole backlog.
const SWEEP_MAX: usize = 4_096;

/// How many timer entries may wait for a sweep to sort them: until then they cost more memory.
const UNSORTED_MAX: u32 = 1_024;

pub(crate) struct Host {
    pub clock: Arc<Clock>,
    pub key: IdKey,
    /// Counts the openings of this engine; receipts say under which they were issued.
    pub run: u32,
    pub limits: Limits,
    pub durability: Durability,
    pub journal: Option<Journal>,
    pub live_bytes: Mutex<LiveBytes>,
    /// Where the newest record of this opening lies.
    pub opened: Mutex<Option<Location>>,
    pub compactor: Compactor,
    pub timers: Timers<TimerKey>,
    /// Timer entries that were added since the last sweep, about.
    pub unsorted: AtomicU32,
    pub ticker: Ticker,
    pub registry: Registry,
    pub documents: Mutex<BTreeMap<String, StoredDocument>>,
    pub redrives: Redrives,
    pub faults: Faults,
    pub next_queue: AtomicU32,
    /// Held while a queue is created, so that a name is given once.
    pub creating: Mutex<()>,
    pub gate: Gate,
}

impl Host {
    /// The time, read once a verb.
    #[inline]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    #[inline]
    pub fn check_readable(&self) -> Result<()> {
        self.gate.check(CLOSED)
    }

    #[inline]
    pub fn check_writable(&self) -> Result<()> {
        self.gate.check(CLOSED | READ_ONLY)
    }

    /// Ends what runs and breaks the circle between the engine and its queues, so that the folder
    /// is given up with the last of them.
    pub fn let_go(&self) {
        self.gate.close();
        self.ticker.stop();
        self.compactor.stop();
        for queue in self.registry.clear() {
            queue.waiters.wake_all();
        }
    }

    pub fn is_closed(&self) -> bool {
        self.gate.flags.load(Ordering::Acquire) & CLOSED != 0
    }

    pub fn is_forked(&self) -> bool {
        forked_since(self.gate.generation)
    }

    /// Takes the journal's append lock, if there is a journal: what happens while the result lives
    /// is one step of the log.
    pub fn append(&self) -> Result<Append<'_>> {
        match &self.journal {
            // A reader's own view of time passing is not worth a record.
            Some(_) if self.gate.is_read_only() => Ok(Append::off()),
            None => Ok(Append::off()),
            Some(journal) => {
                Ok(Append::on(journal.lock()?, lock(&self.live_bytes), self.clock.now()))
            }
        }
    }

    /// Reads the record that lies at `location`; false when cleaning has moved it meanwhile.
    pub fn read(&self, location: Location, record: &mut Vec<u8>) -> Result<bool> {
        match &self.journal {
            Some(journal) => journal.read(location.lsn, Some(location.len as usize), record),
            None => Err(Error::new(Code::InternalError, "There is no journal to read from.")),
        }
    }

    /// Waits while more is unwritten than may be; fails while the disk is full. To be called before
    /// any lock is taken.
    #[inline]
    pub fn wait_for_capacity(self: &Arc<Self>) -> Result<()> {
        let Some(journal) = &self.journal else { return Ok(()) };
        if journal.has_capacity() { Ok(()) } else { self.make_capacity(journal) }
    }

    #[cold]
    fn make_capacity(self: &Arc<Self>, journal: &Journal) -> Result<()> {
        let room = journal.wait_for_capacity();
        if room.is_err() && journal.is_full() {
            Compactor::request(self);
        }
        room
    }

    /// Has what nobody waits for written soon.
    #[inline]
    pub fn flush_in_background(&self, level: Durability) -> Result<()> {
        match &self.journal {
            Some(journal) if !self.gate.is_read_only() => journal.flush_in_background(level),
            _ => Ok(()),
        }
    }

    /// Whether the disk has no room for more messages.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_full)
    }

    /// Runs what is due, if anything is. Never waits: when another thread sweeps, this one goes on.
    #[inline]
    pub fn sweep_if_due(&self, now: Millis) {
        if self.timers.is_due(now) || self.unsorted.load(Ordering::Relaxed) > UNSORTED_MAX {
            self.sweep(now);
        }
    }

    #[cold]
    fn sweep(&self, now: Millis) {
        self.unsorted.store(0, Ordering::Relaxed);
        self.timers.sweep(now, SWEEP_MAX, |key, now| self.fire(key, now));
    }

    /// Runs everything that is due, after waiting for another thread that is at it.
    pub fn sweep_all(&self, now: Millis) {
        while self.timers.sweep_all(now, |key, now| self.fire(key, now)).more {}
    }

    pub fn arm(&self, key: TimerKey, at: Millis) {
        self.timers.arm(key, at);
        self.unsorted.fetch_add(1, Ordering::Relaxed);
        self.ticker.armed(at);
    }

    fn fire(&self, key: TimerKey, now: Millis) -> Option<Millis> {
        if key.queue == QUEUE_REDRIVES {
            return self.redrives.fire(self, key.slot, now);
        }
        self.registry.get(key.queue)?.fire(key.slot, now)
    }
}

const CLOSED: u32 = 1;
const READ_ONLY: u32 = 2;

/// Whether the engine may be used, by this process and for this verb: two loads.
pub(crate) struct Gate {
    flags: AtomicU32,
    generation: u32,
}

impl Gate {
    pub fn new(read_only: bool, generation: u32) -> Self {
        let flags = AtomicU32::new(if read_only { READ_ONLY } else { 0 });
        Self { flags, generation }
    }

    /// Closes; whether it was open.
    pub fn close(&self) -> bool {
        self.flags.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0
    }

    pub fn is_read_only(&self) -> bool {
        self.flags.load(Ordering::Acquire) & READ_ONLY != 0
    }

    #[inline]
    fn check(&self, refused: u32) -> Result<()> {
        if self.flags.load(Ordering::Acquire) & refused == 0 && !forked_since(self.generation) {
            return Ok(());
        }
        Err(self.refusal())
    }

    #[cold]
    fn refusal(&self) -> Error {
        if forked_since(self.generation) {
            return Error::new(
                Code::EngineForked,
                "This engine was opened before the process was forked, so it belongs to the \
                 parent. Open an engine in the child.",
            );
        }
        if self.flags.load(Ordering::Acquire) & CLOSED != 0 {
            return Error::new(
                Code::EngineClosed,
                "The engine is closed. Open it again to use it.",
            );
        }
        Error::new(
            Code::EngineReadOnly,
            "The engine was opened read-only. Open it without read_only to change anything.",
        )
    }
}
