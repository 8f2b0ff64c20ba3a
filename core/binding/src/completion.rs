//! What a task awaits until the engine has done something for it.
//!
//! It speaks the protocol of `asyncio.Future` as far as `asyncio.Task` uses it. The waker completes
//! all that a burst is about in one callback of the loop, and steps each task right there, instead
//! of asking the loop for one more callback a task.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::PyTraverseError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_types::sync::lock;

/// Something awaited on one event loop. Used on that loop's thread only.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Completion {
    event_loop: Py<PyAny>,
    state: Mutex<State>,
    /// What tells a task that an awaited object means to suspend it.
    blocking: AtomicBool,
}

#[derive(Default)]
struct State {
    outcome: Outcome,
    /// What is to be called at the end, each in its context.
    callbacks: Vec<(Py<PyAny>, Option<Py<PyAny>>)>,
}

#[derive(Default)]
enum Outcome {
    #[default]
    Pending,
    Done,
    Cancelled(Option<Py<PyAny>>),
}

impl Completion {
    pub fn new(event_loop: Py<PyAny>) -> Self {
        let blocking = AtomicBool::new(false);
        Self { event_loop, state: Mutex::new(State::default()), blocking }
    }

    /// Ends the wait and steps what waits. Must run in a callback of the loop, not inside a task.
    pub fn complete(slf: &Bound<'_, Self>) -> PyResult<()> {
        let mut first = Ok(());
        for (callback, context) in slf.get().end(Outcome::Done) {
            let called = match context {
                Some(context) => context.bind(slf.py()).call_method1("run", (callback, slf)),
                None => callback.bind(slf.py()).call1((slf,)),
            };
            // A task keeps its failures to itself; only an interrupt arrives here.
            first = first.and(called.map(drop));
        }
        first
    }

    /// Takes the callbacks if the wait had not ended yet.
    fn end(&self, outcome: Outcome) -> Vec<(Py<PyAny>, Option<Py<PyAny>>)> {
        let mut state = lock(&self.state);
        if !matches!(state.outcome, Outcome::Pending) {
            return Vec::new();
        }
        state.outcome = outcome;
        std::mem::take(&mut state.callbacks)
    }

    fn schedule(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let named = PyDict::new(slf.py());
        if let Some(context) = context {
            named.set_item("context", context)?;
        }
        let event_loop = slf.get().event_loop.bind(slf.py());
        event_loop.call_method("call_soon", (callback, slf), Some(&named)).map(drop)
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

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        {
            let mut state = lock(&slf.get().state);
            if matches!(state.outcome, Outcome::Pending) {
                state.callbacks.push((callback, context));
                return Ok(());
            }
        }
        Self::schedule(slf, callback, context)
    }

    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        if slf.get().done() {
            return Ok(false);
        }
        // The canceller is inside a task of its own: the loop steps the other one.
        for (callback, context) in slf.get().end(Outcome::Cancelled(msg)) {
            Self::schedule(slf, callback, context)?;
        }
        Ok(true)
    }

    fn done(&self) -> bool {
        !matches!(lock(&self.state).outcome, Outcome::Pending)
    }

    /// Ends the wait, as a timer does.
    fn set_result(slf: &Bound<'_, Self>, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::complete(slf)
    }

    fn result(&self, py: Python<'_>) -> PyResult<()> {
        let message = match &lock(&self.state).outcome {
            Outcome::Done => return Ok(()),
            Outcome::Pending => {
                return Err(PyRuntimeError::new_err("The wait has not ended yet."));
            }
            Outcome::Cancelled(message) => message.as_ref().map(|message| message.clone_ref(py)),
        };
        let cancelled = py.import("asyncio")?.getattr("CancelledError")?;
        let error = match message {
            Some(message) => cancelled.call1((message,))?,
            None => cancelled.call0()?,
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
        visit.call(&self.event_loop)?;
        // Nothing else runs while the collector looks; a lock that is held leaks nothing for good.
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        for (callback, context) in &state.callbacks {
            visit.call(callback)?;
            visit.call(context)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let callbacks = match self.state.try_lock() {
            Ok(mut state) => std::mem::take(&mut state.callbacks),
            Err(_) => Vec::new(),
        };
        drop(callbacks);
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Completion>()
}
