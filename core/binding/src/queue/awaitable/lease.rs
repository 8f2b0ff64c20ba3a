//! The verbs of a delivery that is awaited.

use pyo3::prelude::*;
use trunkline_engine::operation;

use super::coroutine::Coroutine;
use super::message::AsyncMessage;
use super::verb::Verb;
use crate::admission::HeldCall;
use crate::error::guard;
use crate::pending::PendingWrite;
use crate::queue::peeked::RELEASED;

/// The other coroutines of the class are Python's (`trunkline.aio.queues.message`), and begin here.
#[pymethods]
impl AsyncMessage {
    /// Names this delivery; :meth:`trunkline.aio.Queue.delete` takes it.
    #[getter]
    fn receipt(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.as_super().get().receipt_text()
    }

    /// Delete the message; return once that is as durable as the engine promises.
    fn delete<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Coroutine>> {
        Coroutine::of(slf.py(), Verb::Delete { message: slf.clone().unbind() })
    }

    #[pyo3(signature = (*, admitted=None))]
    fn _begin_delete(
        slf: &Bound<'_, Self>,
        py: Python<'_>,
        admitted: Option<&HeldCall>,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        Self::begin_delete(slf, py, admitted)
    }

    #[pyo3(signature = (visibility_timeout, *, admitted=None))]
    fn _begin_extend(
        slf: &Bound<'_, Self>,
        py: Python<'_>,
        visibility_timeout: &Bound<'_, PyAny>,
        admitted: Option<&HeldCall>,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        let message = slf.as_super().get();
        let visibility = message.span(visibility_timeout, "visibility_timeout")?;
        guard(|| {
            let call = message.handle.admit_or_hold(py, operation::EXTEND, admitted)?;
            let ticket = message.change(&call, visibility)?;
            message.pending(py, ticket)
        })
    }

    #[pyo3(signature = (delay, *, admitted=None))]
    fn _begin_release(
        slf: &Bound<'_, Self>,
        py: Python<'_>,
        delay: &Bound<'_, PyAny>,
        admitted: Option<&HeldCall>,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        let message = slf.as_super().get();
        let delay = message.span(delay, "delay")?;
        guard(|| {
            let call = message.handle.admit_or_hold(py, operation::EXTEND, admitted)?;
            let ticket = message.change(&call, delay)?;
            message.set_outcome(RELEASED);
            message.pending(py, ticket)
        })
    }

    /// ``"deleted"`` or ``"released"``, if the message's own verb did it.
    #[getter]
    fn _outcome(slf: &Bound<'_, Self>) -> Option<&'static str> {
        slf.as_super().get().outcome()
    }
}
