//! Writes that are not durable yet: a thread blocks on them, a task awaits them.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{Engine, ResourceName, Settling, Ticket};
use trunkline_types::{Durability, Result};

use crate::completion::{self, Completion};
use crate::error::{guard, invalid, raise};
use crate::gil_cell::GilCell;
use crate::python_call::PythonCall as _;
use crate::waker::Waker;

/// The level of one call: that of the engine, or a lower one by name.
pub(crate) fn level(engine: Durability, asked: Option<Durability>) -> PyResult<Durability> {
    match asked {
        Some(level) if level > engine => Err(invalid(format!(
            "Value {} for parameter durability is invalid. Reason: A call can lower the engine's \
             level ({}), not raise it; open the engine with the higher level.",
            crate::durability::level_name(level),
            crate::durability::level_name(engine),
        ))),
        Some(level) => Ok(level),
        None => Ok(engine),
    }
}

/// Returns when `ticket` is acknowledged at `level`; detached where the disk is waited for.
#[inline]
pub(crate) fn acknowledge(
    py: Python<'_>,
    engine: &Engine,
    resource: &ResourceName,
    ticket: Option<Ticket>,
    level: Durability,
) -> PyResult<()> {
    match engine.host().begin_settle(resource, ticket, level).map_err(raise)? {
        None => Ok(()),
        Some(settling) => block(py, engine, &settling),
    }
}

/// Carries a verb out, detached, and returns its value once that is as durable as the engine is.
pub(crate) fn settled<T: Send>(
    py: Python<'_>,
    engine: &Engine,
    resource: &ResourceName,
    verb: impl FnOnce() -> Result<(T, Option<Ticket>)> + Send,
) -> PyResult<T> {
    guard(|| {
        let (value, ticket) = py.detach(verb).map_err(raise)?;
        acknowledge(py, engine, resource, ticket, engine.durability())?;
        Ok(value)
    })
}

/// Blocks until a wait is over; signals interrupt an injected pause.
pub(crate) fn block(py: Python<'_>, engine: &Engine, settling: &Settling) -> PyResult<()> {
    crate::signals::sleep(py, settling.pause_left())?;
    py.detach(|| settling.wait(engine.host())).map_err(raise)
}

/// Something that a call waits for: the end of an injected pause, then a write. A thread blocks on
/// it, a task awaits it.
#[pyclass(frozen, extends = Completion, module = "trunkline._core")]
pub(crate) struct PendingWrite {
    engine: Arc<Engine>,
    settling: GilCell<Settling>,
}

impl PendingWrite {
    /// What the verb that handed out `ticket` waits for; `None` if there is nothing more.
    #[inline]
    pub fn new(
        py: Python<'_>,
        engine: &Arc<Engine>,
        resource: &ResourceName,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<Option<Py<Self>>> {
        let settling = engine.host().begin_settle(resource, ticket, level).map_err(raise)?;
        settling.map(|settling| Self::of(py, engine, settling)).transpose()
    }

    /// Whether an injected fault holds the wait up.
    pub fn is_paused(&self, py: Python<'_>) -> bool {
        !self.settling.get(py).pause_left().is_zero()
    }

    pub fn of(py: Python<'_>, engine: &Arc<Engine>, settling: Settling) -> PyResult<Py<Self>> {
        if let Some(spare) = completion::ENDED.take(py)
            && let Ok(spare) = spare.cast_into_exact::<Self>()
            && Arc::ptr_eq(&spare.get().engine, engine)
        {
            let _before = spare.get().settling.replace(py, settling);
            spare.as_super().get().reset(py);
            return Ok(spare.unbind());
        }
        let settling = GilCell::new(settling);
        Py::new(py, (Self { engine: engine.clone(), settling }, Completion::default()))
    }
}

#[pymethods]
impl PendingWrite {
    /// For how many seconds an injected fault holds the wait up before it starts.
    #[getter]
    fn pause(&self, py: Python<'_>) -> f64 {
        self.settling.get(py).pause_left().as_secs_f64()
    }

    /// Blocks until it is durable; raises when it never will be.
    fn wait(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| block(py, &self.engine, &self.settling.get(py)))
    }

    fn __await__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        if !slf.get().is_paused(slf.py()) {
            return Ok(slf.into_any());
        }
        let paused = slf.py().import("trunkline.aio.loop")?.getattr("after_pause")?;
        paused.run((slf,))?.run_method("__await__", ())
    }

    /// Yields itself to the task until it is durable; raises when it never will be.
    pub fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Self>>> {
        let (py, this) = (slf.py(), slf.get());
        guard(|| {
            let wait = slf.as_super().get();
            if wait.done(py) {
                wait.result(py)?;
            }
            let (engine, settling) = (&this.engine, this.settling.get(py));
            let level = settling.level();
            match settling.ticket() {
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
    module.add_class::<PendingWrite>()
}
