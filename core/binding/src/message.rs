//! A message that was delivered, as a frozen class: what costs is made when it is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use trunkline_engine::{Delivery, Verb, sequence_number};
use trunkline_vocabulary::{Code, Error, Millis, QueueId, Receipt, Result, Seq};

use crate::error::{guard, raise};
use crate::handle::Handle;
use crate::span::millis;

/// How many dead messages are kept for reuse: cheaper than to ask the allocator each time.
const SPARE: usize = 256;

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
#[pyclass(frozen, freelist = SPARE, module = "trunkline")]
pub(crate) struct Message {
    handle: Arc<Handle>,
    body: Py<PyBytes>,
    receipt: Receipt,
    sent: Millis,
    first_received: Millis,
    extra: Option<Box<Extra>>,
    /// Peeked at, not received: there is no lease to end.
    peeked: bool,
    /// Deleted or released by hand, so that the end of a `with` block leaves it alone.
    settled: AtomicBool,
}

/// What most messages do not have.
struct Extra {
    /// Where the message was first sent, if it came here by a move.
    origin: (QueueId, Seq),
    group: Option<String>,
    dedup_id: Option<String>,
    attributes: Vec<u8>,
    dead_letter_source: Option<QueueId>,
}

impl Message {
    #[inline]
    pub fn new(
        py: Python<'_>,
        handle: &Arc<Handle>,
        delivery: &Delivery<'_>,
        peeked: bool,
    ) -> Self {
        Self {
            handle: handle.clone(),
            body: PyBytes::new(py, delivery.body).unbind(),
            receipt: delivery.receipt,
            sent: delivery.sent,
            first_received: delivery.first_received,
            extra: Extra::of(delivery),
            peeked,
            settled: AtomicBool::new(false),
        }
    }

    fn lease(&self) -> Result<&Receipt> {
        if !self.peeked {
            return Ok(&self.receipt);
        }
        Err(Error::new(
            Code::MessageNotInflight,
            "The message was peeked at, not received, so it has no lease; receive it first.",
        ))
    }

    /// The receipt, if `handle` is the queue that delivered the message.
    pub fn receipt_for(&self, handle: &Handle) -> Result<Receipt> {
        let receipt = self.lease()?;
        if Arc::ptr_eq(&self.handle.engine, &handle.engine) && receipt.queue == handle.queue.id() {
            return Ok(*receipt);
        }
        // Refused in the queue's own words.
        handle.queue.decode_receipt(&self.handle.queue.encode_receipt(receipt))
    }

    fn change(&self, py: Python<'_>, visibility: Millis) -> PyResult<()> {
        let receipt = self.lease().map_err(raise)?;
        self.handle.before(py, Verb::Extend)?;
        let ticket = self.handle.queue.extend(receipt, visibility).map_err(raise)?;
        self.handle.settle(py, ticket, self.handle.level)
    }

    fn visibility(&self, value: &Bound<'_, PyAny>, field: &str) -> PyResult<Millis> {
        millis(value, field, 0, self.handle.engine.limits().visibility_max)
    }
}

impl Extra {
    #[inline]
    fn of(delivery: &Delivery<'_>) -> Option<Box<Self>> {
        let none = delivery.origin == (delivery.receipt.queue, delivery.receipt.seq)
            && delivery.group.is_none()
            && delivery.dedup_id.is_none()
            && delivery.attributes.is_empty()
            && delivery.dead_letter_source.is_none();
        if none {
            return None;
        }
        Some(Box::new(Self {
            origin: delivery.origin,
            group: delivery.group.map(str::to_owned),
            dedup_id: delivery.dedup_id.map(str::to_owned),
            attributes: delivery.attributes.to_vec(),
            dead_letter_source: delivery.dead_letter_source,
        }))
    }
}

