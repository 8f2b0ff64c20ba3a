//! Background threads, started on first use: a flusher, which commits when no caller waits, and a
//! short-lived thread that preallocates the next segment.

use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use trunkline_types::sync::atomic::{AtomicU8, Ordering};
use trunkline_types::sync::{Condvar, Mutex, lock};
use trunkline_types::{Code, Durability, Error, Result};

use super::Shared;
use crate::completion::Signal;
use crate::limits;
use crate::lsn::Ticket;
use crate::prepare::Prepared;

#[derive(Default)]
pub(crate) struct Threads {
    /// Durability requested for unawaited writes, as a number; 0 means none pending.
    pending_flush: AtomicU8,
    flusher: Mutex<Flusher>,
    wake: Condvar,
    preallocator: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Flusher {
    requested: Option<Durability>,
    stopped: bool,
    thread: Option<JoinHandle<()>>,
}

impl Shared {
    /// Calls `signal` once when everything up to `ticket` has reached `durability`, or never will.
    /// After an error it is not called.
    pub(crate) fn notify_when(
        &self,
        ticket: Ticket,
        durability: Durability,
        signal: Arc<dyn Signal>,
    ) -> Result<()> {
        let Some(level) = self.level(durability) else {
            signal.signal();
            return Ok(());
        };
        if ticket <= Ticket::at(level.settled()) || self.poison.is_set() {
            signal.signal();
            return Ok(());
        }
        self.check_usable()?;
        if ticket > self.appended() {
            return Err(Error::new(
                Code::InternalError,
                "ticket: it is not one of this journal; use the engine it is from",
            ));
        }
        if self.options.background {
            self.start_flusher()?;
        }
        level.add(ticket, signal);
        // A leader that finished before the signal was added did not see it.
        if ticket <= Ticket::at(level.settled()) || self.poison.is_set() {
            level.complete(self.poison.is_set());
        } else {
            self.commit_in_background(ticket, durability)?;
        }
        Ok(())
    }

    /// Schedules a commit of everything up to `ticket` at `durability`.
    pub(crate) fn commit_in_background(
        &self,
        ticket: Ticket,
        durability: Durability,
    ) -> Result<()> {
        if !self.options.background {
            // An error is kept as poison; `is_settled` reports it.
            let _settled = self.commit(ticket, durability);
            return Ok(());
        }
        self.start_flusher()?;
        let mut flusher = lock(&self.threads.flusher);
        if flusher.requested.is_none_or(|level| level < durability) {
            flusher.requested = Some(durability);
            drop(flusher);
            self.threads.wake.notify_one();
        }
        Ok(())
    }

    /// Schedules a flush of everything appended to `level` within `BACKGROUND_FLUSH_MILLIS`. Later
    /// appends share the flush.
    #[inline]
    pub(crate) fn flush_in_background(&self, level: Durability) -> Result<()> {
        // Relaxed is enough: the flusher clears the request before it takes the append lock. A
        // caller that still sees the request has appended before, so its record is flushed.
        if self.threads.pending_flush.load(Ordering::Relaxed) >= level as u8 {
            return Ok(());
        }
        self.request_flush(level)
    }

    #[cold]
    fn request_flush(&self, level: Durability) -> Result<()> {
        if !self.options.background {
            return self.commit_in_background(self.appended(), level);
        }
        self.start_flusher()?;
        let flusher = lock(&self.threads.flusher);
        let before = self.threads.pending_flush.fetch_max(level as u8, Ordering::SeqCst);
        drop(flusher);
        // With a request the flusher has a time to wake at, and reads the level then.
        if before == 0 {
            self.threads.wake.notify_one();
        }
        Ok(())
    }

    fn start_flusher(&self) -> Result<()> {
        let mut flusher = lock(&self.threads.flusher);
        if flusher.thread.is_some() || flusher.stopped {
            return Ok(());
        }
        let Some(shared) = self.me.upgrade() else { return Ok(()) };
        let started = thread::Builder::new()
            .name("trunkline-journal".into())
            .spawn(move || run_flusher(&shared));
        let thread = started.map_err(|cause| {
            Error::new(Code::StorageFailure, format!("cannot start the flusher thread: {cause}"))
        })?;
        flusher.thread = Some(thread);
        Ok(())
    }

