//! A queue and its engine, shared by everything that Python holds of them.

use std::ops::Deref;
use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{Admitted, Engine, Operation, Outgoing, Queue, Sent, Ticket};
use trunkline_types::{Durability, IdKey, QueueKind};

use crate::admission::{self, HeldCall};
use crate::error::raise;
use crate::pending::{self, PendingWrite};
use crate::queue::sent::{Accepted, SendResult};
use crate::spare::Spare;

/// One queue, with what every verb needs at hand.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Handle {
    pub engine: Arc<Engine>,
    pub queue: Arc<Queue>,
    pub key: IdKey,
    /// What "acknowledged" means in this engine.
    pub level: Durability,
    pub fifo: bool,
    /// The result of the last send.
    result: Spare<SendResult>,
}

/// A counted reference to a [`Handle`]. Each message has one: the interpreter counts without a
/// locked instruction, which an `Arc` needs.
pub(crate) struct HandleRef(Py<Handle>);

impl HandleRef {
    pub fn new(py: Python<'_>, handle: Handle) -> PyResult<Self> {
        Py::new(py, handle).map(Self)
    }

    #[inline]
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.clone_ref(py))
    }
}

impl Deref for HandleRef {
    type Target = Handle;

    #[inline]
    fn deref(&self) -> &Handle {
        self.0.get()
    }
}

impl Handle {
    pub fn new(engine: Arc<Engine>, queue: Arc<Queue>) -> Self {
        let (key, level) = (engine.key(), engine.durability());
        let fifo = queue.config().kind == QueueKind::Fifo;
        Self { engine, queue, key, level, fifo, result: Spare::new() }
    }

    /// What a send returns.
    #[inline]
    pub fn result<'py>(&self, py: Python<'py>, sent: Sent) -> PyResult<Bound<'py, SendResult>> {
        self.result.refilled(py, self.accepted(sent))
    }

    #[inline]
    pub fn accepted(&self, sent: Sent) -> Accepted {
        Accepted { sent, key: self.key, fifo: self.fifo, index: 0 }
    }

    /// Adds a message, as an admitted call. Always inlined: what it returns stays in registers.
    #[inline(always)]
    pub fn put(&self, call: &Admitted, message: &Outgoing<'_>) -> PyResult<Sent> {
        crate::memory::check(message.body.len())?;
        self.queue.send_admitted(call, message).map_err(raise)
    }

    /// The level of one call: the engine's, or a lower one by name.
    pub fn level(&self, asked: Option<Durability>) -> PyResult<Durability> {
        pending::level(self.level, asked)
    }

    /// Returns when `ticket` is acknowledged at `level`; detached where the disk is waited for.
    #[inline]
    pub fn acknowledge(
        &self,
        py: Python<'_>,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<()> {
        pending::acknowledge(py, &self.engine, self.queue.name(), ticket, level)
    }

    /// What the verb that handed out `ticket` waits for; `None` if there is nothing more.
    #[inline]
    pub fn pending(
        &self,
        py: Python<'_>,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        PendingWrite::new(py, &self.engine, self.queue.name(), ticket, level)
    }

    /// Admits a call of `operation`, and blocks, detached, while it is held up.
    #[inline(always)]
    pub fn admit(&self, py: Python<'_>, operation: Operation) -> PyResult<Admitted> {
        admission::admit(py, &self.engine, self.queue.name(), operation)
    }

    /// Admits a call of an event loop: one that was held before, or a new one. Raises
    /// `NotAdmitted` where it has to wait.
    #[inline(always)]
    pub fn admit_or_hold(
        &self,
        py: Python<'_>,
        operation: Operation,
        held: Option<&HeldCall>,
    ) -> PyResult<Admitted> {
        HeldCall::admit(py, &self.engine, self.queue.name(), operation, held)
    }
}
