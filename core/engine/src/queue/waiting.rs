//! Waiting for a message: subscriptions, and the thread that simply blocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_host::{Ended, Parker, Ticker, TimerKey, WaiterId};
use trunkline_journal::Signal;
use trunkline_types::{Millis, Result};

use super::SLOT_WAITERS;
use super::{Kind, Queue};

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

    /// Blocks this thread until a receive may find a message, the queue or the engine ends, or
    /// `timeout` is over; whether it was not the time. Virtual clocks: see
    /// [`Queue::subscribe_until`].
    pub fn wait(&self, timeout: Duration) -> Result<bool> {
        self.check_readable()?;
        let end = Instant::now().checked_add(timeout);
        let parker = Arc::new(Parker::default());
        let id = self.subscribe(parker.clone());
        // A message may have come between the caller's try and the subscription.
        let woken = self.has_visible() || {
            let left = end.map_or(timeout, |end| end.saturating_duration_since(Instant::now()));
            parker.park(left)
        };
        self.unsubscribe(id);
        self.check_readable()?;
        Ok(woken)
    }

    fn has_visible(&self) -> bool {
        match &self.inner {
            Kind::Standard(standard) => standard.has_visible(),
            Kind::Fifo(fifo) => fifo.has_visible(),
        }
    }
}
