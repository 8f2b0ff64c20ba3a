//! A put or a commit that is not durable yet, to block on or to await.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::Ticket;
use trunkline_types::Durability;

use crate::completion::Completion;
use crate::error::{guard, raise};
use crate::stream::handle::StreamHandle;
use crate::waker::Waker;

/// Something that the disk does not have yet.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct PendingPut {
    handle: Arc<StreamHandle>,
    ticket: Ticket,
    level: Durability,
}

impl PendingPut {
    /// The write to wait for; `None` if there is none. A copy into the page cache costs less than
    /// a turn of the loop, so it is made here.
    pub fn new(
        py: Python<'_>,
        handle: &Arc<StreamHandle>,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<Option<Self>> {
        match ticket {
            Some(ticket) if handle.waits_for_disk(level) => {
                Ok(Some(Self { handle: handle.clone(), ticket, level }))
            }
            ticket => handle.acknowledge(py, ticket, level).map(|()| None),
        }
    }
}

#[pymethods]
impl PendingPut {
    /// Blocks until it is durable; raises when it never will be.
    pub fn wait(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| self.handle.acknowledge(py, Some(self.ticket), self.level))
    }

    /// What to await, and the token to leave if that is cancelled; `None` once it is durable.
    /// Raises when it never will be.
    fn park(
        &self,
        py: Python<'_>,
        waker: &Waker,
        event_loop: Py<PyAny>,
    ) -> PyResult<Option<(u64, Py<Completion>)>> {
        let engine = &self.handle.engine;
        guard(|| {
            if engine.is_settled(self.ticket, self.level).map_err(raise)? {
                return Ok(None);
            }
            let (token, completion) = waker.park(py, event_loop)?;
            engine.notify_when(self.ticket, self.level, waker.signal(token)).map_err(raise)?;
            Ok(Some((token, completion)))
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PendingPut>()
}
