//! The writes that the tasks of one loop await, in the order of their tickets.
//!
//! One signal of the journal stands for all of them: it is armed for the first, and when it comes,
//! everything that is settled by then is completed in one callback of the loop. A task that is
//! stepped there and writes again adds its next write to the list: 256 tasks cost one signal and
//! one wake a sync.
//!
//! The disk does not wait for the loop in between: what was gathered since the signal was armed is
//! begun as well, so that its sync follows the one that runs. The tasks then fall into two groups
//! by themselves: one is synced while the other is stepped.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use trunkline_engine::{Engine, Signal, Ticket};
use trunkline_types::Durability;

use crate::completion::{self, Completion};
use crate::error::raise;
use crate::notifier::Notifier;

/// So many writes are given to the disk while their loop still steps other tasks, if it has as many
/// left to step: a sync costs as much as stepping about a hundred tasks.
const GATHERED_MAX: usize = 64;

/// What the loop is doing while a write is added.
#[derive(Clone, Copy)]
pub(crate) enum Gathering {
    /// It runs tasks of its own accord.
    No,
    /// Its waker steps tasks, so many are left, and [`AwaitedWrites::arm`] is called at the end.
    Left(usize),
}

thread_local! {
    /// How many tasks the running waker of this thread still has to step, of those of one kind.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

impl Gathering {
    pub fn under_waker() -> Self {
        Self::Left(LEFT.get())
    }

    /// Says how many tasks the waker has left while it steps the next one.
    pub fn leave(count: usize) {
        LEFT.set(count);
    }
}

/// The awaited writes of one engine at one level of durability.
pub(crate) struct AwaitedWrites {
    engine: Arc<Engine>,
    level: Durability,
    signal: Arc<Settled>,
    writes: VecDeque<(Ticket, Py<Completion>)>,
    /// Whether the journal has the signal and has not called it.
    is_armed: bool,
    /// How many writes were added since the disk was last asked for all of them.
    gathered: usize,
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
        Self { engine, level, signal, writes: VecDeque::new(), is_armed: false, gathered: 0 }
    }

    pub fn is_for(&self, engine: &Arc<Engine>, level: Durability) -> bool {
        self.level == level && Arc::ptr_eq(&self.engine, engine)
    }

    /// Adds a write.
    pub fn add(
        &mut self,
        ticket: Ticket,
        write: Py<Completion>,
        gathering: Gathering,
    ) -> PyResult<()> {
        // Tickets come nearly in order, so it nearly always goes to the end.
        let index = match self.writes.back() {
            Some((last, _)) if *last > ticket => {
                self.writes.partition_point(|(other, _)| *other <= ticket)
            }
            _ => self.writes.len(),
        };
        self.writes.insert(index, (ticket, write));
        self.gathered += 1;
        let are_many = self.gathered >= GATHERED_MAX;
        let is_due = match gathering {
            Gathering::No => are_many || !self.is_armed,
            Gathering::Left(left) => are_many && left >= GATHERED_MAX,
        };
        if is_due { self.arm() } else { Ok(()) }
    }

    /// Asks the journal for the signal, if there is anything to wait for, and for all that was
    /// written by now.
    pub fn arm(&mut self) -> PyResult<()> {
        let (Some((first, _)), Some((last, _))) = (self.writes.front(), self.writes.back()) else {
            return Ok(());
        };
        let mut is_begun = self.gathered == 0;
        if !self.is_armed {
            self.engine.notify_when(*first, self.level, self.signal.clone()).map_err(raise)?;
            self.is_armed = true;
            // That began a sync of everything, unless the first was settled meanwhile.
            is_begun |= !self.signal.came.load(Ordering::Acquire);
        }
        if !is_begun {
            self.engine.begin_commit(*last, self.level).map_err(raise)?;
        }
        self.gathered = 0;
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
    let mut writes = writes.into_iter();
    while let Some(write) = writes.next() {
        Gathering::leave(writes.len());
        let write = write.into_bound(py);
        first = first.and(Completion::complete(&write));
        // The next task that is stepped here writes again.
        completion::ENDED.keep(&write);
    }
    first
}
