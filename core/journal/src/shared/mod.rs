//! The state that all threads of a journal share.
//!
//! Lock order: `maintenance`, `lead`, `prepared`, then one of `tail`, `recent`, `table`,
//! `control` and `completions`, and never two of these five. When a signal is called, at most
//! `maintenance` is held.

mod background;
mod commit;
mod disk_full;
mod segment_writer;

pub(crate) use background::Threads;
pub(crate) use commit::Lead;
pub(crate) use disk_full::DiskSpace;
pub(crate) use segment_writer::{SegmentWriter, read_only};

use std::sync::{Arc, Weak};

use trunkline_types::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock, try_lock};
use trunkline_types::{Code, Durability, Error, Result, forked_since};

use crate::checkpoint::Progress;
use crate::completion::{Completions, Signal};
use crate::control::{Control, ControlState, Position};
use crate::epoch::Epoch;
use crate::lsn::{Lsn, Ticket};
use crate::maintenance::{Maintaining, Maintenance};
use crate::options::Options;
use crate::poison::Poison;
use crate::prepare::Prepared;
use crate::recent::Recent;
use crate::retained::OpenFiles;
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
    pub(crate) maintenance: Maintenance,
    /// The append lock.
    pub(crate) tail: Mutex<Tail>,
    /// What was written last.
    pub(crate) recent: Mutex<Recent>,
    /// The leader holds it while it writes and syncs for all.
    pub(crate) lead: Mutex<Lead>,
    /// The preallocated next segment; locked during a preallocation.
    pub(crate) prepared: Mutex<Option<Prepared>>,
    pub(crate) table: Mutex<SegmentTable>,
    pub(crate) sealed_files: Arc<OpenFiles>,
    /// Absent in a folder of format 1 that was opened read-only.
    pub(crate) control: Mutex<Option<Control>>,
    pub(crate) written: Level,
    pub(crate) synced: Level,
    /// Bytes ever appended, stored under the append lock.
    pub(crate) bytes_appended: AtomicUsize,
    /// Bytes ever written, stored by the leader.
    pub(crate) bytes_written: AtomicUsize,
    /// Syncs ever made, stored by the leader.
    pub(crate) syncs: AtomicUsize,
    pub(crate) progress: Progress,
    pub(crate) poison: Poison,
    pub(crate) disk_space: DiskSpace,
    pub(crate) threads: Threads,
}

/// The progress of one level of durability, and its waiters.
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

    /// Records that everything before `end` has reached this level. Only the leader calls this.
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
    /// The progress of `level`; `None` for memory, where nothing is waited for.
    pub(crate) fn level(&self, level: Durability) -> Option<&Level> {
        match level {
            Durability::Memory => None,
            Durability::Os => Some(&self.written),
            Durability::Disk => Some(&self.synced),
        }
    }

    /// Closes the files that hold data. A caller that keeps a queue of a closed engine keeps this
    /// too, and a file that is open takes its disk space although the next owner of the folder has
    /// removed it. As long as the caller holds what is returned, no segment is prepared.
    pub(crate) fn release_files(&self) -> MutexGuard<'_, Option<Prepared>> {
        // A thread that leads still has nothing to write: it is about to unlock.
        if let Some(mut lead) = try_lock(&self.lead) {
            lead.release_file();
        }
        let mut prepared = lock(&self.prepared);
        *prepared = None;
        lock(&self.table).close_all();
        self.sealed_files.close_all();
        prepared
    }

    /// Fails in a forked child, after `close`, and when the journal is poisoned.
    #[inline]
    pub(crate) fn check_usable(&self) -> Result<()> {
        self.check_open()?;
        self.poison.check()
    }

    /// Fails in a forked child and after `close`. Call it before taking any lock: in a child a lock
    /// may be held by a thread that does not exist there.
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

    /// Takes the lock for changes of the folder; fails when the journal is closed or poisoned by
    /// then. Call [`Shared::check_usable`] again between a commit, which may have called a signal
    /// that closes the journal, and a change of the folder.
    pub(crate) fn maintain(&self) -> Result<Maintaining<'_>> {
        self.check_usable()?;
        let maintaining = self.maintenance.take();
        self.check_usable()?;
        Ok(maintaining)
    }

    /// Notes in the control file that everything up to `position` is durable.
    pub(crate) fn note_durable(&self, position: Position) -> Result<()> {
        match &mut *lock(&self.control) {
            Some(control) => control.note(position),
            None => Ok(()),
        }
    }

    /// Makes durable that `oldest` is the oldest segment that is needed.
    pub(crate) fn store_oldest(&self, oldest: u32) -> Result<()> {
        match &mut *lock(&self.control) {
            Some(control) => control.store(ControlState { oldest, ..control.state() }),
            None => Ok(()),
        }
    }

    /// Makes the noted position durable.
    pub(crate) fn store_control(&self) -> Result<()> {
        match &mut *lock(&self.control) {
            Some(control) => control.store(control.state()),
            None => Ok(()),
        }
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