    /// Starts the preallocation of the segment after `number`.
    pub(crate) fn preallocate_in_background(&self, number: u32, bytes: u32) {
        if !self.options.background {
            return;
        }
        let mut preallocator = lock(&self.threads.preallocator);
        if preallocator.as_ref().is_some_and(|running| !running.is_finished()) {
            return;
        }
        let Some(shared) = self.me.upgrade() else { return };
        let started = thread::Builder::new()
            .name("trunkline-segment".into())
            .spawn(move || shared.preallocate_after(number, bytes));
        *preallocator = started.ok();
    }

    pub(crate) fn preallocate_after(&self, number: u32, bytes: u32) {
        let mut prepared = lock(&self.prepared);
        // After `close` the folder may have another owner.
        if self.check_open().is_err() {
            self.note_preallocation(&Ok(()));
            return;
        }
        // IMPORTANT: the leader may have created the segment itself. Never create one in use.
        let (newest, longest) = {
            let table = lock(&self.table);
            let longest = table.all().iter().map(|segment| segment.bytes).max();
            (table.all().last().map(|segment| segment.number), longest.unwrap_or(bytes))
        };
        if newest != Some(number) || prepared.is_some() {
            self.note_preallocation(&Ok(()));
            return;
        }
        let bytes = lock(&self.tail).bytes_after(number, bytes);
        let made = self.preallocate_what_fits(number + 1, bytes, longest / 2);
        self.note_preallocation(&made.map(|made| {
            lock(&self.tail).set_next_bytes(number, made.bytes);
            *prepared = Some(made);
        }));
    }

    /// Halves the length on a nearly full disk, down to `least`. That is half of the longest
    /// segment: enough to record the deletion of every message in it.
    fn preallocate_what_fits(&self, number: u32, bytes: u32, least: u32) -> Result<Prepared> {
        let mut bytes = bytes;
        loop {
            let made = Prepared::make(&*self.storage, &self.options, number, bytes);
            let full = made.as_ref().is_err_and(|cause| cause.code() == Code::StorageFull);
            if !full || bytes / 2 < least.max(limits::SEGMENT_BYTES_MIN) {
                return made;
            }
            bytes = (bytes / 2).next_multiple_of(limits::SEGMENT_BYTES_MIN);
        }
    }

    /// Stops and joins the threads. Everything is settled by then, or the journal has failed.
    pub(crate) fn stop_threads(&self) {
        let flusher = {
            let mut flusher = lock(&self.threads.flusher);
            flusher.stopped = true;
            flusher.thread.take()
        };
        self.threads.wake.notify_one();
        let preallocator = lock(&self.threads.preallocator).take();
        for handle in [flusher, preallocator].into_iter().flatten() {
            // A signal may close the journal on the flusher's own thread, which cannot join
            // itself; it ends when it sees `stopped`. The panic hook has reported a panic.
            if handle.thread().id() != thread::current().id() {
                let _ended = handle.join();
            }
        }
    }
}

fn level_of(pending: u8) -> Durability {
    if pending >= Durability::Disk as u8 { Durability::Disk } else { Durability::Os }
}

fn run_flusher(shared: &Shared) {
    let threads = &shared.threads;
    loop {
        let mut flusher = lock(&threads.flusher);
        let requested = loop {
            if let Some(requested) = flusher.requested.take() {
                break requested;
            }
            if flusher.stopped {
                return;
            }
            if threads.pending_flush.load(Ordering::SeqCst) == 0 {
                flusher = threads.wake.wait(flusher).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let rest = threads
                .wake
                .wait_timeout(flusher, Duration::from_millis(limits::BACKGROUND_FLUSH_MILLIS));
            let (woken, waited) = rest.unwrap_or_else(PoisonError::into_inner);
            flusher = woken;
            if waited.timed_out() {
                break level_of(threads.pending_flush.swap(0, Ordering::SeqCst));
            }
        };
        drop(flusher);
        let mut leader = shared.lead();
        let settled = shared
            .level(requested)
            .is_none_or(|level| Ticket::at(level.settled()) >= shared.appended());
        if !settled {
            // An error is kept as poison; dropping the leader wakes all waiters.
            let _driven = leader.drive(requested);
        }
    }
}
