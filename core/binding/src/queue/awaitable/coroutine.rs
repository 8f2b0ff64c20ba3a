//! A coroutine that is made here: one object, and no frame of Python, for a call that nearly always
//! ends without waiting.
//!
//! It speaks the protocol of `collections.abc.Coroutine`. Nothing happens before the first step,
//! as with a coroutine of Python's.

use pyo3::exceptions::{PyRuntimeError, PyRuntimeWarning, PyStopIteration};
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{PyTraverseError, intern};

use super::verb::{Step, Verb};
use crate::gil_cell::GilCell;
use crate::pending::PendingWrite;
use crate::python_call::PythonCall as _;
use crate::spare::Spare;

/// A call that is awaited.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Coroutine {
    state: GilCell<State>,
    name: GilCell<&'static str>,
    /// What a step through `slots.rs` gets and gives without an exception.
    pub exchange: GilCell<Exchange>,
}

/// The last one that has returned.
static RETURNED: Spare<Coroutine> = Spare::new();

/// How a step gets and gives its values.
#[derive(Default)]
pub(crate) struct Exchange {
    /// Whether the value that is returned is to be left in `returned`.
    pub is_used: bool,
    /// What the rest of the call is sent; `None` stands for Python's.
    pub sent: Option<Py<PyAny>>,
    pub returned: Option<Py<PyAny>>,
}

#[derive(Default)]
enum State {
    New(Verb),
    /// The verb is done, and returns `value` once the write is durable.
    Write {
        write: Py<PendingWrite>,
        value: Option<Py<PyAny>>,
    },
    /// A coroutine of Python's does the rest.
    Rest(Py<PyAny>),
    /// It is over, or runs right now.
    #[default]
    Ended,
}

impl Coroutine {
    /// The coroutine of a call.
    #[inline]
    pub fn of(py: Python<'_>, verb: Verb) -> PyResult<Bound<'_, Self>> {
        let name = verb.name();
        if let Some(spare) = RETURNED.take(py) {
            let this = spare.get();
            this.name.replace(py, name);
            this.put(py, State::New(verb));
            return Ok(spare);
        }
        let (state, name) = (GilCell::new(State::New(verb)), GilCell::new(name));
        Bound::new(py, Self { state, name, exchange: GilCell::default() })
    }

    #[inline]
    fn put(&self, py: Python<'_>, state: State) {
        drop(self.state.replace(py, state));
    }

    /// What the awaiting task gets: what to wait for, or `None` once the call has returned.
    #[inline]
    fn suspend(slf: &Bound<'_, Self>, step: Step) -> PyResult<Option<Py<PyAny>>> {
        match step {
            Step::Done(value) => Self::end(slf, value),
            step => Self::wait(slf, step),
        }
    }

    #[inline]
    fn end(slf: &Bound<'_, Self>, value: Option<Py<PyAny>>) -> PyResult<Option<Py<PyAny>>> {
        let (py, exchange) = (slf.py(), &slf.get().exchange);
        RETURNED.keep(slf);
        let Some(value) = value else { return Ok(None) };
        let Exchange { is_used, sent, .. } = exchange.take(py);
        if !is_used {
            return Err(PyStopIteration::new_err((value,)));
        }
        exchange.replace(py, Exchange { is_used, sent, returned: Some(value) });
        Ok(None)
    }

    fn wait(slf: &Bound<'_, Self>, step: Step) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        match step {
            Step::Done(value) => Self::end(slf, value),
            Step::Write { write, value } if write.get().is_paused(py) => {
                static SETTLED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
                let settled = SETTLED.import(py, "trunkline.aio.loop", "settled")?;
                Self::suspend(slf, Step::Rest(settled.run((write, value))?.unbind()))
            }
            Step::Write { write, value } => match PendingWrite::__next__(write.bind(py))? {
                None => Self::suspend(slf, Step::Done(value)),
                Some(awaited) => {
                    slf.get().put(py, State::Write { write, value });
                    Ok(Some(awaited.into_any().unbind()))
                }
            },
            Step::Rest(rest) => {
                let exchange = &slf.get().exchange;
                let Exchange { is_used, sent, returned } = exchange.take(py);
                exchange.replace(py, Exchange { is_used, sent: None, returned });
                let stepped = rest.bind(py).run_method(intern!(py, "send"), (sent,));
                Self::suspended(slf, rest, stepped)
            }
        }
    }

