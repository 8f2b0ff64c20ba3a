//! A message as it can be read: a frozen class that computes costly members on access.
//!
//! Peek returns it as it is; a delivery (`message.rs`) adds the verbs of its lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use trunkline_engine::{Delivery, sequence_number};
use trunkline_types::{Code, Error, Millis, Receipt, ResourceId, Result, Seq};

use crate::python_call::PythonCall as _;
use crate::queue::handle::{Handle, HandleRef};

/// A message that is looked at: what :meth:`Queue.peek` returns, and what every delivery is too.
///
/// >>> import trunkline
/// >>> queue = trunkline.open().queue("orders")
/// >>> sent = queue.send("one coffee", attributes={"table": 4})
/// >>> (message,) = queue.peek()
/// >>> message.text(), message.attributes, message.receive_count
/// ('one coffee', {'table': 4}, 0)
#[pyclass(frozen, subclass, module = "trunkline")]
pub(crate) struct PeekedMessage {
    pub handle: HandleRef,
    body: Py<PyBytes>,
    receipt: Receipt,
    sent: Millis,
    first_received: Millis,
    extra: Option<Box<Extra>>,
    /// Peeked at, not received: there is no lease.
    peeked: bool,
    /// What its holder has made of the delivery: one of [`OPEN`], [`DELETED`], [`RELEASED`].
    outcome: AtomicU8,
}

/// Nothing yet: the end of a `with` block or a worker settles the delivery.
const OPEN: u8 = 0;
/// Deleted by its own verb.
pub(crate) const DELETED: u8 = 1;
/// Given back by its own verb.
pub(crate) const RELEASED: u8 = 2;

/// What most messages do not have.
struct Extra {
    /// Where the message was first sent, if it came here by a move.
    origin: (ResourceId, Seq),
    group: Option<String>,
    dedup_id: Option<String>,
    attributes: Vec<u8>,
    dead_letter_source: Option<ResourceId>,
    /// Deliveries by the queues that the message came from.
    received_before: u32,
}

impl PeekedMessage {
    #[inline]
    pub fn new(
        py: Python<'_>,
        handle: &HandleRef,
        delivery: &Delivery<'_>,
        peeked: bool,
    ) -> PyResult<Self> {
        Ok(Self {
            handle: handle.clone_ref(py),
            body: bytes_of(py, delivery.body)?.unbind(),
            receipt: delivery.receipt,
            sent: delivery.sent,
            first_received: delivery.first_received,
            extra: Extra::of(delivery),
            peeked,
            outcome: AtomicU8::new(OPEN),
        })
    }

    /// Notes what became of the delivery, so that no other call settles it.
    #[inline]
    pub fn set_outcome(&self, outcome: u8) {
        self.outcome.store(outcome, Ordering::Relaxed);
    }

    /// How the delivery was settled by its own verbs; `None` while it is not.
    #[inline]
    pub fn outcome(&self) -> Option<&'static str> {
        match self.outcome.load(Ordering::Relaxed) {
            DELETED => Some("deleted"),
            RELEASED => Some("released"),
            _ => None,
        }
    }

    /// What names the delivery, if it is one.
    #[inline]
    pub fn lease(&self) -> Result<&Receipt> {
        if !self.peeked {
            return Ok(&self.receipt);
        }
        Err(Error::new(
            Code::MessageNotInflight,
            "The message was peeked at, not received, so it has no lease; receive it first.",
        ))
    }

    /// The receipt, if `handle` is the queue that delivered the message.
    #[inline]
    pub fn receipt_for(&self, handle: &Handle) -> Result<Receipt> {
        let receipt = self.lease()?;
        if Arc::ptr_eq(&self.handle.engine, &handle.engine) && receipt.queue == handle.queue.id() {
            return Ok(*receipt);
        }
        // Refused in the queue's own words.
        handle.queue.decode_receipt(&self.handle.queue.encode_receipt(receipt))
    }
}

