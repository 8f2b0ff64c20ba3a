//! What all threads of a journal share.
//!
//! Lock order: `release`, `lead`, `prepared`, then one of `tail`, `table` and `completions`, and
//! never two of these three. Signals are called under none of them.

use std::sync::{Arc, Weak};

use trunkline_types::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Durability, Error, Result, forked_since};

use crate::background::Threads;
use crate::commit::Lead;
use crate::completion::{Completions, Signal};
use crate::disk_full::DiskSpace;
use crate::epoch::Epoch;
use crate::lsn::{Lsn, Ticket};
use crate::options::Options;
use crate::poison::Poison;
use crate::prepare::Prepared;
use crate::segment::SegmentTable;
use crate::storage::Storage;
use crate::tail::Tail;

pub(crate) struct Shared {
    pub(crate) me: Weak<Shared>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) options: Options,
    pub(crate) seed: u32,
    pub(crate) read_only: bool,
    pub(crate) generation: u32,
    pub(crate) closed: AtomicBool,
    /// Held while a segment is given up.
    pub(crate) release: Mutex<()>,
    /// The append lock.
    pub(crate) tail: Mutex<Tail>,
    /// Whoever holds it writes and syncs for all.
    pub(crate) lead: Mutex<Lead>,
    /// The next segment, when it is ready; locked while one is being made.
    pub(crate) prepared: Mutex<Option<Prepared>>,
    pub(crate) table: Mutex<SegmentTable>,
    pub(crate) written: Level,
    pub(crate) synced: Level,
    /// Bytes ever appended, stored under the append lock.
    pub(crate) bytes_appended: AtomicUsize,
    /// Bytes ever written, stored by the leader.
    pub(crate) bytes_written: AtomicUsize,
    pub(crate) poison: Poison,
    pub(crate) disk_space: DiskSpace,
    pub(crate) threads: Threads,
}

/// How far one level of durability has come, and who waits for it.
pub(crate) struct Level {
    settled: AtomicU64,
    pub(crate) epoch: Epoch,
    pub(crate) completions: Mutex<Completions>,
    /// Length of `completions`, so that a leader need not lock an empty list.
    waiting: AtomicUsize,
}

impl Level {
    pub(crate) fn new(settled: Lsn) -> Self {
        Self {
            settled: AtomicU64::new(settled.to_u64()),
            epoch: Epoch::new(),
            completions: Mutex::default(),
            waiting: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(crate) fn settled(&self) -> Lsn {
        Lsn::from_u64(self.settled.load(Ordering::SeqCst))
    }

    /// Notes that everything before `end` has come this far. Only the leader calls this.
    pub(crate) fn settle(&self, end: Lsn) {
        debug_assert!(self.settled() <= end, "the journal never goes back");
        self.settled.store(end.to_u64(), Ordering::SeqCst);
    }

    pub(crate) fn add(&self, ticket: Ticket, signal: Arc<dyn Signal>) {
        let mut completions = lock(&self.completions);
        completions.add(ticket, signal);
        self.waiting.store(completions.len(), Ordering::SeqCst);
    }

    /// How many completions wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Signals all completions that are settled, or all there are.
    pub(crate) fn complete(&self, all: bool) {
        if self.waiting() == 0 {
            return;
        }
        let due = {
            let mut completions = lock(&self.completions);
            let due = if all {
                completions.take_all()
            } else {
                completions.take(Ticket::at(self.settled()))
            };
            self.waiting.store(completions.len(), Ordering::SeqCst);
            due
        };
        for signal in due {
            signal.signal();
        }
    }
}

impl Shared {
    /// The level's progress; nothing has to be waited for at level memory.
    pub(crate) fn level(&self, level: Durability) -> Option<&Level> {
        match level {
            Durability::Memory => None,
            Durability::Os => Some(&self.written),
            Durability::Disk => Some(&self.synced),
        }
    }

    /// Fails when the journal cannot take part in anything any more.
    #[inline]
    pub(crate) fn check_usable(&self) -> Result<()> {
        self.check_open()?;
        self.poison.check()
    }

    /// Fails in a forked child and after `close`. To be asked before any lock is taken: in a child
    /// a lock may be held by a thread that is not there.
    #[inline]
    pub(crate) fn check_open(&self) -> Result<()> {
        if forked_since(self.generation) {
            return Err(Error::new(
                Code::EngineForked,
                "the process was forked after the engine was opened; open a new engine in the child",
            ));
        }
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::new(Code::EngineClosed, "the engine was closed"));
        }
        Ok(())
    }

    /// Bytes that were appended and not written yet.
    pub(crate) fn unwritten_bytes(&self) -> usize {
        let written = self.bytes_written.load(Ordering::Relaxed);
        self.bytes_appended.load(Ordering::Relaxed).saturating_sub(written)
    }

    /// Everything appended so far.
    pub(crate) fn appended(&self) -> Ticket {
        Ticket::at(lock(&self.tail).end())
    }
}
