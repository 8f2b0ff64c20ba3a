//! What the host asks of a queue for which receivers wait.

use std::sync::Arc;

use trunkline_host::{Awaited, Host, TimerKey, Waiters};

use super::{Kind, Queue, SLOT_WAITERS};

impl Queue {
    /// Receivers that wait for a message now.
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }
}

impl Awaited for Queue {
    fn host(&self) -> &Arc<Host> {
        &self.host
    }

    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    fn has_content(&self) -> bool {
        match &self.inner {
            Kind::Standard(standard) => standard.has_visible(),
            Kind::Fifo(fifo) => fifo.has_visible(),
        }
    }

    fn waiters_timer(&self) -> TimerKey {
        TimerKey { owner: self.id, slot: SLOT_WAITERS }
    }
}
