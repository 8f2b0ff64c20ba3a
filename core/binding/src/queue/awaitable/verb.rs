//! A plain call that is awaited, and what its first step does.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple};
use pyo3::{PyTraverseError, PyVisit, intern};
use trunkline_engine::{Outgoing, Receive, operation};
use trunkline_types::Millis;

use super::{AsyncMessage, AwaitableVerbs};
use crate::duration::{WAIT_MAX, millis};
use crate::error::{NotAdmitted, guard};
use crate::pending::PendingWrite;
use crate::python_call::PythonCall as _;
use crate::queue::batch;
use crate::queue::body::Body;
use crate::queue::received::take;

/// A verb with its arguments.
pub(crate) enum Verb {
    Send { queue: Py<AwaitableVerbs>, body: Py<PyAny> },
    Receive { queue: Py<AwaitableVerbs>, max: usize, wait: Option<Py<PyAny>> },
    DeleteBatch { queue: Py<AwaitableVerbs>, deliveries: Py<PyList> },
    Delete { message: Py<AsyncMessage> },
}

/// The state of a call after a step.
pub(crate) enum Step {
    /// It is over; `None` stands for Python's.
    Done(Option<Py<PyAny>>),
    /// It returns `value` once the write is durable.
    Write { write: Py<PendingWrite>, value: Option<Py<PyAny>> },
    /// A coroutine of Python's does the rest.
    Rest(Py<PyAny>),
}

impl Step {
    fn after(write: Option<Py<PendingWrite>>, value: Option<Py<PyAny>>) -> Self {
        match write {
            None => Self::Done(value),
            Some(write) => Self::Write { write, value },
        }
    }
}

impl Verb {
    /// The name that Python shows.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Send { .. } => "Queue.send",
            Self::Receive { .. } => "Queue.receive",
            Self::DeleteBatch { .. } => "Queue.delete_batch",
            Self::Delete { .. } => "Message.delete",
        }
    }

    /// Carries the verb out, as far as that needs no wait.
    #[inline]
    pub fn begin(self, py: Python<'_>) -> PyResult<Step> {
        match self {
            Self::Send { queue, body } => send(queue.bind(py), body.bind(py)).or_else(|error| {
                let begin = queue.bind(py).getattr(intern!(py, "_core"))?;
                resumed(py, error, &begin.getattr(intern!(py, "begin_send"))?, &(body,))
            }),
            Self::Receive { queue, max, wait } => receive(queue.bind(py), max, wait),
            Self::DeleteBatch { queue, deliveries } => {
                delete_batch(queue.bind(py), deliveries.bind(py)).or_else(|error| {
                    let begin = queue.bind(py).getattr(intern!(py, "_core"))?;
                    resumed(py, error, &begin.getattr(intern!(py, "begin_batch"))?, &(deliveries,))
                })
            }
            Self::Delete { message } => {
                let message = message.bind(py);
                match AsyncMessage::begin_delete(message, py, None) {
                    Ok(write) => Ok(Step::after(write, None)),
                    Err(error) if error.is_instance_of::<NotAdmitted>(py) => {
                        let rest = message.run_method(intern!(py, "_resume_delete"), (error,))?;
                        Ok(Step::Rest(rest.unbind()))
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Send { queue, body } => {
                visit.call(queue)?;
                visit.call(body)
            }
            Self::Receive { queue, wait, .. } => {
                visit.call(queue)?;
                visit.call(wait)
            }
            Self::DeleteBatch { queue, deliveries } => {
                visit.call(queue)?;
                visit.call(deliveries)
            }
            Self::Delete { message } => visit.call(message),
        }
    }
}

#[inline]
fn send(queue: &Bound<'_, AwaitableVerbs>, body: &Bound<'_, PyAny>) -> PyResult<Step> {
    let (py, handle) = (queue.py(), &queue.get().0);
    let body: Body<'_> = body.as_borrowed().extract()?;
    guard(|| {
        let call = handle.admit_or_hold(py, operation::SEND, None)?;
        let sent = handle.put(&call, &Outgoing { body: &body.0, ..Outgoing::default() })?;
        let write = handle.pending(py, sent.ticket, handle.level)?;
        let result = handle.result(py, sent)?;
        Ok(Step::after(write, Some(result.into_any().unbind())))
    })
}

/// Receives with the queue's own lease what is there; Python does all that may wait.
#[inline]
fn receive(
    queue: &Bound<'_, AwaitableVerbs>,
    max: usize,
    wait: Option<Py<PyAny>>,
) -> PyResult<Step> {
    let (py, handle) = (queue.py(), &queue.get().0);
    let host = handle.engine.host();
    // Also where a message is there already, so that a wrong argument is always an error.
    wait.as_ref().map(|wait| millis(wait.bind(py), "wait", 0, WAIT_MAX)).transpose()?;
    // Rules of faults count calls: they are asked where the call can wait.
    if !host.faults.is_active() && !host.durable_receives {
        // At the limit of messages in flight the call with all arguments decides what to answer.
        let request = Receive { max, wait: Some(Millis::MAX), ..Receive::default() };
        let (messages, _) = guard(|| {
            let call = handle.admit(py, operation::RECEIVE)?;
            take::<AsyncMessage>(py, handle, &call, &request)
        })?;
        if !messages.is_empty() {
            return Ok(Step::Done(Some(messages.into_any().unbind())));
        }
    }
    let none = py.None();
    let arguments = (max, wait, &none, &none);
    let rest = queue.run_method(intern!(py, "_receive_with"), arguments)?;
    Ok(Step::Rest(rest.unbind()))
}

#[inline]
fn delete_batch(
    queue: &Bound<'_, AwaitableVerbs>,
    deliveries: &Bound<'_, PyList>,
) -> PyResult<Step> {
    let (py, handle) = (queue.py(), &queue.get().0);
    let (result, write) = guard(|| {
        let call = handle.admit_or_hold(py, operation::DELETE, None)?;
        let (result, ticket) = batch::change(py, (handle, &call), deliveries, None)?;
        Ok((result, handle.pending(py, ticket, handle.level)?))
    })?;
    Ok(Step::after(write, Some(Py::new(py, result)?.into_any())))
}

/// The rest of a call that was refused because it has to wait first; other errors are the call's.
#[cold]
fn resumed<'py, T>(
    py: Python<'py>,
    error: PyErr,
    begin: &Bound<'py, PyAny>,
    arguments: &(Py<T>,),
) -> PyResult<Step> {
    static RESUMED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if !error.is_instance_of::<NotAdmitted>(py) {
        return Err(error);
    }
    let arguments = PyTuple::new(
        py,
        [error.into_value(py).as_any(), begin.as_unbound(), arguments.0.as_any()],
    )?;
    let rest = RESUMED.import(py, "trunkline.aio.loop", "resumed")?.run(arguments)?;
    Ok(Step::Rest(rest.unbind()))
}