    /// Keeps a coroutine of Python's while it has not returned.
    fn suspended(
        slf: &Bound<'_, Self>,
        rest: Py<PyAny>,
        stepped: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        match stepped {
            Ok(awaited) => {
                slf.get().put(py, State::Rest(rest));
                Ok(Some(awaited.unbind()))
            }
            Err(stop) if stop.is_instance_of::<PyStopIteration>(py) => {
                let value = stop.value(py).getattr(intern!(py, "value"))?;
                Self::suspend(slf, Step::Done(Some(value.unbind())))
            }
            Err(error) => Err(error),
        }
    }
}

#[pymethods]
impl Coroutine {
    #[getter]
    fn __name__(&self, py: Python<'_>) -> &'static str {
        let name = self.name.get(py);
        name.rsplit('.').next().unwrap_or(name)
    }

    #[getter]
    fn __qualname__(&self, py: Python<'_>) -> &'static str {
        self.name.get(py)
    }

    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// One step.
    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        let step = match slf.get().state.take(py) {
            State::New(verb) => verb.begin(py)?,
            State::Write { write, value } => Step::Write { write, value },
            State::Rest(rest) => Step::Rest(rest),
            State::Ended => return Err(ended()),
        };
        Self::suspend(slf, step)
    }

    /// One step, with the value that the rest of the call awaits.
    fn send(slf: &Bound<'_, Self>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let exchange = Exchange { sent: Some(value), ..Exchange::default() };
        drop(slf.get().exchange.replace(slf.py(), exchange));
        Self::__next__(slf)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    /// Raises an exception where the call waits.
    #[pyo3(signature = (kind, value=None, traceback=None))]
    fn throw(
        slf: &Bound<'_, Self>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let state = slf.get().state.take(py);
        if matches!(state, State::Ended) {
            return Err(ended());
        }
        if let State::Rest(rest) = state {
            let thrown = match (value, traceback) {
                (None, None) => rest.bind(py).run_method(intern!(py, "throw"), (kind,)),
                (value, traceback) => {
                    rest.bind(py).run_method(intern!(py, "throw"), (kind, value, traceback))
                }
            };
            return Self::suspended(slf, rest, thrown)?.ok_or_else(|| PyStopIteration::new_err(()));
        }
        // What was written stays written; nothing here could handle the exception.
        Err(match value {
            Some(value) if kind.is_instance_of::<pyo3::types::PyType>() => {
                let is_made = value.is_instance(&kind)?;
                PyErr::from_value(if is_made { value } else { kind.run((value,))? })
            }
            _ => PyErr::from_value(kind),
        })
    }

    /// Ends the call where it waits.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        match slf.get().state.take(py) {
            State::Rest(rest) => rest.bind(py).run_method(intern!(py, "close"), ()).map(drop),
            _ => Ok(()),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<coroutine object {}>", self.name.get(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.exchange.traverse(&visit, |exchange, visit| {
            visit.call(&exchange.sent)?;
            visit.call(&exchange.returned)
        })?;
        self.state.traverse(&visit, |state, visit| match state {
            State::New(verb) => verb.traverse(visit),
            State::Write { write, value } => {
                visit.call(write)?;
                visit.call(value)
            }
            State::Rest(rest) => visit.call(rest),
            State::Ended => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop((self.state.take(py), self.exchange.take(py)));
    }
}

impl Drop for Coroutine {
    fn drop(&mut self) {
        if matches!(self.state.get_mut(), State::New(_)) {
            warn_unawaited(self.name.get_mut());
        }
    }
}

#[cold]
fn ended() -> PyErr {
    PyRuntimeError::new_err("cannot reuse already awaited coroutine")
}

/// Tells of a call that was made and never begun, in the words of Python.
#[cold]
fn warn_unawaited(name: &str) {
    Python::attach(|py| {
        // The object may go while an exception is on its way.
        let raised = PyErr::take(py);
        let text = std::ffi::CString::new(format!("coroutine '{name}' was never awaited"));
        let category = py.get_type::<PyRuntimeWarning>();
        if let Err(error) = PyErr::warn(py, &category, &text.unwrap_or_default(), 1) {
            error.write_unraisable(py, None);
        }
        if let Some(raised) = raised {
            raised.restore(py);
        }
    });
}
