//! Which message is next: the order of the log, or the fair scheduler's.
//!
//! A message without a group is a tenant of its own, so it is always quiet: the log and the quiet
//! tenants take turns, and noisy tenants get what these leave.
//!
//! Lock order: the append lock, then the fair scheduler's.

use trunkline_queue::{Claim, FairScheduler, Info, SlotRef};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;

use super::StandardQueue;
use super::message::Message;
use crate::queue::Queue;
use crate::queue::envelope::{Envelope, GROUPED};

impl StandardQueue {
    /// The next visible message, owned.
    #[inline(always)] // A call would move the claim through memory.
    pub(super) fn pick(&self, queue: &Queue) -> Option<Claim<'_>> {
        if self.has_fair() { self.pick_fairly(queue) } else { self.log.claim() }
    }

    #[cold]
    fn pick_fairly(&self, queue: &Queue) -> Option<Claim<'_>> {
        let log_first = self.turn.fetch_xor(true, Ordering::Relaxed);
        let quiet = match log_first {
            true => self.log.claim().or_else(|| self.pick_from_lane(queue, true)),
            false => self.pick_from_lane(queue, true).or_else(|| self.log.claim()),
        };
        quiet.or_else(|| self.pick_from_lane(queue, false))
    }

    fn pick_from_lane(&self, queue: &Queue, quiet_only: bool) -> Option<Claim<'_>> {
        let limits = &queue.host.limits;
        loop {
            let in_flight = self.log.counts().in_flight;
            let place = self.with_scheduler(|scheduler| match quiet_only {
                true => scheduler.next_quiet(in_flight, limits),
                false => scheduler.next(in_flight, limits),
            })?;
            match self.log.claim_at(place) {
                Some(claimed) => return Some(claimed),
                // It was deleted while it waited.
                None => self.with_scheduler(|scheduler| scheduler.gone(place)),
            }
        }
    }

    /// Whether messages wait in the fair scheduler. While none do, its lock is not taken.
    #[inline]
    pub(super) fn has_fair(&self) -> bool {
        self.fair_waiting.load(Ordering::Acquire) > 0
    }

    /// Whether there ever was a message with a group.
    #[inline]
    pub(super) fn has_tenants(&self) -> bool {
        self.has_tenants.load(Ordering::Acquire)
    }

    pub(super) fn enter_lane(&self, group: Option<&str>, place: SlotRef) {
        self.with_scheduler(|scheduler| scheduler.push(group.unwrap_or_default(), place));
    }

    /// A message is visible again after a lease or a delay: one with a group enters the scheduler.
    pub(super) fn return_to_lane(&self, queue: &Queue, place: SlotRef) {
        if self.has_tenants() && self.log.info(place).is_some_and(|info| info.fair) {
            self.enter_lane_again(queue, place);
        }
    }

    pub(super) fn enter_lane_again(&self, queue: &Queue, place: SlotRef) {
        if self.with_scheduler(|scheduler| scheduler.released(place)) {
            return;
        }
        // The fair scheduler does not know it yet: its tenant's name lies with the message.
        let Some(claimed) = self.log.claim_at(place) else { return };
        // A message that cannot be read now is found by a later receive, which reports the error.
        let group = match self.read(queue, claimed) {
            Ok(Some((claimed, record))) => {
                let group = group_of(&claimed, &record);
                claimed.put_back();
                group
            }
            Ok(None) => return,
            Err(_) => None,
        };
        self.enter_lane(group.as_deref(), place);
    }

    /// A message is gone for good.
    pub(super) fn leave_lane(&self, info: &Info) {
        if info.fair {
            self.with_scheduler(|scheduler| scheduler.gone(info.place));
        }
    }

    /// Leaves a claimed message as it was, visible.
    pub(super) fn give_back(&self, queue: &Queue, claimed: Claim<'_>) {
        let (place, grouped) = (claimed.place(), claimed.flags() & GROUPED != 0);
        claimed.put_back();
        if grouped && !self.with_scheduler(|scheduler| scheduler.released(place)) {
            self.enter_lane_again(queue, place);
        }
    }

    /// Ends the lease of a delivery that was made without a length.
    pub(super) fn end_lease(&self, queue: &Queue, place: SlotRef, delivery: u32) {
        let ours = |claimed: &Claim<'_>| claimed.deliveries() == delivery;
        let Some(claimed) = self.log.claim_leased(place).filter(ours) else { return };
        if claimed.make_visible().is_ok() {
            self.return_to_lane(queue, place);
        }
    }

    /// Runs `change` on the fair scheduler, and mirrors how many wait there.
    pub(super) fn with_scheduler<T>(&self, change: impl FnOnce(&mut FairScheduler) -> T) -> T {
        let mut scheduler = lock(&self.fair);
        let result = change(&mut scheduler);
        self.fair_waiting.store(scheduler.waiting(), Ordering::Release);
        result
    }
}

/// The tenant of a claimed message.
pub(super) fn group_of(claimed: &Claim<'_>, record: &[u8]) -> Option<String> {
    let payload = super::receive::payload(claimed, record).ok()?;
    let envelope = Envelope::read(Message::of(claimed).flags, payload).ok()?;
    envelope.group.map(str::to_owned)
}
