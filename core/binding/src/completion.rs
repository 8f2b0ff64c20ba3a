//! What a task awaits until the engine has done something for it.
//!
//! It speaks the protocol of `asyncio.Future` as far as `asyncio.Task` uses it. The waker completes
//! all that a burst is about in one callback of the loop, and steps each task right there, instead
//! of asking the loop for one more callback a task.

use pyo3::PyTraverseError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::gil_cell::GilCell;
use crate::python_call::{self, PythonCall as _};
use crate::spare::Spare;
use crate::task_wakeup;

/// Something awaited on one event loop. Used on that loop's thread only.
#[pyclass(frozen, subclass, module = "trunkline._core")]
#[derive(Default)]
pub(crate) struct Completion {
    /// Known from the first wait on.
    event_loop: GilCell<Option<Py<PyAny>>>,
    outcome: GilCell<Outcome>,
    /// What the canceller said.
    message: GilCell<Option<Py<PyAny>>>,
    /// What is to be called at the end, each in its context. It is nearly always one task.
    first: GilCell<Option<Callback>>,
    others: GilCell<Vec<Callback>>,
    /// What tells a task that an awaited object means to suspend it.
    blocking: GilCell<bool>,
}

/// The last one whose wait has ended, while its loop still steps other tasks.
pub(crate) static ENDED: Spare<Completion> = Spare::new();

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    #[default]
    Pending,
    Done,
    Cancelled,
}

struct Callback {
    function: Py<PyAny>,
    context: Option<Py<PyAny>>,
}

impl Callback {
    /// Tells of a wait that ended well.
    fn call(self, completion: &Bound<'_, Completion>) -> PyResult<()> {
        let py = completion.py();
        let function = self.function.into_bound(py);
        let future = task_wakeup::ended_future(&function);
        let argument = future.as_ref().unwrap_or(completion.as_any());
        let called = match self.context {
            Some(context) => python_call::run_in(context.bind(py), &function, argument),
            None => python_call::call_with(&function, argument),
        };
        called.map(drop)
    }
}

impl Completion {
    pub fn new(event_loop: Py<PyAny>) -> Self {
        Self { event_loop: GilCell::new(Some(event_loop)), ..Self::default() }
    }

    /// Begins to wait on `event_loop`: what the awaiting task finds when it looks.
    pub fn suspend(&self, event_loop: Bound<'_, PyAny>) {
        let py = event_loop.py();
        let before = self.event_loop.replace(py, Some(event_loop.unbind()));
        self.blocking.replace(py, true);
        drop(before);
    }

    /// Makes one that has ended, and that nothing else refers to, as it was when it was made. Its
    /// loop is the one that waits next.
    pub fn reset(&self, py: Python<'_>) {
        self.outcome.replace(py, Outcome::Pending);
        drop((self.message.take(py), self.event_loop.take(py)));
    }

    /// Ends the wait and steps what waits. Must run in a callback of the loop, not inside a task.
    pub fn complete(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (first, others) = slf.get().end(slf.py(), Outcome::Done);
        // A task keeps its failures to itself; only an interrupt arrives here.
        let mut called = first.map_or(Ok(()), |callback| callback.call(slf));
        for callback in others {
            called = called.and(callback.call(slf));
        }
        called
    }

    /// Takes the callbacks if the wait had not ended yet.
    fn end(&self, py: Python<'_>, outcome: Outcome) -> (Option<Callback>, Vec<Callback>) {
        if self.outcome.get(py) != Outcome::Pending {
            return (None, Vec::new());
        }
        self.outcome.replace(py, outcome);
        (self.first.take(py), self.others.take(py))
    }

    fn schedule(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        let py = slf.py();
        let named = PyDict::new(py);
        if let Some(context) = callback.context {
            named.set_item(intern!(py, "context"), context)?;
        }
        let event_loop = slf.get().get_loop(py)?;
        let arguments = (callback.function, slf);
        event_loop.bind(py).getattr(intern!(py, "call_soon"))?.run_named(arguments, &named)?;
        Ok(())
    }
}

#[pymethods]
impl Completion {
    #[getter]
    fn _asyncio_future_blocking(&self, py: Python<'_>) -> bool {
        self.blocking.get(py)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, py: Python<'_>, blocking: bool) {
        self.blocking.replace(py, blocking);
    }

    fn get_loop(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let not_begun = || PyRuntimeError::new_err("The wait has not begun yet: await it first.");
        self.event_loop.clone_ref(py).ok_or_else(not_begun)
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let callback = Callback { function: callback, context };
        if this.outcome.get(py) != Outcome::Pending {
            return Self::schedule(slf, callback);
        }
        // The first one comes first: one that was there goes back, and the new one behind it.
        if let Some(first) = this.first.replace(py, Some(callback)) {
            let later = this.first.replace(py, Some(first));
            let mut others = this.others.take(py);
            others.extend(later);
            this.others.replace(py, others);
        }
        Ok(())
    }

    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let (py, this) = (slf.py(), slf.get());
        if this.done(py) {
            return Ok(false);
        }
        drop(this.message.replace(py, msg));
        // The canceller is inside a task of its own: the loop steps the other one.
        let (first, others) = this.end(py, Outcome::Cancelled);
        for callback in first.into_iter().chain(others) {
            Self::schedule(slf, callback)?;
        }
        Ok(true)
    }

    pub fn done(&self, py: Python<'_>) -> bool {
        self.outcome.get(py) != Outcome::Pending
    }

    /// Ends the wait, as a timer does.
    fn set_result(slf: &Bound<'_, Self>, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::complete(slf)
    }

    pub fn result(&self, py: Python<'_>) -> PyResult<()> {
        match self.outcome.get(py) {
            Outcome::Done => Ok(()),
            Outcome::Pending => Err(PyRuntimeError::new_err("The wait has not ended yet.")),
            Outcome::Cancelled => {
                let cancelled = py.import("asyncio")?.getattr("CancelledError")?;
                let error = match self.message.clone_ref(py) {
                    Some(message) => cancelled.run((message,))?,
                    None => cancelled.run(())?,
                };
                Err(PyErr::from_value(error))
            }
        }
    }

    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Yields itself to the task while there is something to wait for.
    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Self>>> {
        let (py, this) = (slf.py(), slf.get());
        if this.done(py) {
            return this.result(py).map(|()| None);
        }
        this.blocking.replace(py, true);
        Ok(Some(slf.clone()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let object = |object: &Option<Py<PyAny>>, visit: &PyVisit<'_>| visit.call(object);
        self.event_loop.traverse(&visit, object)?;
        self.message.traverse(&visit, object)?;
        let each = |callback: &Callback, visit: &PyVisit<'_>| {
            visit.call(&callback.function)?;
            visit.call(&callback.context)
        };
        self.first.traverse(&visit, |first, visit| {
            first.iter().try_for_each(|callback| each(callback, visit))
        })?;
        self.others.traverse(&visit, |others, visit| {
            others.iter().try_for_each(|callback| each(callback, visit))
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop((self.first.take(py), self.others.take(py)));
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Completion>()
}