impl PeekedMessage {
    /// `error` with the message and its queue named, if it says that the body is not JSON.
    #[cold]
    fn not_json(&self, json: &Bound<'_, PyModule>, error: &PyErr) -> PyResult<PyErr> {
        let (py, class) = (json.py(), json.getattr("JSONDecodeError")?);
        if !error.is_instance(py, &class) {
            return Ok(error.clone_ref(py));
        }
        let (value, queue) = (error.value(py), &self.handle.queue.name().name);
        let (id, why) = (self.message_id(), value.getattr("msg")?);
        let text = format!("the body of message {id} of queue {queue:?} is not JSON: {why}");
        let named = class.run((text, value.getattr("doc")?, value.getattr("pos")?))?;
        Ok(PyErr::from_value(named))
    }
}

/// The body as Python's bytes; a large one that has no memory is an exception, not a panic.
#[inline]
fn bytes_of<'py>(py: Python<'py>, body: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    const LARGE_BYTES_MIN: usize = 1 << 20;
    if body.len() < LARGE_BYTES_MIN {
        return Ok(PyBytes::new(py, body));
    }
    PyBytes::new_with(py, body.len(), |bytes| {
        bytes.copy_from_slice(body);
        Ok(())
    })
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
            received_before: delivery.receive_count - delivery.receipt.delivery,
        }))
    }
}

#[pymethods]
impl PeekedMessage {
    /// The body as it was sent.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.body.bind(py).clone()
    }

    /// The body as text; a body that is not UTF-8 raises UnicodeDecodeError.
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let text = self.body.bind(py).run_method("decode", ("utf-8",))?;
        Ok(text.cast_into()?)
    }

    /// The body parsed as JSON; one that is not JSON raises json.JSONDecodeError.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = py.import("json")?;
        json.run_method("loads", (self.body.bind(py),))
            .map_err(|error| self.not_json(&json, &error).unwrap_or_else(|other| other))
    }

    /// The message's id, the same in every delivery.
    #[getter]
    fn message_id(&self) -> String {
        let here = (self.receipt.queue, self.receipt.seq);
        let (queue, seq) = self.extra.as_ref().map_or(here, |extra| extra.origin);
        self.handle.key.message_id(queue, seq).to_string()
    }

    /// Which delivery of the message this is, counted from one. Deliveries by the queues that the
    /// message came from as a dead letter are counted too.
    #[getter]
    fn receive_count(&self) -> u32 {
        self.receipt.delivery + self.extra.as_ref().map_or(0, |extra| extra.received_before)
    }

    /// When the message was sent, in seconds since the epoch.
    #[getter]
    fn sent_at(&self) -> f64 {
        self.sent as f64 / 1_000.0
    }

    /// When the message was received for the first time, in seconds since the epoch.
    #[getter]
    fn first_received_at(&self) -> Option<f64> {
        (self.first_received > 0).then(|| self.first_received as f64 / 1_000.0)
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
        crate::queue::attributes::to_dict(py, block)
    }

    /// What traces the message, as AWS X-Ray writes it (`AWSTraceHeader`): of the event that a
    /// rule made it of, or as its sender gave it over the wire.
    #[getter]
    fn trace_header(&self) -> PyResult<Option<String>> {
        let Some(extra) = self.extra.as_ref() else {
            return Ok(None);
        };
        trunkline_engine::attributes::trace_header(&extra.attributes).map_err(crate::error::raise)
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

    /// The values by name, to be logged or written as JSON: a body that is not UTF-8 is in
    /// ``body_base64``, and what the message does not have is left out.
    ///
    /// >>> import trunkline
    /// >>> queue = trunkline.open().queue("orders")
    /// >>> sent = queue.send("one coffee", attributes={"table": 4})
    /// >>> told = queue.peek()[0].as_dict()
    /// >>> told["body"], told["attributes"], told["receive_count"]
    /// ('one coffee', {'table': 4}, 0)
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("trunkline.queues.rows")?.run_method("message_row", (slf,))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        Ok(format!(
            "<{} {} of queue {:?}, delivery {}>",
            slf.get_type().name()?,
            this.message_id(),
            this.handle.queue.name().name,
            this.receive_count()
        ))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PeekedMessage>()
}
