//! The verbs of `trunkline.Queue` that a program calls for every message.
//!
//! A plain call takes one crossing and no frame of Python. A call with what needs Python's checks
//! goes on in a method of the subclass, whose name begins with an underscore.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;
use trunkline_engine::{Outgoing, Receive, operation};

use crate::durability::Level;
use crate::duration::{WAIT_MAX, millis};
use crate::error::{guard, raise};
use crate::python_call::PythonCall as _;
use crate::queue::batch::{self, DeliveryRef};
use crate::queue::body::Body;
use crate::queue::handle::HandleRef;
use crate::queue::received::{Max, take_within};
use crate::queue::results::BatchResult;
use crate::queue::sent::SendResult;
use crate::queue::verbs::QueueVerbs;

/// The verbs of `trunkline.Queue` that a program calls for every message.
#[pyclass(frozen, subclass, module = "trunkline._core")]
pub(crate) struct BlockingVerbs(pub HandleRef);

impl BlockingVerbs {
    #[inline]
    fn send_plain<'py>(
        &self,
        py: Python<'py>,
        body: &Body<'_>,
    ) -> PyResult<Bound<'py, SendResult>> {
        guard(|| {
            let call = self.0.admit(py, operation::SEND)?;
            let sent = self.0.put(&call, &Outgoing { body: &body.0, ..Outgoing::default() })?;
            self.0.acknowledge(py, sent.ticket, self.0.level)?;
            self.0.result(py, sent)
        })
    }
}

#[pymethods]
impl BlockingVerbs {
    #[new]
    fn new(engine: &Bound<'_, PyAny>, core: &Bound<'_, QueueVerbs>) -> Self {
        // The subclass keeps the engine.
        let _ = engine;
        Self(core.get().0.clone_ref(core.py()))
    }

