//! Giving up the oldest segment, once nothing in it is needed any more.

use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Durability, Result};

use crate::lsn::Ticket;
use crate::mutant::Mutant;
use crate::segment::{SPARE_NAME, Segment, name_of};
use crate::shared::Shared;

impl Shared {
    /// Gives up the oldest segment; false when it is the one that is written to.
    ///
    /// First a mark is made durable that says which segment is the oldest from now on. It lies
    /// behind everything appended before, so what was carried out of the segment is durable too.
    /// Only then does the file go, and its going is durable before anything else happens.
    pub(crate) fn release_oldest(&self) -> Result<bool> {
        self.check_usable()?;
        let _turn = lock(&self.release);
        let ticket = {
            let mut tail = lock(&self.tail);
            if tail.oldest >= tail.end().segment() {
                return Ok(false);
            }
            tail.oldest += 1;
            let grown = tail.append_mark();
            let bytes = self.bytes_appended.load(Ordering::Relaxed) + grown;
            self.bytes_appended.store(bytes, Ordering::Relaxed);
            Ticket::at(tail.end())
        };
        if !self.options.has(Mutant::ReleaseEarly) {
            self.commit(ticket, Durability::Disk)?;
        }
        let _no_segment_is_made = lock(&self.prepared);
        let Some(segment) = lock(&self.table).pop_oldest() else { return Ok(false) };
        let gone = self.drop_file(segment);
        if let Err(cause) = &gone {
            self.poison.set(cause);
        }
        self.room.may_be_there();
        gone.map(|()| true)
    }

    /// Keeps the file as the spare one if it may be the next segment; removes it otherwise.
    fn drop_file(&self, segment: Segment) -> Result<()> {
        let (storage, name) = (&self.storage, name_of(segment.number));
        let reusable = segment.bytes == self.options.segment_bytes;
        if reusable && storage.open(SPARE_NAME)?.is_none() {
            storage.rename(&name, SPARE_NAME)?;
        } else {
            storage.remove(&name)?;
        }
        // IMPORTANT: the spare file may be written to next. If its old name came back after a
        // crash, a segment would be there whose frames are of another place.
        if self.options.has(Mutant::ForgetSyncDir) {
            return Ok(());
        }
        storage.sync_dir()
    }
}
