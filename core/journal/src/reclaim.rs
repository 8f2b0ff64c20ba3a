//! Reclaims the oldest segment when none of its records is needed any more.

use trunkline_types::sync::lock;
use trunkline_types::{Durability, Result};

use crate::journal::Journal;
use crate::lsn::Ticket;
use crate::mutant::Mutant;
use crate::recycled;
use crate::segment::{Segment, name_of};
use crate::shared::Shared;

impl Journal {
    /// The segment of the next record. It may hold no batch that was written.
    pub fn current_segment(&self) -> u32 {
        lock(&self.shared.tail).end().segment()
    }

    /// Whether the disk is full, and half of what is kept for records that free space is used.
    #[inline]
    pub fn is_scarce(&self) -> bool {
        self.is_full() && lock(&self.shared.tail).is_scarce()
    }
}

impl Shared {
    /// Reclaims the oldest segment; false if it is the current one.
    ///
    /// First everything appended becomes durable, with it the records relocated out of the segment.
    /// Then the control file names the new oldest segment, durably. Then the file is recycled or
    /// removed, and the folder is synced. No byte is appended, so a full disk can be reclaimed.
    pub(crate) fn reclaim_oldest(&self) -> Result<bool> {
        let _serialized = self.maintain()?;
        let end = lock(&self.tail).end();
        let oldest = lock(&self.table).all().first().map_or(u32::MAX, |oldest| oldest.number);
        if oldest >= end.segment() {
            return Ok(false);
        }
        if !self.options.has(Mutant::ReclaimEarly) {
            self.commit(Ticket::at(end), Durability::Disk)?;
            self.check_usable()?;
        }
        self.storage.check_claim().inspect_err(|cause| self.poison.set(cause))?;
        let _no_preallocation = lock(&self.prepared);
        let Some(segment) = lock(&self.table).pop_oldest() else { return Ok(false) };
        lock(&self.tail).set_oldest(segment.number + 1);
        let removed =
            self.store_oldest(segment.number + 1).and_then(|()| self.recycle_or_remove(segment));
        if let Err(cause) = &removed {
            self.poison.set(cause);
        }
        self.disk_space.allow_probe();
        removed.map(|()| true)
    }

    /// Lets the next append start a segment of the first length, and removes the recycled files.
    /// For a journal whose live data is small: reclaiming the longer segments then frees their disk
    /// space. False if the current segment is that short already.
    pub(crate) fn shrink(&self) -> Result<bool> {
        let _serialized = self.maintain()?;
        let _no_preallocation = lock(&self.prepared);
        if !lock(&self.tail).rotate_to(self.options.segment_bytes_first) {
            return Ok(false);
        }
        recycled::remove_all(&*self.storage)?;
        self.storage.sync_dir()?;
        Ok(true)
    }

    /// Keeps the file as a recycled one if it can become the next segment; removes it otherwise.
    fn recycle_or_remove(&self, segment: Segment) -> Result<()> {
        let (storage, name) = (&self.storage, name_of(segment.number));
        let reusable = segment.bytes == lock(&self.tail).next_bytes();
        if reusable {
            recycled::keep(&**storage, &name, segment.bytes)?;
        } else {
            storage.remove(&name)?;
        }
        // IMPORTANT: the recycled file may be written to next. If its old name came back after a
        // crash, a segment would hold batches of another segment.
        if self.options.has(Mutant::ForgetSyncDir) {
            return Ok(());
        }
        storage.sync_dir()
    }
}
