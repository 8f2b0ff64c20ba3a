//! Waiting for a message: subscriptions. Surfaces park in their own way.

use std::sync::Arc;

use trunkline_host::{Ended, Ticker, TimerKey, WaiterId};
use trunkline_journal::Signal;
use trunkline_types::Millis;

use super::{Kind, Queue, SLOT_WAITERS};

impl Queue {
    /// Asks for one call of `signal` when a receive may find a message. Try to receive after
    /// subscribing and after every call; end each subscription with [`Queue::unsubscribe`].
    pub fn subscribe(&self, signal: Arc<dyn Signal>) -> WaiterId {
        self.subscribe_until(signal, None)
    }

    /// The same, with a deadline that is kept on a virtual clock: the signal is called then as
    /// well. On a system clock the caller keeps its own deadline.
    pub fn subscribe_until(&self, signal: Arc<dyn Signal>, deadline: Option<Millis>) -> WaiterId {
        let deadline = deadline.filter(|_| self.host.clock.is_virtual());
        let id = self.waiters.subscribe(signal, deadline);
        if let Some(at) = deadline {
            self.host.arm(TimerKey { owner: self.id, slot: SLOT_WAITERS }, at);
        }
        Ticker::enter(&self.host);
        id
    }

    /// Receivers that wait for a message now.
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Ends a subscription and says what had become of it. A wake that was not used goes to the
    /// next.
    pub fn unsubscribe(&self, id: WaiterId) -> Ended {
        Ticker::leave(&self.host);
        let ended = self.waiters.unsubscribe(id);
        if ended == Ended::Woken && self.has_visible() {
            self.waiters.wake(1);
        }
        ended
    }

    fn has_visible(&self) -> bool {
        match &self.inner {
            Kind::Standard(standard) => standard.has_visible(),
            Kind::Fifo(fifo) => fifo.has_visible(),
        }
    }
}
