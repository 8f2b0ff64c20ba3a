//! What became of messages that were published: frozen values.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use trunkline_engine::{Publication, sequence_number};

use crate::outcomes::Outcomes;
use crate::report::as_dict;

/// A message that a topic has accepted.
///
/// >>> import trunkline
/// >>> engine = trunkline.open()
/// >>> topic = engine.topic("orders")
/// >>> subscription = topic.subscribe(engine.queue("kitchen"))
/// >>> published = topic.publish("one coffee")
/// >>> len(published.message_id), published.matched, published.delivered
/// (36, 1, 1)
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct PublishResult {
    publication: Publication,
    index: u32,
}

impl PublishResult {
    pub fn new(publication: Publication, index: u32) -> Self {
        Self { publication, index }
    }
}

#[pymethods]
impl PublishResult {
    /// The message's id.
    #[getter]
    fn message_id(&self) -> String {
        self.publication.message_id.to_string()
    }

    /// FIFO: its number, 20 digits; None in a standard topic.
    #[getter]
    fn sequence_number(&self) -> Option<String> {
        self.publication.seq.map(sequence_number)
    }

    /// How many subscriptions it is for.
    #[getter]
    fn matched(&self) -> usize {
        self.publication.matched
    }

    /// How many targets have accepted it.
    #[getter]
    fn delivered(&self) -> usize {
        self.publication.delivered
    }

    /// FIFO: whether an earlier message stands for it, so that it was not delivered again.
    #[getter]
    fn duplicate(&self) -> bool {
        self.publication.duplicate
    }

    /// The place in the batch; 0 for a single message.
    #[getter]
    fn index(&self) -> u32 {
        self.index
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(
            slf.as_any(),
            &["message_id", "sequence_number", "matched", "delivered", "duplicate", "index"],
        )
    }

    fn __repr__(&self) -> String {
        let Publication { message_id, matched, .. } = self.publication;
        format!("<PublishResult {message_id}: {matched} subscriptions matched>")
    }
}

/// What became of the messages of a batch.
///
/// >>> import trunkline
/// >>> result = trunkline.open().topic("orders").publish_batch(["one coffee", ""])
/// >>> len(result.successful), result.failed[0].code
/// (1, 'InvalidParameterValue')
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct PublishBatchResult(pub Outcomes);

#[pymethods]
impl PublishBatchResult {
    /// A :class:`PublishResult` for each message that was accepted.
    #[getter]
    fn successful<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.0.successful(py)
    }

    /// A :class:`BatchFailure` for each message that was refused.
    #[getter]
    fn failed<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.0.failed(py)
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["successful", "failed"])
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        self.0.repr(py, "PublishBatchResult")
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PublishResult>()?;
    module.add_class::<PublishBatchResult>()
}
