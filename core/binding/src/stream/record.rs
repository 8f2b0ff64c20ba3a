//! A record that was read, and where one was put, as frozen values.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use trunkline_engine::{PutRecord, SequenceNumber, ShardId};

use crate::gil_cell::GilCell;
use crate::python_call::PythonCall as _;
use crate::report::as_dict;
use crate::spare::Refill;
use crate::stream::columns::Row;

/// A record of a stream; :meth:`Stream.read` and :meth:`Reader.batches` return them.
///
/// >>> import trunkline
/// >>> stream = trunkline.open().stream("clicks")
/// >>> put = stream.put('{"page": "home"}', key="user-1")
/// >>> (record,) = stream.read()
/// >>> record.key, record.json()["page"], record.sequence == put.sequence
/// ('user-1', 'home', True)
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct Record {
    data: Py<PyBytes>,
    key: Py<PyString>,
    sequence: SequenceNumber,
    time: i64,
}

impl Record {
    pub fn new(py: Python<'_>, row: &Row<'_>) -> PyResult<Self> {
        Ok(Self {
            data: PyBytes::new(py, row.data).unbind(),
            key: PyString::from_bytes(py, row.key)?.unbind(),
            sequence: row.sequence,
            time: row.time,
        })
    }
}

#[pymethods]
impl Record {
    /// The data, as bytes.
    #[getter]
    fn data(&self, py: Python<'_>) -> Py<PyBytes> {
        self.data.clone_ref(py)
    }

    /// The partition key.
    #[getter]
    fn key(&self, py: Python<'_>) -> Py<PyString> {
        self.key.clone_ref(py)
    }

    /// The place of the record in its shard: digits that grow from record to record.
    #[getter]
    fn sequence(&self) -> String {
        self.sequence.to_string()
    }

    /// The shard that the record is in.
    #[getter]
    fn shard(&self) -> String {
        self.sequence.shard.to_string()
    }

    /// When the record was put, in seconds since the epoch.
    #[getter]
    fn timestamp(&self) -> f64 {
        self.time as f64 / 1_000.0
    }

    /// The data as text; raises UnicodeDecodeError if it is not UTF-8.
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.data.bind(py).run_method("decode", ("utf-8",))
    }

    /// The data read as JSON.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.run_method("loads", (self.data.bind(py),))
    }

    /// The values by name, to be logged or written as JSON: data that is not UTF-8 is in
    /// ``data_base64``.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("trunkline.queues.rows")?.run_method("record_row", (slf,))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let size = self.data.bind(py).as_bytes().len();
        let key = self.key.bind(py).repr()?;
        Ok(format!("<Record of {key} in {}, {size} bytes>", self.sequence.shard))
    }
}

/// Where a record was put; :meth:`Stream.put` returns it.
///
/// >>> import trunkline
/// >>> put = trunkline.open().stream("clicks").put("home", key="user-1")
/// >>> put.shard, len(put.sequence)
/// ('shardId-000000000000', 56)
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct PutResult(GilCell<Place>);

/// What a [`PutResult`] tells.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    shard: ShardId,
    sequence: SequenceNumber,
}

impl Place {
    #[inline]
    pub fn of(put: &PutRecord) -> Self {
        Self { shard: put.shard, sequence: put.sequence }
    }
}

impl PutResult {
    pub fn new(put: &PutRecord) -> Self {
        Self::of(Place::of(put))
    }
}

impl Refill for PutResult {
    type Value = Place;

    fn of(place: Place) -> Self {
        Self(GilCell::new(place))
    }

    #[inline]
    fn cell(&self) -> &GilCell<Place> {
        &self.0
    }
}

#[pymethods]
impl PutResult {
    /// The shard that the record is in.
    #[getter]
    fn shard(&self, py: Python<'_>) -> String {
        self.0.get(py).shard.to_string()
    }

    /// The place of the record in its shard: digits that grow from record to record.
    #[getter]
    fn sequence(&self, py: Python<'_>) -> String {
        self.0.get(py).sequence.to_string()
    }

    /// The values by name.
    fn as_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(slf.as_any(), &["shard", "sequence"])
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let Place { shard, sequence } = self.0.get(py);
        format!("<PutResult {sequence} in {shard}>")
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Record>()?;
    module.add_class::<PutResult>()
}
