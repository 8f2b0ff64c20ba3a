//! What time does to a standard queue: delays and leases end, messages grow too old.
//!
//! Messages lie in the log in the order of their sending, whatever became of them since. So one
//! timer entry a queue, its *front*, watches the retention of all: when it fires, the log is looked
//! through from the oldest on. Only a *stranger* is watched on its own: a message that came from
//! another queue and is older than its neighbours.

use trunkline_host::What;
use trunkline_queue::{Fire, Info, SlotRef};
use trunkline_types::Millis;
use trunkline_types::sync::atomic::Ordering;

use super::StandardQueue;
use crate::queue::{Fired, Queue, SLOT_RETENTION};

impl StandardQueue {
    /// A timer entry fired.
    pub fn fire(&self, queue: &Queue, slot: u32, now: Millis) -> Fired {
        if slot == SLOT_RETENTION {
            return Fired { again: self.expire_head(queue, now), visible: false };
        }
        let gone = |place| self.expire_if_old(queue, place, now);
        match self.log.fire(slot, now) {
            Fire::BecameVisible(place) if !gone(place) => {
                self.trace_returned(queue, place);
                self.return_to_lane(queue, place);
                Fired { again: None, visible: true }
            }
            // In flight or delayed, and perhaps come of age meanwhile.
            Fire::Later(at) if !self.log.slot_of(slot).is_some_and(gone) => {
                Fired { again: Some(at), visible: false }
            }
            Fire::Visible(place) => {
                gone(place);
                Fired::default()
            }
            _ => Fired::default(),
        }
    }

    /// Sees to it that the retention of the oldest message is looked at in time.
    #[inline]
    pub(super) fn plan_retention(&self, queue: &Queue, oldest: Millis) {
        if self.front.load(Ordering::Relaxed) == 0 {
            self.plan_head(queue, oldest);
        }
    }

    #[cold]
    fn plan_head(&self, queue: &Queue, oldest: Millis) {
        let at = oldest + queue.rules.retention();
        if self.front.compare_exchange(0, at, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            queue.arm(SLOT_RETENTION, at);
        }
    }

    /// Sees to it that the retention of a message is looked at that is older than its neighbours.
    /// One entry of its own: those of its leases come and go.
    pub(super) fn watch_out_of_order(&self, queue: &Queue, slot: u32, sent: Millis) {
        queue.arm(slot, sent + queue.rules.retention());
    }

    /// The rules have changed: a shorter retention may be over already, and a longer one has to be
    /// watched to its end.
    pub fn rules_changed(&self, queue: &Queue) {
        let mut order = Order::default();
        self.log.scan(|info| {
            if order.is_out_of_order(info.sent) {
                self.watch_out_of_order(queue, info.place.slot, info.sent);
            }
            true
        });
        self.front.store(0, Ordering::Release);
        self.plan_retention(queue, self.log.oldest_sent().unwrap_or_else(|| queue.host.now()));
    }

    fn trace_returned(&self, queue: &Queue, place: SlotRef) {
        if let (true, Some(info)) = (queue.host.trace.is_on(), self.log.info(place)) {
            queue.trace_returned(info.seq, info.deliveries > 0);
        }
    }

    fn expire_if_old(&self, queue: &Queue, place: SlotRef, now: Millis) -> bool {
        let old = |info: &Info| info.sent + queue.rules.retention() <= now;
        let Some(info) = self.log.info(place).filter(old) else { return false };
        self.expire(queue, &info);
        true
    }

    /// Removes the messages at the front whose age has come; when to look again.
    fn expire_head(&self, queue: &Queue, now: Millis) -> Option<Millis> {
        let retention = queue.rules.retention();
        if let Some(before) = now.checked_sub(retention) {
            let mut old = Vec::new();
            self.log.scan(|info| {
                let expired = info.sent <= before;
                if expired {
                    old.push(info);
                }
                expired
            });
            old.iter().for_each(|info| self.expire(queue, info));
        }
        let next = self.log.oldest_sent().map(|oldest| (oldest + retention).max(now + 1));
        self.front.store(next.unwrap_or(0), Ordering::Release);
        next
    }

    fn expire(&self, queue: &Queue, info: &Info) {
        // A poisoned journal cannot note it; the message then expires again after reopening.
        let Ok(mut log) = queue.host.append() else { return };
        if self.log.delete(info.place) {
            self.forget(queue, &mut log, info);
            if queue.host.trace.is_on() {
                queue.trace_gone(info.seq, What::Expired);
            }
        }
    }
}

/// Tells the messages that are older than one before them in the log.
#[derive(Default)]
pub(super) struct Order {
    newest: Millis,
}

impl Order {
    pub fn is_out_of_order(&mut self, sent: Millis) -> bool {
        self.newest = self.newest.max(sent);
        sent < self.newest
    }
}
