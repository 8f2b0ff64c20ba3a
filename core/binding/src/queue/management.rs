//! The verbs of a queue itself: options, counts, purge, removal, redrive.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use trunkline_engine::Ticket;
use trunkline_types::Result;

use crate::error::{guard, raise};
use crate::queue::config::QueueSettings;
use crate::queue::handle::{Handle, HandleRef};
use crate::queue::statistics::QueueStatistics;
use crate::queue::verbs::QueueVerbs;

/// A queue of an open engine.
#[pyclass(frozen, extends = QueueVerbs, module = "trunkline._core")]
pub(crate) struct Queue;

impl Queue {
    pub fn create(py: Python<'_>, handle: HandleRef) -> PyResult<Py<Self>> {
        Py::new(py, (Self, QueueVerbs(handle)))
    }
}

fn handle<'a>(slf: &'a Bound<'_, Queue>) -> &'a HandleRef {
    &slf.as_super().get().0
}

/// A verb that touches the whole queue: detached, because it may take long, and durable at the
/// engine's level when it returns.
fn control(
    py: Python<'_>,
    handle: &Handle,
    verb: impl FnOnce() -> Result<Option<Ticket>> + Send,
) -> PyResult<()> {
    let ticket = py.detach(verb).map_err(raise)?;
    handle.acknowledge(py, ticket, handle.level)
}

#[pymethods]
impl Queue {
    /// Fails if the engine is closed or forked, or the queue removed: then nothing may be asked.
    fn check_present(slf: &Bound<'_, Self>) -> PyResult<()> {
        // Before any lock, which a forked child may find held for ever.
        guard(|| handle(slf).queue.check_readable().map_err(raise))
    }

    /// Receivers that wait for a message now: tests need no sleep to know that one does.
    #[getter]
    fn waiting(slf: &Bound<'_, Self>) -> usize {
        handle(slf).queue.waiting()
    }

    fn purge(slf: &Bound<'_, Self>) -> PyResult<()> {
        let handle = handle(slf);
        guard(|| control(slf.py(), handle, || handle.queue.purge()))
    }

    fn remove(slf: &Bound<'_, Self>) -> PyResult<()> {
        let handle = handle(slf);
        guard(|| control(slf.py(), handle, || handle.queue.remove()))
    }

    fn configure(slf: &Bound<'_, Self>, settings: &QueueSettings, document: &[u8]) -> PyResult<()> {
        let (handle, config) = (handle(slf), settings.0.clone());
        guard(|| control(slf.py(), handle, || handle.queue.configure(config, document)))
    }

    fn statistics(slf: &Bound<'_, Self>) -> PyResult<QueueStatistics> {
        guard(|| handle(slf).queue.statistics().map(QueueStatistics).map_err(raise))
    }

    fn start_move(
        slf: &Bound<'_, Self>,
        destination: Option<u32>,
        rate: Option<u32>,
    ) -> PyResult<u32> {
        let (handle, destination) = (handle(slf), destination.map(trunkline_types::ResourceId));
        guard(|| {
            let start = || handle.engine.start_redrive(handle.queue.id(), destination, rate);
            let (task, ticket) = slf.py().detach(start).map_err(raise)?;
            handle.acknowledge(slf.py(), ticket, handle.level)?;
            Ok(task)
        })
    }

    /// Moves one message; the id that it has where it went.
    fn redrive_message(
        slf: &Bound<'_, Self>,
        id: &str,
        destination: Option<u32>,
    ) -> PyResult<String> {
        let (handle, destination) = (handle(slf), destination.map(trunkline_types::ResourceId));
        guard(|| {
            let redrive = || handle.queue.redrive_message(id, destination, handle.key);
            let sent = slf.py().detach(redrive).map_err(raise)?;
            handle.acknowledge(slf.py(), sent.ticket, handle.level)?;
            Ok(sent.message_id(handle.key).to_string())
        })
    }

    #[getter]
    fn id(slf: &Bound<'_, Self>) -> u32 {
        handle(slf).queue.id().0
    }

    #[getter]
    fn name(slf: &Bound<'_, Self>) -> String {
        handle(slf).queue.name().name.clone()
    }

    #[getter]
    fn account(slf: &Bound<'_, Self>) -> String {
        handle(slf).queue.name().account.clone()
    }

    #[getter]
    fn region(slf: &Bound<'_, Self>) -> String {
        handle(slf).queue.name().region.clone()
    }

    #[getter]
    fn fifo(slf: &Bound<'_, Self>) -> bool {
        handle(slf).fifo
    }

    #[getter]
    fn settings(slf: &Bound<'_, Self>) -> PyResult<QueueSettings> {
        Self::check_present(slf)?;
        Ok(QueueSettings(handle(slf).queue.config()))
    }

    #[getter]
    fn document<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyBytes>> {
        Self::check_present(slf)?;
        Ok(PyBytes::new(slf.py(), &handle(slf).queue.document()))
    }

    /// When it was created, in seconds since the epoch.
    #[getter]
    fn created_at(slf: &Bound<'_, Self>) -> PyResult<f64> {
        Self::check_present(slf)?;
        Ok(handle(slf).queue.created() as f64 / 1_000.0)
    }

    /// When its settings or its document were last changed, in seconds since the epoch.
    #[getter]
    fn modified_at(slf: &Bound<'_, Self>) -> PyResult<f64> {
        Self::check_present(slf)?;
        Ok(handle(slf).queue.modified() as f64 / 1_000.0)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Queue>()
}
