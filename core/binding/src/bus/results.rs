//! What became of events that were put: frozen values.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use trunkline_engine::PutOutcome;

use crate::outcomes::Outcomes;
use crate::report::as_dict;

/// An event that a bus has accepted.
///
/// >>> import trunkline
/// >>> engine = trunkline.open()
/// >>> rule = engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
/// >>> put = engine.bus().put({"source": "shop", "detail-type": "Paid", "detail": {"n": 1}})
/// >>> len(put.event_id), put.matched, put.delivered, put.failed
/// (36, 1, 1, 0)
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct PutEventResult {
    outcome: PutOutcome,
    index: u32,
}

impl PutEventResult {
    pub fn new(outcome: PutOutcome, index: u32) -> Self {
        Self { outcome, index }
    }
}

#[pymethods]
impl PutEventResult {
    /// The event's id.
    #[getter]
    fn event_id(&self) -> &str {
        &self.outcome.id
    }

    /// How many rules matched, those of buses behind this one included.
    #[getter]
    fn matched(&self) -> u32 {
        self.outcome.matched
    }

    /// How many targets have accepted the event.
    #[getter]
    fn delivered(&self) -> u32 {
        self.outcome.delivered
    }

    /// How many targets have not: their events are dead letters, or counted as failed.
    #[getter]
    fn failed(&self) -> u32 {
        self.outcome.failed
    }

    /// The place in the batch; 0 for a single event.
    #[getter]
    fn index(&self) -> u32 {
        self.index
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["event_id", "matched", "delivered", "failed", "index"])
    }

    fn __repr__(&self) -> String {
        format!("<PutEventResult {}: {} rules matched>", self.outcome.id, self.outcome.matched)
    }
}

/// What became of the events of a batch.
///
/// >>> import trunkline
/// >>> result = trunkline.open().bus().put_batch([{"source": "shop"}])
/// >>> result.successful, result.failed[0].code
/// ((), 'InvalidParameterValue')
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct PutEventsResult(pub Outcomes);

#[pymethods]
impl PutEventsResult {
    /// A :class:`PutEventResult` for each event that was accepted.
    #[getter]
    fn successful<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.0.successful(py)
    }

    /// A :class:`BatchFailure` for each event that was refused.
    #[getter]
    fn failed<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.0.failed(py)
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["successful", "failed"])
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        self.0.repr(py, "PutEventsResult")
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PutEventResult>()?;
    module.add_class::<PutEventsResult>()
}
