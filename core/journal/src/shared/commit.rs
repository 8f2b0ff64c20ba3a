//! Group commit. A caller that finds no leader becomes the leader: it writes the batches of all
//! callers, syncs, and wakes all of them with one call. A lone sender does its own write and sync,
//! so no thread switch stands between it and the disk.
//!
//! While the leader syncs, the next batch fills. Its callers wait for the leader, and one of them
//! leads next. Two concurrent syncs of one file would gain nothing.

use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{MutexGuard, lock, try_lock};
use trunkline_types::{Code, Durability, Error, Result};

use super::Shared;
use super::segment_writer::SegmentWriter;
use crate::limits;
use crate::lsn::{Lsn, Ticket};

/// The state of the leader.
#[derive(Debug)]
pub(crate) struct Lead {
    writer: SegmentWriter,
    /// How many callers waited for the last batch: about as many will append again at once.
    followers: usize,
    /// The segment whose successor was requested.
    requested_after: u32,
    /// The segment whose successor senders were told to wait for.
    required_after: u32,
}

impl Lead {
    pub(crate) fn new(writer: SegmentWriter) -> Self {
        Self { writer, followers: 0, requested_after: 0, required_after: 0 }
    }

    /// Closes the file of the current segment, because nothing will be written any more.
    pub(crate) fn release_file(&mut self) {
        self.writer.release_file();
    }
}

/// The leadership. Dropping it wakes all waiters; each returns, waits again, or leads.
pub(crate) struct Leader<'a> {
    shared: &'a Shared,
    lead: Option<MutexGuard<'a, Lead>>,
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        // IMPORTANT: unlock first. A waiter that wakes and finds the lock taken sleeps again.
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
    /// Blocks until everything up to `ticket` has reached `durability`.
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

    /// Fails in a forked child, where no leader could wake the caller, and in a failed journal.
    pub(crate) fn check_can_settle(&self) -> Result<()> {
        if trunkline_types::forked_since(self.generation) {
            return self.check_usable();
        }
        self.poison.check()
    }

    fn try_lead(&self) -> Option<Leader<'_>> {
        try_lock(&self.lead).map(|lead| Leader { shared: self, lead: Some(lead) })
    }

    /// Becomes the leader after the current one.
    pub(crate) fn lead(&self) -> Leader<'_> {
        Leader { shared: self, lead: Some(lock(&self.lead)) }
    }
}

impl Leader<'_> {
    /// Writes everything that was appended, and syncs it if `durability` is `Disk`. An error
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
        self.writer.check_claim(shared)?;
        for batch in &in_flight.batches {
            self.writer.write(shared, batch)?;
        }
        let position = in_flight.position;
        if !in_flight.batches.is_empty() {
            let bytes = shared.bytes_written.load(Ordering::Relaxed) + in_flight.bytes;
            shared.bytes_written.store(bytes, Ordering::Relaxed);
            lock(&shared.table).set_used(position.end.segment(), position.end.offset());
            shared.written.settle(position.end);
            // Kept before they leave the tail: a reader finds them in one of the two, or in the
            // file.
            let unused = lock(&shared.recent).add(in_flight.batches);
            let mut tail = lock(&shared.tail);
            tail.finish_in_flight();
            tail.recycle(unused);
            drop(tail);
            self.request_next_segment(shared, position.end);
        }
        if durability == Durability::Disk {
            shared.written.epoch.advance();
            self.writer.sync(shared, position)?;
            let syncs = shared.syncs.load(Ordering::Relaxed) + 1;
            shared.syncs.store(syncs, Ordering::Relaxed);
            self.followers = shared.synced.epoch.waiters() as usize + shared.synced.waiting();
            shared.synced.settle(position.end);
        }
        Ok(())
    }

    /// Commit delay: lets the waiters of the last batch append again. Without it many callers split
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

    /// Requests the preallocation of the next segment when the current one is half full. When it is
    /// three quarters full, senders wait for the outcome.
    fn request_next_segment(&mut self, shared: &Shared, end: Lsn) {
        if end.offset() > self.writer.segment_bytes / 2
            && self.requested_after != self.writer.segment
        {
            self.requested_after = self.writer.segment;
            shared.preallocate_in_background(self.writer.segment, self.writer.segment_bytes);
        }
        let late = end.offset() > self.writer.segment_bytes / 4 * 3;
        if late && shared.options.background && self.required_after != self.writer.segment {
            self.required_after = self.writer.segment;
            shared.disk_space.require();
        }
    }
}
