//! A delivery and the verbs of its lease, for threads; `awaitable/message.rs` is for event loops.

use pyo3::PyClass;
use pyo3::prelude::*;
use trunkline_engine::{Admitted, Delivery, Ticket, operation};
use trunkline_types::Millis;

use crate::duration::millis;
use crate::error::{guard, raise};
use crate::pending::PendingWrite;
use crate::queue::handle::HandleRef;
use crate::queue::peeked::{DELETED, PeekedMessage, RELEASED};

/// One delivery of one message. ``with message:`` deletes it at the end of the block; on an
/// exception it makes it visible again.
///
/// >>> import trunkline
/// >>> queue = trunkline.open().queue("orders")
/// >>> sent = queue.send('{"drink": "coffee"}', attributes={"table": 4})
/// >>> with queue.receive()[0] as message:
/// ...     message.json()["drink"], message.attributes["table"]
/// ('coffee', 4)
/// >>> queue.statistics().total
/// 0
#[pyclass(frozen, extends = PeekedMessage, module = "trunkline")]
pub(crate) struct Message;

/// A kind of message that a receive can make.
pub(crate) trait Delivered: PyClass {
    fn deliver<'py>(
        py: Python<'py>,
        handle: &HandleRef,
        delivery: &Delivery<'_>,
    ) -> PyResult<Bound<'py, Self>>;
}

impl Delivered for Message {
    #[inline]
    fn deliver<'py>(
        py: Python<'py>,
        handle: &HandleRef,
        delivery: &Delivery<'_>,
    ) -> PyResult<Bound<'py, Self>> {
        Bound::new(py, (Self, PeekedMessage::new(py, handle, delivery, false)?))
    }
}

impl Delivered for PeekedMessage {
    fn deliver<'py>(
        py: Python<'py>,
        handle: &HandleRef,
        delivery: &Delivery<'_>,
    ) -> PyResult<Bound<'py, Self>> {
        Bound::new(py, PeekedMessage::new(py, handle, delivery, true)?)
    }
}

impl PeekedMessage {
    #[inline]
    pub(crate) fn delete(&self, call: &Admitted) -> PyResult<Option<Ticket>> {
        let receipt = self.lease().map_err(raise)?;
        self.handle.queue.delete_admitted(call, receipt).map_err(raise)
    }

    pub(crate) fn change(&self, call: &Admitted, visibility: Millis) -> PyResult<Option<Ticket>> {
        let receipt = self.lease().map_err(raise)?;
        self.handle.queue.extend_admitted(call, receipt, visibility).map_err(raise)
    }

    fn acknowledge(&self, py: Python<'_>, ticket: Option<Ticket>) -> PyResult<()> {
        self.handle.acknowledge(py, ticket, self.handle.level)
    }

    pub(crate) fn pending(
        &self,
        py: Python<'_>,
        ticket: Option<Ticket>,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        self.handle.pending(py, ticket, self.handle.level)
    }

    pub(crate) fn span(&self, value: &Bound<'_, PyAny>, field: &str) -> PyResult<Millis> {
        millis(value, field, 0, self.handle.engine.limits().visibility_max)
    }

    pub(crate) fn receipt_text(&self) -> PyResult<String> {
        let encode = |receipt| self.handle.queue.encode_receipt(receipt);
        self.lease().map(encode).map_err(raise)
    }
}

#[pymethods]
impl Message {
    /// Names this delivery; :meth:`Queue.delete` takes it, also from another process.
    #[getter]
    fn receipt(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.as_super().get().receipt_text()
    }

    /// Delete the message; return once that is as durable as the engine promises.
    fn delete(slf: &Bound<'_, Self>, py: Python<'_>) -> PyResult<()> {
        let message = slf.as_super().get();
        guard(|| {
            let call = message.handle.admit(py, operation::DELETE)?;
            let ticket = message.delete(&call)?;
            message.set_outcome(DELETED);
            message.acknowledge(py, ticket)
        })
    }

    /// Let the lease end `visibility_timeout` seconds from now.
    fn extend(
        slf: &Bound<'_, Self>,
        py: Python<'_>,
        visibility_timeout: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let message = slf.as_super().get();
        let visibility = message.span(visibility_timeout, "visibility_timeout")?;
        guard(|| {
            let call = message.handle.admit(py, operation::EXTEND)?;
            let ticket = message.change(&call, visibility)?;
            message.acknowledge(py, ticket)
        })
    }

    /// Give the message back: visible again at once, or in `delay` seconds.
    #[pyo3(signature = (delay=None))]
    fn release(
        slf: &Bound<'_, Self>,
        py: Python<'_>,
        delay: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let message = slf.as_super().get();
        let delay = delay.map_or(Ok(0), |delay| message.span(delay, "delay"))?;
        guard(|| {
            let call = message.handle.admit(py, operation::EXTEND)?;
            let ticket = message.change(&call, delay)?;
            message.set_outcome(RELEASED);
            message.acknowledge(py, ticket)
        })
    }

    /// ``"deleted"`` or ``"released"``, if the message's own verb did it.
    #[getter]
    fn _outcome(slf: &Bound<'_, Self>) -> Option<&'static str> {
        slf.as_super().get().outcome()
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __exit__(
        slf: &Bound<'_, Self>,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        if slf.as_super().get().outcome().is_some() {
            return Ok(false);
        }
        if kind.is_none() {
            Self::delete(slf, py)?;
        } else {
            // The caller's exception is the one to be seen; an unreleased lease ends by itself.
            drop(Self::release(slf, py, None));
        }
        Ok(false)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Message>()
}
