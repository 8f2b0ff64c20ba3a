//! Messages of a fan-out whose record places several of them.

use trunkline_host::Location;
use trunkline_queue::{NewBody, Reserved, Visibility};
use trunkline_types::Millis;

use super::StandardQueue;
use crate::queue::Queue;
use crate::queue::envelope::SHARED_ALONE;

impl StandardQueue {
    /// Reserves the slot of a message that will lie in the journal.
    pub fn reserve_located(&self) -> Reserved<'_> {
        self.log.reserve(0, false)
    }

    /// Makes such a message visible: it refers to a shared payload, and its record lies at
    /// `location`.
    pub fn publish_located(
        &self,
        queue: &Queue,
        slot: Reserved<'_>,
        sent: Millis,
        location: Location,
    ) {
        let seq = slot.seq();
        let body = NewBody::At { lsn: location.lsn.to_u64(), len: location.len };
        slot.publish(sent, SHARED_ALONE, body, Visibility::Ready);
        if queue.host.trace.is_on() {
            queue.trace_entered(seq, None);
        }
        self.plan_retention(queue, sent);
    }
}
