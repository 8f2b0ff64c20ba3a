//! The writes that the tasks of one loop await, in the order of their tickets.
//!
//! One signal of the journal stands for all of them: it is armed for the first, and when it comes,
//! everything that is settled by then is completed in one callback of the loop. A task that is
//! stepped there and writes again adds its next write to the list: 256 tasks cost one signal and
//! one wake a sync.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use trunkline_engine::{Engine, Signal, Ticket};
use trunkline_types::Durability;

use crate::completion::{self, Completion};
use crate::error::raise;
use crate::notifier::Notifier;

/// So many writes are given to the disk while their loop still steps other tasks.
const GATHERED_MAX: usize = 64;

/// The awaited writes of one engine at one level of durability.
pub(crate) struct AwaitedWrites {
    engine: Arc<Engine>,
    level: Durability,
    signal: Arc<Settled>,
    writes: VecDeque<(Ticket, Py<Completion>)>,
    /// Whether the journal has the signal and has not called it.
    is_armed: bool,
}

/// The signal that some of the writes are settled.
struct Settled {
    came: AtomicBool,
    notifier: Arc<Notifier>,
}

impl Signal for Settled {
    fn signal(&self) {
        self.came.store(true, Ordering::Release);
        self.notifier.notify();
    }
}

impl AwaitedWrites {
    pub fn new(engine: Arc<Engine>, level: Durability, notifier: Arc<Notifier>) -> Self {
        let signal = Arc::new(Settled { came: AtomicBool::new(false), notifier });
        Self { engine, level, signal, writes: VecDeque::new(), is_armed: false }
    }

    pub fn is_for(&self, engine: &Arc<Engine>, level: Durability) -> bool {
        self.level == level && Arc::ptr_eq(&self.engine, engine)
    }

    /// Adds a write. While the loop `gathers`, its signal is armed by [`AwaitedWrites::arm`] later.
    pub fn add(&mut self, ticket: Ticket, write: Py<Completion>, gathers: bool) -> PyResult<()> {
        // Tickets come nearly in order, so it nearly always goes to the end.
        let index = match self.writes.back() {
            Some((last, _)) if *last > ticket => {
                self.writes.partition_point(|(other, _)| *other <= ticket)
            }
            _ => self.writes.len(),
        };
        self.writes.insert(index, (ticket, write));
        if gathers && self.writes.len() < GATHERED_MAX { Ok(()) } else { self.arm() }
    }

    /// Asks the journal for the signal, if there is anything to wait for.
    pub fn arm(&mut self) -> PyResult<()> {
        let Some((first, _)) = self.writes.front() else { return Ok(()) };
        if self.is_armed {
            return Ok(());
        }
        self.engine.notify_when(*first, self.level, self.signal.clone()).map_err(raise)?;
        self.is_armed = true;
        Ok(())
    }

    /// Takes what is settled, or never will be; `None` if the signal has not come.
    pub fn take_settled(&mut self) -> Option<Vec<Py<Completion>>> {
        if !self.signal.came.swap(false, Ordering::AcqRel) {
            return None;
        }
        self.is_armed = false;
        let is_over = |ticket| self.engine.is_settled(ticket, self.level).unwrap_or(true);
        let count = self.writes.partition_point(|(ticket, _)| is_over(*ticket));
        Some(self.writes.drain(..count).map(|(_, write)| write).collect())
    }

    /// Takes everything, when no signal can be had.
    pub fn take_all(&mut self) -> Vec<Py<Completion>> {
        self.writes.drain(..).map(|(_, write)| write).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub fn writes(&self) -> impl Iterator<Item = &Py<Completion>> {
        self.writes.iter().map(|(_, write)| write)
    }
}

/// Completes each of `writes`; an interrupt that a task lets through is kept until all are.
pub(crate) fn complete_all(py: Python<'_>, writes: Vec<Py<Completion>>) -> PyResult<()> {
    let mut first = Ok(());
    for write in writes {
        let write = write.into_bound(py);
        first = first.and(Completion::complete(&write));
        // The next task that is stepped here writes again.
        completion::ENDED.keep(&write);
    }
    first
}
