//! Group commit. Whoever finds nobody leading leads: writes what everybody appended, syncs, and
//! wakes all of them with one call. A lone sender therefore does its own write and its own sync,
//! and no thread stands between it and the disk.
//!
//! While the leader syncs, the next batch fills; those who appended to it wait for the leader, and
//! one of them leads next. Two syncs at once on one file would gain nothing.

use std::sync::Arc;

use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{MutexGuard, lock, try_lock};
use trunkline_types::{Code, Durability, Error, Result};

use crate::limits;
use crate::lsn::{Lsn, Ticket};
use crate::mutant::Mutant;
use crate::prepare::Prepared;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::storage::File;

/// What the leader needs: the file that is written to.
#[derive(Debug)]
pub(crate) struct Lead {
    /// Absent when the journal is read-only.
    file: Option<Arc<dyn File>>,
    segment: u32,
    segment_bytes: u32,
    /// How many waited for the last batch: so many will probably append again at once.
    followers: usize,
    /// The segment whose successor was asked for already.
    requested_after: u32,
    /// The segment whose successor senders were told to wait for.
    required_after: u32,
    /// Only of a mutant.
    owes_sync: bool,
}

impl Lead {
    pub(crate) fn new(file: Option<Arc<dyn File>>, segment: u32, segment_bytes: u32) -> Self {
        Self {
            file,
            segment,
            segment_bytes,
            followers: 0,
            requested_after: 0,
            required_after: 0,
            owes_sync: false,
        }
    }

    fn file(&self) -> Result<&Arc<dyn File>> {
        self.file.as_ref().ok_or_else(read_only)
    }
}

/// The leadership. When it ends, everybody looks again whether to wait, to go, or to lead.
pub(crate) struct Leader<'a> {
    shared: &'a Shared,
    lead: Option<MutexGuard<'a, Lead>>,
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        // IMPORTANT: unlock first. Somebody who is woken and finds the lock taken sleeps again.
        self.lead = None;
        let shared = self.shared;
        let failed = shared.poison.is_set();
        for level in [&shared.written, &shared.synced] {
            level.epoch.advance();
            level.complete(failed);
        }
    }
}

impl Shared {
    /// Blocks until everything up to `ticket` has come as far as `level`.
    pub(crate) fn commit(&self, ticket: Ticket, durability: Durability) -> Result<()> {
        let Some(level) = self.level(durability) else { return Ok(()) };
        loop {
            let epoch = level.epoch.now();
            if ticket <= Ticket::at(level.settled()) {
                return Ok(());
            }
            self.check_can_settle()?;
            match self.try_lead() {
                Some(mut leader) if ticket > Ticket::at(level.settled()) => {
                    leader.drive(durability)?;
                    if ticket > Ticket::at(level.settled()) {
                        return Err(Error::new(
                            Code::InternalError,
                            "ticket: it is not one of this journal; wait with the engine it is from",
                        ));
                    }
                }
                Some(_) => return Ok(()),
                None => level.epoch.wait(epoch),
            }
        }
    }

    /// A forked child has no leader that could wake it, and a failed journal never goes on.
    pub(crate) fn check_can_settle(&self) -> Result<()> {
        if trunkline_types::forked_since(self.generation) {
            return self.check_usable();
        }
        self.poison.check()
    }

    fn try_lead(&self) -> Option<Leader<'_>> {
        try_lock(&self.lead).map(|lead| Leader { shared: self, lead: Some(lead) })
    }

    /// Leads, after whoever leads now.
    pub(crate) fn lead(&self) -> Leader<'_> {
        Leader { shared: self, lead: Some(lock(&self.lead)) }
    }
}

impl Leader<'_> {
    /// Writes everything that was appended, and syncs it when `durability` says so. A failure
    /// poisons the journal.
    pub(crate) fn drive(&mut self, durability: Durability) -> Result<()> {
        let shared = self.shared;
        let Some(lead) = self.lead.as_deref_mut() else { unreachable!("held until the drop") };
        shared.poison.check()?;
        let driven = lead.write_and_sync(shared, durability);
        if let Err(cause) = &driven {
            shared.poison.set(cause);
        }
        driven
    }
}

