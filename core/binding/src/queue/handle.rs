//! A queue and its engine, shared by everything that Python holds of them.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{
    Admission, Admitted, Engine, Held, Needs, Operation, Queue, Settling, Ticket,
};
use trunkline_types::{Durability, IdKey, QueueKind};

use crate::error::{invalid, raise};

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
        match self.queue.begin_settle(ticket, level).map_err(raise)? {
            None => Ok(()),
            Some(settling) => self.block(py, &settling),
        }
    }

    /// Blocks until a wait is over; signals interrupt an injected pause.
    pub fn block(&self, py: Python<'_>, settling: &Settling) -> PyResult<()> {
        crate::signals::sleep(py, settling.pause_left())?;
        py.detach(|| settling.wait(self.engine.host())).map_err(raise)
    }

    /// Admits a call of `operation`, or says what holds it up.
    #[inline]
    pub fn try_admit(&self, py: Python<'_>, operation: Operation) -> PyResult<Admission> {
        if operation.needs == Needs::Capacity && !self.engine.host().has_capacity() {
            // It may make the next segment of the journal.
            return py.detach(|| self.queue.try_admit(operation)).map_err(raise);
        }
        self.queue.try_admit(operation).map_err(raise)
    }

    /// Admits a call of `operation`, and blocks, detached, while it is held up.
    #[inline]
    pub fn admit(&self, py: Python<'_>, operation: Operation) -> PyResult<Admitted> {
        match self.try_admit(py, operation)? {
            Admission::Ready(call) => Ok(call),
            Admission::Held(held) => self.admit_held(py, *held),
        }
    }

    #[cold]
    fn admit_held(&self, py: Python<'_>, mut held: Held) -> PyResult<Admitted> {
        loop {
            self.block(py, held.waits_for())?;
            match py.detach(|| self.queue.resume(&held)).map_err(raise)? {
                Admission::Ready(call) => return Ok(call),
                Admission::Held(again) => held = *again,
            }
        }
    }
}
