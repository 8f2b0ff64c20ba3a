//! How a stream stands, as frozen values.

use crate::report::as_dict;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine as engine;

/// How a stream stands.
///
/// >>> import trunkline
/// >>> stream = trunkline.open().stream("clicks", shards=2)
/// >>> put = stream.put("home", key="user-1")
/// >>> counted = stream.statistics()
/// >>> counted.records, counted.open_shards, counted.closed_shards, counted.readers
/// (1, 2, 0, {})
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct StreamStatistics(pub engine::StreamStatistics);

#[pymethods]
impl StreamStatistics {
    /// Records that are kept. Old ones count until their file is removed.
    #[getter]
    fn records(&self) -> u64 {
        self.0.shards.iter().map(|shard| shard.records).sum()
    }

    /// Shards that take records.
    #[getter]
    fn open_shards(&self) -> usize {
        self.0.shards.iter().filter(|shard| shard.is_open).count()
    }

    /// Shards that were split or merged and can still be read.
    #[getter]
    fn closed_shards(&self) -> usize {
        self.0.shards.len() - self.open_shards()
    }

    /// Seconds that records are kept.
    #[getter]
    fn retention(&self) -> f64 {
        self.0.retention as f64 / 1_000.0
    }

    /// The readers by name: how many records each has not committed.
    #[getter]
    fn readers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for reader in &self.0.readers {
            dict.set_item(&reader.name, reader.behind)?;
        }
        Ok(dict)
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("records", self.records())?;
        dict.set_item("open_shards", self.open_shards())?;
        dict.set_item("closed_shards", self.closed_shards())?;
        dict.set_item("retention", self.retention())?;
        dict.set_item("readers", self.readers(py)?)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let (records, open) = (self.records(), self.open_shards());
        format!("<StreamStatistics: {records} records, {open} open shards>")
    }
}

/// A shard of a stream; :meth:`Stream.shards` returns them.
///
/// >>> import trunkline
/// >>> stream = trunkline.open().stream("clicks")
/// >>> children = stream.split("shardId-000000000000")
/// >>> [(shard.id, shard.open, shard.parents) for shard in stream.shards()][1]
/// ('shardId-000000000001', True, ('shardId-000000000000',))
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct Shard(pub engine::Shard);

#[pymethods]
impl Shard {
    /// Its id.
    #[getter]
    fn id(&self) -> String {
        self.0.id.to_string()
    }

    /// Whether it takes records.
    #[getter]
    fn open(&self) -> bool {
        self.0.is_open()
    }

    /// The first and the last hash key of the records it takes, or took.
    #[getter]
    fn hash_keys(&self) -> (u128, u128) {
        (self.0.range.start.0, self.0.range.end.0)
    }

    /// The shards that were split or merged into it: none, one, or two.
    #[getter]
    fn parents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let parents: Vec<_> = self.0.parents().map(|parent| parent.to_string()).collect();
        Ok(pyo3::types::PyTuple::new(py, parents)?.into_any())
    }

    /// The values by name, to be logged or written as JSON.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["id", "open", "hash_keys", "parents"])
    }

    fn __repr__(&self) -> String {
        let state = if self.open() { "open" } else { "closed" };
        format!("<Shard {}, {state}>", self.0.id)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StreamStatistics>()?;
    module.add_class::<Shard>()
}
