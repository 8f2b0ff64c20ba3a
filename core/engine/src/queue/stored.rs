//! A message as loaders and checkpoints have it: where it lies, and how it stands.

use trunkline_host::Location;
use trunkline_journal::Lsn;
use trunkline_types::{Limits, Millis, Result, Seq};

use crate::queue::Queue;
use crate::queue::record::{FAN_OUT, FanOutRecord};

impl Queue {
    /// Reads message `seq`, whose record is at `location`, as the record that it has of its own.
    /// False if it lies there no longer.
    pub(crate) fn read_record(
        &self,
        seq: Seq,
        location: Location,
        record: &mut Vec<u8>,
    ) -> Result<bool> {
        if !self.host.read(location, record)? {
            return Ok(false);
        }
        if record.first() == Some(&FAN_OUT) {
            let fan_out = FanOutRecord::decode(record)?;
            record.clear();
            fan_out.message(self.id, seq, record)?;
        }
        Ok(true)
    }
}

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
