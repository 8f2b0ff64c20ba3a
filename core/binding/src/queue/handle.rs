//! A queue and its engine, shared by everything that Python holds of them.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{Engine, Operation, Queue, Ticket, operation};
use trunkline_types::{Durability, IdKey, QueueKind};

use crate::error::{NotAdmitted, invalid, raise};

/// One queue, with what every verb needs at hand.
pub(crate) struct Handle {
    pub engine: Arc<Engine>,
    pub queue: Arc<Queue>,
    pub key: IdKey,
    /// What "acknowledged" means in this engine.
    pub level: Durability,
    pub fifo: bool,
}

impl Handle {
    pub fn new(engine: Arc<Engine>, queue: Arc<Queue>) -> Self {
        let (key, level) = (engine.key(), engine.durability());
        let fifo = queue.config().kind == QueueKind::Fifo;
        Self { engine, queue, key, level, fifo }
    }

    /// The level of one call: the engine's, or a lower one by name.
    pub fn level(&self, asked: Option<Durability>) -> PyResult<Durability> {
        match asked {
            Some(level) if level > self.level => Err(invalid(format!(
                "Value {} for parameter durability is invalid. Reason: A call can lower the \
                 engine's level ({}), not raise it; open the engine with the higher level.",
                crate::durability::level_name(level),
                crate::durability::level_name(self.level),
            ))),
            Some(level) => Ok(level),
            None => Ok(self.level),
        }
    }

    /// Returns when `ticket` is acknowledged at `level`; detached where the disk is waited for.
    #[inline]
    pub fn acknowledge(
        &self,
        py: Python<'_>,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<()> {
        if self.has_faults() && self.commits(ticket, level) {
            crate::faults::apply(py, &self.engine, operation::COMMIT, self.queue.name())?;
        }
        match ticket {
            Some(ticket) if waits_for_disk(&self.engine, level) => {
                py.detach(|| self.engine.wait(ticket, level)).map_err(raise)
            }
            // A copy into the page cache takes microseconds: less than winning the interpreter
            // back. Level memory takes a mark that somebody will see to it.
            Some(ticket) => self.engine.wait(ticket, level).map_err(raise),
            None => Ok(()),
        }
    }

    /// Waits, detached, while more is unwritten than may be.
    #[inline]
    pub fn wait_for_capacity(&self, py: Python<'_>) -> PyResult<()> {
        if self.engine.has_capacity() {
            return Ok(());
        }
        py.detach(|| self.engine.wait_for_capacity()).map_err(raise)
    }

    /// Whether a verb waits for what it wrote, or would if the engine had anywhere to write.
    pub fn commits(&self, ticket: Option<Ticket>, level: Durability) -> bool {
        self.level == Durability::Memory || (ticket.is_some() && level > Durability::Memory)
    }

    /// Whether there are rules of faults at all.
    #[inline]
    pub fn has_faults(&self) -> bool {
        self.engine.faults().is_active()
    }

    /// Refuses a begun verb that has not been admitted while there are faults to carry out.
    #[inline]
    pub fn check_admitted(&self, admitted: bool) -> PyResult<()> {
        if admitted || !self.has_faults() { Ok(()) } else { Err(not_admitted()) }
    }

    /// The same for a send, which back-pressure may hold up as well.
    #[inline]
    pub fn check_send_admitted(&self, admitted: bool) -> PyResult<()> {
        if admitted || (!self.has_faults() && self.engine.has_capacity()) {
            return Ok(());
        }
        Err(not_admitted())
    }

    /// Carries out the faults that were injected before `verb`; whether to deliver twice. Each
    /// surface asks once a call, however often it tries: rules count calls.
    #[inline]
    pub fn apply_faults(&self, py: Python<'_>, verb: Operation) -> PyResult<bool> {
        if !self.has_faults() {
            return Ok(false);
        }
        crate::faults::apply(py, &self.engine, verb, self.queue.name())
    }

    /// The same for an event loop, which waits itself.
    #[cold]
    pub fn check_faults(&self, verb: &str) -> PyResult<(f64, bool)> {
        crate::faults::check(&self.engine, verb, self.queue.name())
    }
}

/// Whether a wait at `level` may last as long as a sync: its own, or, in an engine that syncs, the
/// one of another sender that is under way.
pub(crate) fn waits_for_disk(engine: &Engine, level: Durability) -> bool {
    level > Durability::Memory && engine.durability() == Durability::Disk
}

#[cold]
fn not_admitted() -> PyErr {
    NotAdmitted::new_err(())
}
