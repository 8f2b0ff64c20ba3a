//! How a queue stands, as a frozen value.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::Statistics as Counts;

/// How a queue stands.
///
/// >>> import trunkline
/// >>> queue = trunkline.open().queue("orders")
/// >>> sent = queue.send_batch(["one", "two"])
/// >>> lease = queue.receive()
/// >>> counted = queue.statistics()
/// >>> counted.visible, counted.in_flight, counted.delayed, counted.total
/// (1, 1, 0, 2)
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct QueueStatistics(pub Counts);

#[pymethods]
impl QueueStatistics {
    /// Messages that a receive may deliver; FIFO: also those that wait behind their group.
    #[getter]
    fn visible(&self) -> u64 {
        self.0.visible
    }

    /// Messages that are leased.
    #[getter]
    fn in_flight(&self) -> u64 {
        self.0.in_flight
    }

    /// Messages whose delay has not ended.
    #[getter]
    fn delayed(&self) -> u64 {
        self.0.delayed
    }

    /// All messages.
    #[getter]
    fn total(&self) -> u64 {
        self.0.visible + self.0.in_flight + self.0.delayed
    }

    /// Seconds since the oldest message was sent; None if there is none.
    #[getter]
    fn oldest_age(&self) -> Option<f64> {
        Some(self.0.at.saturating_sub(self.0.oldest_sent?) as f64 / 1_000.0)
    }

    /// FIFO: groups with a leased message.
    #[getter]
    fn groups_in_flight(&self) -> u64 {
        self.0.groups_in_flight
    }

    /// The values by name, to be logged or written as JSON.
    ///
    /// >>> import trunkline
    /// >>> trunkline.open().queue("orders").statistics().as_dict()["visible"]
    /// 0
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("visible", self.visible())?;
        dict.set_item("in_flight", self.in_flight())?;
        dict.set_item("delayed", self.delayed())?;
        dict.set_item("total", self.total())?;
        dict.set_item("oldest_age", self.oldest_age())?;
        dict.set_item("groups_in_flight", self.groups_in_flight())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let Counts { visible, in_flight, delayed, .. } = self.0;
        format!("<QueueStatistics: {visible} visible, {in_flight} in flight, {delayed} delayed>")
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<QueueStatistics>()
}
