//! Waiting for records: subscriptions. Surfaces park in their own way.

use std::sync::Arc;

use trunkline_host::{Ended, Jobs, Ticker, TimerKey, WaiterId};
use trunkline_journal::Signal;
use trunkline_types::Millis;

use super::retention::SLOT_RETENTION;
use super::{Stream, StreamMember};

/// Timer slot: a wait may have reached its deadline on a virtual clock.
const SLOT_WAITERS: u32 = 1;
/// Timer slot: the leases of a member may have lapsed, so that another one takes its shards.
const SLOT_LEASES: u32 = 2;

impl Stream {
    /// Asks for one call of `signal` when a read may find records. Read after subscribing and after
    /// every call; end each subscription with [`Stream::unsubscribe`]. With a deadline the signal
    /// is called then as well, on a virtual clock.
    pub fn subscribe(&self, signal: Arc<dyn Signal>, deadline: Option<Millis>) -> WaiterId {
        let deadline = deadline.filter(|_| self.host.clock.is_virtual());
        let id = self.waiters.subscribe(signal, deadline);
        if let Some(at) = deadline {
            self.host.arm(TimerKey { owner: self.id, slot: SLOT_WAITERS }, at);
        }
        Ticker::enter(&self.host);
        id
    }

    /// Ends a subscription and says what had become of it.
    pub fn unsubscribe(&self, id: WaiterId) -> Ended {
        Ticker::leave(&self.host);
        // A record is read by everybody: there is no wake that another waiter would miss.
        self.waiters.unsubscribe(id)
    }

    /// Reads that wait now.
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn fire_slot(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        match slot {
            SLOT_RETENTION => jobs.push(u64::from(SLOT_RETENTION)),
            SLOT_WAITERS => self.waiters.expire(now),
            _ => self.waiters.wake_all(),
        }
        None
    }
}

/// A member that waits for records. Its leases do not lapse meanwhile.
pub struct ReaderWaiter(WaiterId);

impl StreamMember {
    /// Asks for one call of `signal` when a fetch may find records; see [`Stream::subscribe`].
    pub fn subscribe(&self, signal: Arc<dyn Signal>, deadline: Option<Millis>) -> ReaderWaiter {
        let stream = self.stream();
        // The member that waits longest must notice when another one's leases lapse.
        if let Some(at) = self.wait() {
            stream.host.arm(TimerKey { owner: stream.id, slot: SLOT_LEASES }, at);
        }
        ReaderWaiter(stream.subscribe(signal, deadline))
    }

    /// Ends a subscription and says what had become of it.
    pub fn unsubscribe(&self, waiter: ReaderWaiter) -> Ended {
        self.show();
        self.stream().unsubscribe(waiter.0)
    }
}
