//! When a queue was last purged. A queue is not purged again at once, so the record that says so
//! outlives its segment for as long as that matters.

use trunkline_host::{Append, Location};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result, Seq};

use super::Queue;
use super::record::Record;

/// How long a purge is told of: until SQS would allow the next one.
const TOLD: Millis = 60_000;

/// The last purge of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Purge {
    /// When it was; 0 for never.
    pub at: Millis,
    /// Where the record lies that says so; `None` if it is needed no longer.
    pub location: Option<Location>,
}

impl Purge {
    /// The purge as an engine that opens at `now` keeps it: a record that matters no longer may be
    /// gone with its segment, which a checkpoint from before does not know.
    pub fn opened(self, now: Millis) -> Self {
        Self { location: self.location.filter(|_| self.matters(now)), ..self }
    }

    fn matters(&self, now: Millis) -> bool {
        self.at + TOLD > now
    }
}

impl Queue {
    /// When the queue was last purged.
    pub fn purged_at(&self) -> Option<Millis> {
        Some(lock(&self.purged).at).filter(|at| *at > 0)
    }

    /// Records that every message with a number below `before` is gone.
    pub(crate) fn record_purge(&self, log: &mut Append<'_>, before: Seq, now: Millis) {
        let record = Record::Purged { queue: self.id, before, at: now };
        let mut purged = lock(&self.purged);
        purged.location = match self.is_removed() {
            // It says so under the append lock, and leaves nothing that lives.
            true => log.append(&record).and(None),
            false => log.append_live(&record, purged.location),
        };
        purged.at = now;
        self.trace_purged(before, "by a purge");
    }

    /// Writes that the queue was purged again if the record lies in `segment` and matters.
    pub(crate) fn relocate_purge(&self, segment: u32) -> Result<()> {
        let is_there =
            |purged: &Purge| purged.location.is_some_and(|location| location.segment() == segment);
        if !is_there(&lock(&self.purged)) {
            return Ok(());
        }
        let mut log = self.host.append()?;
        let mut purged = lock(&self.purged);
        if !is_there(&purged) {
            return Ok(());
        }
        let record = Record::Purged { queue: self.id, before: 0, at: purged.at };
        if purged.matters(self.host.now()) {
            purged.location = log.append_live(&record, purged.location);
        } else {
            purged.location.take().into_iter().for_each(|location| log.release(location));
        }
        Ok(())
    }

    /// Lets go of the record when the queue is removed.
    pub(crate) fn release_purge(&self, log: &mut Append<'_>) {
        let location = lock(&self.purged).location.take();
        location.into_iter().for_each(|location| log.release(location));
    }
}
