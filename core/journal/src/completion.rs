//! Completions: who is to be told when a ticket is settled, without a thread that waits.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::lsn::Ticket;

/// Something that wants to be told once.
pub trait Signal: Send + Sync {
    /// Called from any thread, never under a lock of the journal. Must not block.
    fn signal(&self);
}

/// Signals in the order of their tickets.
#[derive(Default)]
pub(crate) struct Completions {
    waiting: VecDeque<(Ticket, Arc<dyn Signal>)>,
}

impl Completions {
    /// Adds a signal. Tickets come nearly in order, so the place is nearly always the end.
    pub(crate) fn add(&mut self, ticket: Ticket, signal: Arc<dyn Signal>) {
        let place = match self.waiting.back() {
            Some((last, _)) if *last > ticket => {
                self.waiting.partition_point(|(other, _)| *other <= ticket)
            }
            _ => self.waiting.len(),
        };
        self.waiting.insert(place, (ticket, signal));
    }

    /// Takes out all signals of tickets up to `settled`.
    pub(crate) fn take(&mut self, settled: Ticket) -> Vec<Arc<dyn Signal>> {
        let count = self.waiting.partition_point(|(ticket, _)| *ticket <= settled);
        self.waiting.drain(..count).map(|(_, signal)| signal).collect()
    }

    /// Takes out all signals.
    pub(crate) fn take_all(&mut self) -> Vec<Arc<dyn Signal>> {
        self.waiting.drain(..).map(|(_, signal)| signal).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
