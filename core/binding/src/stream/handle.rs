//! A stream and its engine, shared by everything that Python holds of them.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{Engine, Settling, Stream, Ticket};
use trunkline_types::Durability;

use crate::error::{invalid, raise};

/// One stream, with what every verb needs at hand.
pub(crate) struct StreamHandle {
    pub engine: Arc<Engine>,
    pub stream: Arc<Stream>,
    /// What "acknowledged" means in this engine.
    pub level: Durability,
}

impl StreamHandle {
    pub fn new(engine: Arc<Engine>, stream: Arc<Stream>) -> Self {
        let level = engine.durability();
        Self { engine, stream, level }
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
        let host = self.engine.host();
        match host.begin_settle(self.stream.name(), ticket, level).map_err(raise)? {
            None => Ok(()),
            Some(settling) => self.block(py, &settling),
        }
    }

    /// Blocks until a wait is over; signals interrupt an injected pause.
    pub fn block(&self, py: Python<'_>, settling: &Settling) -> PyResult<()> {
        crate::signals::sleep(py, settling.pause_left())?;
        py.detach(|| settling.wait(self.engine.host())).map_err(raise)
    }

    /// Puts, detached if faults or back-pressure may hold the call up.
    #[inline]
    pub fn put<T: Send>(
        &self,
        py: Python<'_>,
        put: impl FnOnce(&Stream) -> trunkline_engine::Result<T> + Send,
    ) -> PyResult<T> {
        let host = self.engine.host();
        if host.has_capacity() && !self.engine.faults().is_active() {
            return put(&self.stream).map_err(raise);
        }
        py.detach(|| put(&self.stream)).map_err(raise)
    }

    /// Does something rare that may take a while, detached, and waits until it is durable.
    pub fn change<T: Send>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&Arc<Stream>) -> trunkline_engine::Result<(T, Option<Ticket>)> + Send,
    ) -> PyResult<T> {
        let changed = py.detach(|| {
            let (value, ticket) = change(&self.stream)?;
            if let Some(ticket) = ticket {
                self.engine.wait(ticket, self.level)?;
            }
            Ok(value)
        });
        changed.map_err(raise)
    }
}
