//! What a task awaits until the engine has done something for it.
//!
//! It speaks the protocol of `asyncio.Future` as far as `asyncio.Task` uses it. The waker completes
//! all that a burst is about in one callback of the loop, and steps each task right there, instead
//! of asking the loop for one more callback a task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use pyo3::PyTraverseError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_types::sync::lock;

use crate::python_call::PythonCall as _;

/// Something awaited on one event loop. Used on that loop's thread only.
#[pyclass(frozen, subclass, module = "trunkline._core")]
pub(crate) struct Completion {
    /// Known from the first wait on.
    event_loop: OnceLock<Py<PyAny>>,
    state: Mutex<State>,
    /// Whether the outcome is known, so that asking needs no lock.
    ended: AtomicBool,
    /// What tells a task that an awaited object means to suspend it.
    blocking: AtomicBool,
}

#[derive(Default)]
struct State {
    outcome: Outcome,
    callbacks: Callbacks,
}

#[derive(Default)]
enum Outcome {
    #[default]
    Pending,
    Done,
    Cancelled(Option<Py<PyAny>>),
}

/// What is to be called at the end, each in its context. It is nearly always one task.
#[derive(Default)]
struct Callbacks {
    first: Option<Callback>,
    others: Vec<Callback>,
}

struct Callback {
    function: Py<PyAny>,
    context: Option<Py<PyAny>>,
}

impl Callbacks {
    fn push(&mut self, callback: Callback) {
        if self.first.is_none() {
            self.first = Some(callback);
        } else {
            self.others.push(callback);
        }
    }

    fn into_iter(self) -> impl Iterator<Item = Callback> {
        self.first.into_iter().chain(self.others)
    }
}

impl Completion {
    pub fn new(event_loop: Py<PyAny>) -> Self {
        let idle = Self::idle();
        // A new cell is empty.
        let _empty = idle.event_loop.set(event_loop);
        idle
    }

    /// One whose loop is the one that first waits for it.
    pub fn idle() -> Self {
        Self {
            event_loop: OnceLock::new(),
            state: Mutex::default(),
            ended: AtomicBool::new(false),
            blocking: AtomicBool::new(false),
        }
    }

    /// Begins to wait on `event_loop`: what the awaiting task finds when it looks.
    pub fn suspend(&self, event_loop: impl FnOnce() -> Py<PyAny>) {
        self.event_loop.get_or_init(event_loop);
        self.blocking.store(true, Ordering::Relaxed);
    }

    /// Ends the wait and steps what waits. Must run in a callback of the loop, not inside a task.
    pub fn complete(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let mut first = Ok(());
        for Callback { function, context } in slf.get().end(Outcome::Done).into_iter() {
            let called = match context {
                Some(context) => context.bind(py).run_method(intern!(py, "run"), (function, slf)),
                None => function.bind(py).run((slf,)),
            };
            // A task keeps its failures to itself; only an interrupt arrives here.
            first = first.and(called.map(drop));
        }
        first
    }

    /// Takes the callbacks if the wait had not ended yet.
    fn end(&self, outcome: Outcome) -> Callbacks {
        let mut state = lock(&self.state);
        if !matches!(state.outcome, Outcome::Pending) {
            return Callbacks::default();
        }
        state.outcome = outcome;
        self.ended.store(true, Ordering::Release);
        std::mem::take(&mut state.callbacks)
    }

    fn schedule(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        let py = slf.py();
        let named = PyDict::new(py);
        if let Some(context) = callback.context {
            named.set_item(intern!(py, "context"), context)?;
        }
        let event_loop = slf.get().event_loop(py)?;
        let arguments = (callback.function, slf);
        event_loop.getattr(intern!(py, "call_soon"))?.run_named(arguments, &named).map(drop)
    }

    fn event_loop<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        match self.event_loop.get() {
            Some(event_loop) => Ok(event_loop.bind(py)),
            None => Err(PyRuntimeError::new_err("The wait has not begun yet: await it first.")),
        }
    }
}

#[pymethods]
impl Completion {
    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        self.blocking.load(Ordering::Relaxed)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, blocking: bool) {
        self.blocking.store(blocking, Ordering::Relaxed);
    }

    fn get_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.event_loop(py).cloned()
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let callback = Callback { function: callback, context };
        {
            let mut state = lock(&slf.get().state);
            if matches!(state.outcome, Outcome::Pending) {
                state.callbacks.push(callback);
                return Ok(());
            }
        }
        Self::schedule(slf, callback)
    }

    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        if slf.get().done() {
            return Ok(false);
        }
        // The canceller is inside a task of its own: the loop steps the other one.
        for callback in slf.get().end(Outcome::Cancelled(msg)).into_iter() {
            Self::schedule(slf, callback)?;
        }
        Ok(true)
    }

    pub fn done(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends the wait, as a timer does.
    fn set_result(slf: &Bound<'_, Self>, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::complete(slf)
    }

    pub fn result(&self, py: Python<'_>) -> PyResult<()> {
        let message = match &lock(&self.state).outcome {
            Outcome::Done => return Ok(()),
            Outcome::Pending => {
                return Err(PyRuntimeError::new_err("The wait has not ended yet."));
            }
            Outcome::Cancelled(message) => message.as_ref().map(|message| message.clone_ref(py)),
        };
        let cancelled = py.import("asyncio")?.getattr("CancelledError")?;
        let error = match message {
            Some(message) => cancelled.run((message,))?,
            None => cancelled.run(())?,
        };
        Err(PyErr::from_value(error))
    }

    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Yields itself to the task while there is something to wait for.
    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Self>>> {
        let this = slf.get();
        if this.done() {
            return this.result(slf.py()).map(|()| None);
        }
        this.blocking.store(true, Ordering::Relaxed);
        Ok(Some(slf.clone()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.event_loop.get())?;
        // Nothing else runs while the collector looks; a lock that is held leaks nothing for good.
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        let Callbacks { first, others } = &state.callbacks;
        for callback in first.iter().chain(others) {
            visit.call(&callback.function)?;
            visit.call(&callback.context)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let callbacks = match self.state.try_lock() {
            Ok(mut state) => std::mem::take(&mut state.callbacks),
            Err(_) => Callbacks::default(),
        };
        drop(callbacks);
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Completion>()
}