    /// Add a message; return once it is as durable as the engine promises.
    ///
    /// A body may be empty, which only the AWS surface refuses, as AWS does.
    /// `group` and `dedup_id` are a FIFO queue's order and identity; on a standard queue `group`
    /// names the tenant of a fair queue. `delay` is in seconds. `attributes` are values by name:
    /// str, int, float, Decimal, bytes, or a pair ``(type, value)``. `durability` lowers the
    /// engine's level for this call.
    ///
    /// Raises InvalidParameterValue, MissingParameter, QueueDoesNotExist.
    ///
    /// >>> import trunkline
    /// >>> queue = trunkline.open(seed=1).queue("orders.fifo", content_based_dedup=True)
    /// >>> first = queue.send("one coffee", group="table-4", attributes={"kind": "order"})
    /// >>> again = queue.send("one coffee", group="table-4")
    /// >>> again.duplicate, again.message_id == first.message_id
    /// (True, True)
    #[pyo3(signature = (body, *, group=None, dedup_id=None, delay=None, attributes=None,
        durability=None))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn send<'py>(
        slf: &Bound<'py, Self>,
        body: &Bound<'py, PyAny>,
        group: Option<&Bound<'py, PyAny>>,
        dedup_id: Option<&Bound<'py, PyAny>>,
        delay: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
        durability: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let options = (group, dedup_id, delay, attributes, durability);
        if !matches!(options, (None, None, None, None, None)) {
            let arguments = (body, group, dedup_id, delay, attributes, durability);
            return slf.run_method(intern!(py, "_send_with"), arguments);
        }
        let body = body.as_borrowed().extract()?;
        slf.get().send_plain(py, &body).map(Bound::into_any)
    }

    /// Add many messages with one wait for the disk. Each succeeds or fails for itself.
    ///
    /// An entry is a body, or an :class:`SendEntry` with options. ``result.successful`` and
    /// ``result.failed`` name the entries by their ``index``.
    ///
    /// >>> import trunkline
    /// >>> queue = trunkline.open().queue("orders", delay=0)
    /// >>> result = queue.send_batch([b"one", "two", trunkline.SendEntry("late", delay=9_999)])
    /// >>> len(result.successful), [failure.index for failure in result.failed]
    /// (2, [2])
    #[pyo3(signature = (entries, *, durability=None))]
    fn send_batch<'py>(
        slf: &Bound<'py, Self>,
        entries: &Bound<'py, PyAny>,
        durability: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, handle) = (slf.py(), &slf.get().0);
        if let (Ok(list), None) = (entries.cast_exact::<PyList>(), durability) {
            let result = guard(|| {
                let admit = || handle.admit(py, operation::SEND);
                let Some((result, ticket)) = batch::send_plain(py, handle, list, admit)? else {
                    return Ok(None);
                };
                handle.acknowledge(py, ticket, handle.level)?;
                Ok(Some(result))
            })?;
            if let Some(result) = result {
                return Ok(Bound::new(py, result)?.into_any());
            }
        }
        slf.run_method(intern!(py, "_send_batch_with"), (entries, durability))
    }

    /// Lease up to `max` messages; wait at most `wait` seconds for the first.
    ///
    /// The interpreter is free while it waits, and Ctrl-C works at once. Without `wait` the queue's
    /// own `receive_wait` holds, which is 0 unless it was set. `visibility_timeout` is the lease in
    /// seconds, instead of the queue's. `attempt_id` repeats a receive of a FIFO queue whose answer
    /// was lost.
    ///
    /// Under gevent and eventlet a receive with a `wait` blocks the whole hub, because it waits
    /// outside of Python: run it as ``gevent.get_hub().threadpool.apply(queue.receive, (10, 20))``
    /// or ``eventlet.tpool.execute(queue.receive, 10, 20)``. Calls that do not wait are fine.
    ///
    /// >>> import trunkline
    /// >>> queue = trunkline.open().queue("orders")
    /// >>> queue.receive(max=10, wait=0.01)
    /// []
    #[pyo3(
        signature = (max=Max::Count(1), wait=None, visibility_timeout=None, attempt_id=None),
        text_signature = "($self, max=1, wait=None, visibility_timeout=None, attempt_id=None)"
    )]
    fn receive<'py>(
        slf: &Bound<'py, Self>,
        max: Max<'py>,
        wait: Option<&Bound<'py, PyAny>>,
        visibility_timeout: Option<&Bound<'py, PyAny>>,
        attempt_id: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, handle) = (slf.py(), &slf.get().0);
        let max = match (max, visibility_timeout, attempt_id) {
            (Max::Count(max), None, None) => {
                let wait = wait.map(|wait| millis(wait, "wait", 0, WAIT_MAX)).transpose()?;
                let request = Receive { max, wait, ..Receive::default() };
                let span = || wait.unwrap_or_else(|| handle.queue.config().receive_wait);
                let found = guard(|| take_within(py, handle, &request, span))?;
                return Ok(found.into_any());
            }
            (Max::Count(max), ..) => max.into_pyobject(py)?.into_any(),
            (Max::Other(max), ..) => max,
        };
        let arguments = (max, wait, visibility_timeout, attempt_id);
        slf.run_method(intern!(py, "_receive_with"), arguments)
    }

    /// Delete a message that was received, named by itself or by its receipt.
    ///
    /// >>> import trunkline
    /// >>> queue = trunkline.open().queue("orders")
    /// >>> sent = queue.send("one coffee")
    /// >>> receipt = queue.receive()[0].receipt
    /// >>> queue.delete(receipt)
    /// >>> queue.delete("forged")
    /// Traceback (most recent call last):
    /// trunkline.errors.ReceiptHandleIsInvalid: The input receipt handle "forged" is not a valid \
    /// receipt handle.
    #[pyo3(signature = (delivery, *, durability=None))]
    fn delete(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        durability: Option<Level>,
    ) -> PyResult<()> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            let call = self.0.admit(py, operation::DELETE)?;
            let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
            let ticket = self.0.queue.delete_admitted(&call, &receipt).map_err(raise)?;
            self.0.acknowledge(py, ticket, level)
        })
    }

    /// Delete many, with one wait for the disk; ``result.failed`` tells which were refused.
    ///
    /// >>> import trunkline
    /// >>> queue = trunkline.open().queue("orders")
    /// >>> sent = queue.send_batch(["one", "two"])
    /// >>> queue.delete_batch(queue.receive(max=10)).successful
    /// (0, 1)
    #[pyo3(signature = (deliveries, *, durability=None))]
    fn delete_batch<'py>(
        slf: &Bound<'py, Self>,
        deliveries: &Bound<'py, PyAny>,
        durability: Option<Level>,
    ) -> PyResult<BatchResult> {
        let (py, handle) = (slf.py(), &slf.get().0);
        let made = match deliveries.cast_exact::<PyList>() {
            Ok(_) => None,
            Err(_) => Some(slf.run_method(intern!(py, "_as_list"), (deliveries, "deliveries"))?),
        };
        let list = made.as_ref().unwrap_or(deliveries).cast::<PyList>()?;
        guard(|| {
            let level = handle.level(durability.map(|level| level.0))?;
            let call = handle.admit(py, operation::DELETE)?;
            let (result, ticket) = batch::change(py, (handle, &call), list, None)?;
            handle.acknowledge(py, ticket, level)?;
            Ok(result)
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BlockingVerbs>()
}
