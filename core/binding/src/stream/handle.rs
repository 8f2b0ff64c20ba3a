//! A stream and its engine, shared by everything that Python holds of them.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{Admitted, Engine, Operation, PutRecord, Stream, Ticket};
use trunkline_types::Durability;

use crate::admission::{self, HeldCall};
use crate::pending::{self, PendingWrite};
use crate::spare::Spare;
use crate::stream::record::{Place, PutResult};

/// One stream, with what every verb needs at hand.
pub(crate) struct StreamHandle {
    pub engine: Arc<Engine>,
    pub stream: Arc<Stream>,
    /// What "acknowledged" means in this engine.
    pub level: Durability,
    /// The result of the last put of one record.
    result: Spare<PutResult>,
}

impl StreamHandle {
    pub fn new(engine: Arc<Engine>, stream: Arc<Stream>) -> Self {
        let level = engine.durability();
        Self { engine, stream, level, result: Spare::new() }
    }

    /// What a put returns.
    #[inline]
    pub fn result<'py>(&self, py: Python<'py>, put: &PutRecord) -> PyResult<Bound<'py, PutResult>> {
        self.result.refilled(py, Place::of(put))
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
        pending::acknowledge(py, &self.engine, self.stream.name(), ticket, level)
    }

    /// What the verb that handed out `ticket` waits for; `None` if there is nothing more.
    #[inline]
    pub fn pending(
        &self,
        py: Python<'_>,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        PendingWrite::new(py, &self.engine, self.stream.name(), ticket, level)
    }

    /// Admits a call of `operation`, and blocks, detached, while it is held up.
    #[inline(always)]
    pub fn admit(&self, py: Python<'_>, operation: Operation) -> PyResult<Admitted> {
        admission::admit(py, &self.engine, self.stream.name(), operation)
    }

    /// Admits a call of an event loop: one that was held before, or a new one. Raises
    /// `NotAdmitted` where it has to wait.
    #[inline]
    pub fn admit_or_hold(
        &self,
        py: Python<'_>,
        operation: Operation,
        held: Option<&HeldCall>,
    ) -> PyResult<Admitted> {
        HeldCall::admit(py, &self.engine, self.stream.name(), operation, held)
    }

    /// Does something rare that may take a while, detached, and waits until it is durable.
    pub fn change<T: Send>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&Arc<Stream>) -> trunkline_engine::Result<(T, Option<Ticket>)> + Send,
    ) -> PyResult<T> {
        pending::settled(py, &self.engine, self.stream.name(), || change(&self.stream))
    }
}
