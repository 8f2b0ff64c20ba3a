//! Completions: signals to be called when a ticket is settled, without a waiting thread.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::lsn::Ticket;

/// A callback that is called once.
pub trait Signal: Send + Sync {
    /// Called from any thread, also one that reclaims or seals. Must not block.
    fn signal(&self);
}

/// Signals in the order of their tickets.
#[derive(Default)]
pub(crate) struct Completions {
    waiting: VecDeque<(Ticket, Arc<dyn Signal>)>,
}

impl Completions {
    /// Adds a signal. Tickets come nearly in order, so it nearly always goes to the end.
    pub(crate) fn add(&mut self, ticket: Ticket, signal: Arc<dyn Signal>) {
        let index = match self.waiting.back() {
            Some((last, _)) if *last > ticket => {
                self.waiting.partition_point(|(other, _)| *other <= ticket)
            }
            _ => self.waiting.len(),
        };
        self.waiting.insert(index, (ticket, signal));
    }

    /// Removes and returns the signals of tickets up to `settled`.
    pub(crate) fn take(&mut self, settled: Ticket) -> Vec<Arc<dyn Signal>> {
        let count = self.waiting.partition_point(|(ticket, _)| *ticket <= settled);
        self.waiting.drain(..count).map(|(_, signal)| signal).collect()
    }

    /// Removes and returns all signals.
    pub(crate) fn take_all(&mut self) -> Vec<Arc<dyn Signal>> {
        self.waiting.drain(..).map(|(_, signal)| signal).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