#[pymethods]
impl Message {
    /// The body as it was sent.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.body.bind(py).clone()
    }

    /// The body as text; a body that is not UTF-8 raises UnicodeDecodeError.
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let text = self.body.bind(py).call_method1("decode", ("utf-8",))?;
        Ok(text.cast_into()?)
    }

    /// The body parsed as JSON.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.body.bind(py),))
    }

    /// Names this delivery; :meth:`Queue.delete` takes it, also from another process.
    #[getter]
    fn receipt(&self) -> PyResult<String> {
        self.lease().map(|receipt| self.handle.queue.encode_receipt(receipt)).map_err(raise)
    }

    /// The message's id, the same in every delivery.
    #[getter]
    fn message_id(&self) -> String {
        let here = (self.receipt.queue, self.receipt.seq);
        let (queue, seq) = self.extra.as_ref().map_or(here, |extra| extra.origin);
        self.handle.key.message_id(queue, seq).to_string()
    }

    /// Which delivery of the message this is, counted from one.
    #[getter]
    fn receive_count(&self) -> u32 {
        self.receipt.delivery
    }

    /// When the message was sent, in seconds since the epoch.
    #[getter]
    fn sent_at(&self) -> f64 {
        self.sent as f64 / 1_000.0
    }

    /// When the message was received for the first time, in seconds since the epoch.
    #[getter]
    fn first_received_at(&self) -> Option<f64> {
        (self.receipt.delivery > 0).then(|| self.first_received as f64 / 1_000.0)
    }

    /// The group the message was sent with.
    #[getter]
    fn group(&self) -> Option<&str> {
        self.extra.as_ref()?.group.as_deref()
    }

    /// The deduplication id the message was sent with, or the hash that stood in for it.
    #[getter]
    fn dedup_id(&self) -> Option<&str> {
        self.extra.as_ref()?.dedup_id.as_deref()
    }

    /// FIFO: 20 digits that grow in order of sending; None on a standard queue.
    #[getter]
    fn sequence_number(&self) -> Option<String> {
        self.handle.fifo.then(|| sequence_number(self.receipt.seq))
    }

    /// The attributes by name: a Number as int or float, a String as str, a Binary as bytes; a
    /// type with a suffix as a pair ``(type, value)``.
    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let block = self.extra.as_ref().map_or(&[][..], |extra| &extra.attributes);
        crate::attributes::to_dict(py, block)
    }

    /// The queue that gave the message up, if it is a dead letter.
    #[getter]
    fn dead_letter_source(&self) -> Option<String> {
        let source = self.extra.as_ref()?.dead_letter_source?;
        Some(self.handle.engine.queue_by_id(source)?.name().name.clone())
    }

    /// The queue that delivered it.
    #[getter]
    fn queue_name(&self) -> String {
        self.handle.queue.name().name.clone()
    }

    /// Delete the message; return once that is as durable as the engine promises.
    fn delete(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| {
            let receipt = self.lease().map_err(raise)?;
            self.handle.before(py, Verb::Delete)?;
            let ticket = self.handle.queue.delete(receipt).map_err(raise)?;
            self.settled.store(true, Ordering::Relaxed);
            self.handle.settle(py, ticket, self.handle.level)
        })
    }

    /// Let the lease end `visibility_timeout` seconds from now.
    fn extend(&self, py: Python<'_>, visibility_timeout: &Bound<'_, PyAny>) -> PyResult<()> {
        let visibility = self.visibility(visibility_timeout, "visibility_timeout")?;
        guard(|| self.change(py, visibility))
    }

    /// Give the message back: visible again at once, or in `delay` seconds.
    #[pyo3(signature = (delay=None))]
    fn release(&self, py: Python<'_>, delay: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let delay = delay.map_or(Ok(0), |delay| self.visibility(delay, "delay"))?;
        guard(|| {
            self.change(py, delay)?;
            self.settled.store(true, Ordering::Relaxed);
            Ok(())
        })
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().lease().map_err(raise)?;
        Ok(slf)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        if self.settled.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if kind.is_none() {
            self.delete(py)?;
        } else {
            // The caller's exception is the one to be seen; an unreleased lease ends by itself.
            drop(self.release(py, None));
        }
        Ok(false)
    }

    fn __repr__(&self) -> String {
        format!(
            "<Message {} of queue {:?}, delivery {}>",
            self.message_id(),
            self.handle.queue.name().name,
            self.receipt.delivery
        )
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(crate::attributes::encode_attributes, module)?)?;
    module.add_class::<Message>()
}
