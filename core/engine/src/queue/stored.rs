//! A message as loaders and checkpoints have it: where it lies, and how it stands.

use trunkline_journal::Lsn;
use trunkline_types::{Limits, Millis};

/// One message: 56 bytes, because there may be tens of millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct StoredMessage {
    pub lsn: Lsn,
    pub sent: Millis,
    pub due: Millis,
    pub first_received: Millis,
    pub len: u32,
    pub deliveries: u32,
    /// Index into the group names, plus one; 0 for none.
    pub group: u32,
    pub flags: u8,
}

impl StoredMessage {
    /// The message as it may stand at `now`. Its times were written under a clock that may have
    /// been ahead: none lies further in the future than its rule allows, so a wrong clock hides
    /// messages for no longer than a right one could.
    pub fn bounded(mut self, now: Millis, limits: &Limits) -> Self {
        let longest = if self.deliveries == 0 { limits.delay_max } else { limits.visibility_max };
        self.due = self.due.min(now + longest);
        self.sent = self.sent.min(now);
        self.first_received = self.first_received.min(now);
        self
    }
}
