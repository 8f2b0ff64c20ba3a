//! Waiting for records: what the host asks of a stream and of a member for which calls wait.

use std::sync::Arc;

use trunkline_host::{Awaited, Host, Jobs, TimerKey, Waiters};
use trunkline_types::Millis;

use super::retention::SLOT_RETENTION;
use super::status::SLOT_DELETION;
use super::{Stream, StreamMember};

/// Timer slot: a wait may have reached its deadline on a virtual clock.
const SLOT_WAITERS: u32 = 1;
/// Timer slot: the leases of a member may have lapsed, so that another one takes its shards.
const SLOT_LEASES: u32 = 2;

impl Stream {
    /// Reads that wait now.
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn fire_slot(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        match slot {
            SLOT_RETENTION => jobs.push(u64::from(SLOT_RETENTION)),
            SLOT_DELETION => jobs.push(u64::from(SLOT_DELETION)),
            SLOT_WAITERS => self.waiters.expire(now),
            _ => self.waiters.wake_all(),
        }
        None
    }

    /// Wakes those who wait when the leases of a member may lapse.
    pub(super) fn arm_lapse(&self, at: Millis) {
        self.host.arm(TimerKey { owner: self.id, slot: SLOT_LEASES }, at);
    }
}

impl Awaited for Stream {
    fn host(&self) -> &Arc<Host> {
        &self.host
    }

    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// A record is read by every call that waits, and all are woken: there is none to pass a wake
    /// on to.
    fn has_content(&self) -> bool {
        false
    }

    fn waiters_timer(&self) -> TimerKey {
        TimerKey { owner: self.id, slot: SLOT_WAITERS }
    }
}

/// A member that waits for records. Its leases do not lapse until this is dropped.
pub struct MemberWait(Arc<StreamMember>);

impl MemberWait {
    /// The member begins to wait.
    pub fn new(member: Arc<StreamMember>) -> Self {
        member.begin_wait();
        Self(member)
    }
}

impl Drop for MemberWait {
    fn drop(&mut self) {
        self.0.end_wait();
    }
}
