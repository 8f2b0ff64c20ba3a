//! The result of a send.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::{Sent, sequence_number};
use trunkline_types::IdKey;

use crate::gil_cell::GilCell;
use crate::report::as_dict;
use crate::spare::Refill;

/// A message that was accepted.
///
/// >>> import trunkline
/// >>> sent = trunkline.open().queue("orders.fifo").send("a", group="g", dedup_id="1")
/// >>> len(sent.message_id), len(sent.sequence_number), sent.duplicate
/// (36, 20, False)
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct SendResult(GilCell<Accepted>);

/// What a [`SendResult`] tells.
#[derive(Clone, Copy)]
pub(crate) struct Accepted {
    pub sent: Sent,
    pub key: IdKey,
    pub fifo: bool,
    pub index: u32,
}

impl Accepted {
    pub fn message_id(&self) -> String {
        self.sent.message_id(self.key).to_string()
    }

    pub fn sequence_number(&self) -> Option<String> {
        self.fifo.then(|| sequence_number(self.sent.seq))
    }
}

impl SendResult {
    #[inline]
    pub fn new(accepted: Accepted) -> Self {
        Self(GilCell::new(accepted))
    }
}

impl Refill for SendResult {
    type Value = Accepted;

    fn of(accepted: Accepted) -> Self {
        Self::new(accepted)
    }

    #[inline]
    fn cell(&self) -> &GilCell<Accepted> {
        &self.0
    }
}

#[pymethods]
impl SendResult {
    /// The message's id; that of the first message, if this one is a duplicate.
    #[getter]
    fn message_id(&self, py: Python<'_>) -> String {
        self.0.get(py).message_id()
    }

    /// FIFO: 20 digits that grow in order of sending; None on a standard queue.
    #[getter]
    fn sequence_number(&self, py: Python<'_>) -> Option<String> {
        self.0.get(py).sequence_number()
    }

    /// Whether an earlier message stands for this one, so that nothing was added.
    #[getter]
    fn duplicate(&self, py: Python<'_>) -> bool {
        self.0.get(py).sent.duplicate
    }

    /// The place in the batch; 0 for a single send.
    #[getter]
    fn index(&self, py: Python<'_>) -> u32 {
        self.0.get(py).index
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["message_id", "sequence_number", "duplicate", "index"])
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let accepted = self.0.get(py);
        match accepted.sequence_number() {
            Some(number) => format!("<SendResult {}, number {number}>", accepted.message_id()),
            None => format!("<SendResult {}>", accepted.message_id()),
        }
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SendResult>()
}
