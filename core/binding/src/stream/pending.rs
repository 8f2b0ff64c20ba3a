//! A put or a commit that is not durable yet: a thread blocks on it, a task awaits it.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{Settling, Ticket};
use trunkline_types::Durability;

use crate::completion::Completion;
use crate::error::{guard, raise};
use crate::stream::handle::StreamHandle;
use crate::waker::Waker;

/// Something that a call waits for: the end of an injected pause, then a write.
#[pyclass(frozen, extends = Completion, module = "trunkline._core")]
pub(crate) struct PendingPut {
    handle: Arc<StreamHandle>,
    settling: Settling,
}

impl PendingPut {
    /// What the verb that handed out `ticket` waits for; `None` if there is nothing more.
    pub fn new(
        py: Python<'_>,
        handle: &Arc<StreamHandle>,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<Option<Py<Self>>> {
        let host = handle.engine.host();
        let settling = host.begin_settle(handle.stream.name(), ticket, level).map_err(raise)?;
        let pending =
            |settling| Py::new(py, (Self { handle: handle.clone(), settling }, Completion::idle()));
        settling.map(pending).transpose()
    }
}

#[pymethods]
impl PendingPut {
    /// For how many seconds an injected fault holds the wait up before it starts.
    #[getter]
    fn pause(&self) -> f64 {
        self.settling.pause_left().as_secs_f64()
    }

    /// Blocks until it is durable; raises when it never will be.
    fn wait(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| self.handle.block(py, &self.settling))
    }

    fn __await__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        if slf.get().settling.pause_left().is_zero() {
            return Ok(slf.into_any());
        }
        let paused = slf.py().import("trunkline.aio.loop")?.getattr("after_pause")?;
        paused.call1((slf,))?.call_method0("__await__")
    }

    /// Yields itself to the task until it is durable; raises when it never will be.
    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Self>>> {
        let this = slf.get();
        guard(|| {
            let wait = slf.as_super().get();
            if wait.done() {
                wait.result(slf.py())?;
            }
            let (engine, level) = (&this.handle.engine, this.settling.level());
            match this.settling.ticket() {
                Some(ticket) if !engine.is_settled(ticket, level).map_err(raise)? => {
                    Waker::park_write(slf.as_super(), engine, ticket, level)?;
                    Ok(Some(slf.clone()))
                }
                _ => Ok(None),
            }
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PendingPut>()
}