impl Lead {
    fn write_and_sync(&mut self, shared: &Shared, durability: Durability) -> Result<()> {
        self.delay_commit(shared, durability);
        let in_flight = lock(&shared.tail).take_in_flight(shared.synced.settled());
        for batch in &in_flight.batches {
            if batch.start.segment() != self.segment {
                self.enter_segment(shared, batch)?;
            }
            self.file()?.write_at(u64::from(batch.start.offset()), &batch.bytes)?;
        }
        let end = in_flight.end;
        if !in_flight.batches.is_empty() {
            let bytes = shared.bytes_written.load(Ordering::Relaxed) + in_flight.bytes;
            shared.bytes_written.store(bytes, Ordering::Relaxed);
            lock(&shared.table).set_used(end.segment(), end.offset());
            shared.written.settle(end);
            lock(&shared.tail).finish_in_flight(in_flight);
            self.request_next_segment(shared, end);
        }
        if durability == Durability::Disk {
            shared.written.epoch.advance();
            self.sync(shared, end)?;
        }
        Ok(())
    }

    fn sync(&mut self, shared: &Shared, end: Lsn) -> Result<()> {
        let options = &shared.options;
        if options.has(Mutant::AckBeforeSync) {
            // The sync that this commit owes is done by the next one.
            if std::mem::replace(&mut self.owes_sync, true) {
                self.file()?.sync_data()?;
            }
        } else if !options.has(Mutant::SkipSync) {
            self.file()?.sync_data()?;
        }
        self.followers = shared.synced.epoch.waiters() as usize + shared.synced.waiting();
        shared.synced.settle(end);
        Ok(())
    }

    /// Gives the followers of the last batch the time to append again. Without it a crowd falls
    /// into two halves that wait for each other's syncs.
    fn delay_commit(&self, shared: &Shared, durability: Durability) {
        if durability != Durability::Disk || self.followers < 2 {
            return;
        }
        let level = &shared.synced;
        for _ in 0..limits::COMMIT_DELAY_YIELDS_MAX {
            if level.epoch.waiters() as usize + level.waiting() >= self.followers {
                break;
            }
            std::thread::yield_now();
        }
    }

    /// Goes on in the next segment. The old one is durable first, so that only the newest segment
    /// of a folder can have a torn tail.
    fn enter_segment(&mut self, shared: &Shared, batch: &crate::tail::PendingBatch) -> Result<()> {
        let options = &shared.options;
        let before = batch.follows.unwrap_or_default();
        if !options.has(Mutant::SkipSyncAtRotation) && !options.has(Mutant::SkipSync) {
            self.file()?.sync_data()?;
        }
        shared.written.settle(before);
        shared.synced.settle(before);
        let (number, bytes) = (batch.start.segment(), batch.segment_bytes);
        let mut prepared = lock(&shared.prepared);
        let next = match prepared.take() {
            Some(next) if next.number == number && next.bytes == bytes => next,
            _ => Prepared::make(&*shared.storage, options, number, bytes)?,
        };
        // Still under the lock of `prepared`: nobody may make this segment once it is in use.
        let mut table = lock(&shared.table);
        table.set_used(before.segment(), before.offset());
        table.push(Segment { number, bytes, used: 0 }, Arc::clone(&next.file));
        drop(table);
        drop(prepared);
        shared.disk_space.note(&Ok(()));
        self.file = Some(next.file);
        self.segment = number;
        self.segment_bytes = bytes;
        Ok(())
    }

    /// When the segment is half full, has the next one made ready by the thread behind; when it is
    /// three quarters full, senders wait for that.
    fn request_next_segment(&mut self, shared: &Shared, end: Lsn) {
        if end.offset() > self.segment_bytes / 2 && self.requested_after != self.segment {
            self.requested_after = self.segment;
            shared.preallocate_in_background(self.segment, self.segment_bytes);
        }
        let late = end.offset() > self.segment_bytes / 4 * 3;
        if late && shared.options.background && self.required_after != self.segment {
            self.required_after = self.segment;
            shared.disk_space.require();
        }
    }
}

pub(crate) fn read_only() -> Error {
    Error::new(Code::EngineReadOnly, "the engine was opened read-only")
}
