//! The records of one read: a sequence of Python, and a table of Arrow.

use std::sync::Arc;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PySlice};
use trunkline_arrow::Table;
use trunkline_engine::Taken;
use trunkline_types::{Code, Error};

use crate::error::{guard, raise};
use crate::stream::columns::Columns;
use crate::stream::record::Record;

/// Records that were read together: a sequence, and a table for whatever reads Arrow.
///
/// ``pyarrow.table(batch)``, ``polars.DataFrame(batch)`` and DuckDB take it through
/// ``__arrow_c_stream__``, with the columns sequence, timestamp, key, data and shard. Keys,
/// times and data are laid out once, when the first table is asked for.
///
/// >>> import trunkline
/// >>> stream = trunkline.open().stream("clicks")
/// >>> put = stream.put_batch([("user-1", "home"), ("user-2", "cart")])
/// >>> batch = stream.read()
/// >>> len(batch), [record.text() for record in batch], batch[-1].key
/// (2, ['home', 'cart'], 'user-2')
#[pyclass(frozen, sequence, module = "trunkline")]
pub(crate) struct RecordBatch {
    columns: Arc<Columns>,
    /// What a member of a reader took with it, and the number of the member.
    taken: Vec<Taken>,
    member: Option<u64>,
}

impl RecordBatch {
    pub fn new(columns: Columns) -> Self {
        Self { columns: Arc::new(columns), taken: Vec::new(), member: None }
    }

    /// A batch that the member `member` commits.
    pub fn of_member(columns: Columns, taken: Vec<Taken>, member: u64) -> Self {
        Self { columns: Arc::new(columns), taken, member: Some(member) }
    }

    /// What the member took with the batch; `None` if another one did.
    pub fn taken_by(&self, member: u64) -> Option<&[Taken]> {
        (self.member == Some(member)).then_some(&*self.taken)
    }

    fn record(&self, py: Python<'_>, index: usize) -> PyResult<Record> {
        Record::new(py, &self.columns.row(index))
    }
}

#[pymethods]
impl RecordBatch {
    fn __len__(&self) -> usize {
        self.columns.len()
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let length = self.columns.len();
        if let Ok(slice) = index.cast::<PySlice>() {
            let indices = slice.indices(length as isize)?;
            let list = PyList::empty(py);
            for step in 0..indices.slicelength as isize {
                let at = indices.start + step * indices.step;
                list.append(self.record(py, at as usize)?)?;
            }
            return Ok(list.into_any());
        }
        let index: isize = index.extract()?;
        let at = if index < 0 { index + length as isize } else { index };
        if at < 0 || at >= length as isize {
            return Err(PyIndexError::new_err("the batch has no record of this index"));
        }
        Ok(self.record(py, at as usize)?.into_pyobject(py)?.into_any())
    }

    fn __iter__(slf: Bound<'_, Self>) -> RecordIterator {
        RecordIterator { columns: slf.get().columns.clone(), next: 0 }
    }

    /// The table, for whatever reads Arrow. The types are fixed: a requested schema is ignored, as
    /// the protocol allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ignored = requested_schema;
        guard(|| {
            let table = self.columns.table().ok_or_else(|| {
                raise(Error::new(Code::InternalError, "The columns of a batch do not fit."))
            })?;
            PyCapsule::new_with_value(py, table.into_stream(), c"arrow_array_stream")
        })
    }

    /// Columns of the records, then members of their data, as a table of Arrow; None if some of the
    /// data is no JSON object, or a member has more than one type or is no plain value.
    fn _members(
        &self,
        py: Python<'_>,
        record: Vec<String>,
        members: Vec<String>,
    ) -> PyResult<Option<ArrowTable>> {
        // A batch takes milliseconds: other threads go on meanwhile.
        guard(|| Ok(py.detach(|| self.columns.members(&record, members)).map(ArrowTable)))
    }

    /// The last sequence number of each shard.
    fn _ends(&self) -> Vec<(String, String)> {
        let ends = self.columns.ends().into_iter();
        ends.map(|end| (end.shard.to_string(), end.to_string())).collect()
    }

    fn __repr__(&self) -> String {
        format!("<RecordBatch: {} records>", self.columns.len())
    }
}

/// A table for whatever reads Arrow.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ArrowTable(Table);

#[pymethods]
impl ArrowTable {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ignored = requested_schema;
        PyCapsule::new_with_value(py, self.0.clone().into_stream(), c"arrow_array_stream")
    }
}

/// Goes through the records of a batch.
#[pyclass(module = "trunkline._core")]
pub(crate) struct RecordIterator {
    columns: Arc<Columns>,
    next: usize,
}

#[pymethods]
impl RecordIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Record>> {
        if self.next == self.columns.len() {
            return Ok(None);
        }
        self.next += 1;
        Record::new(py, &self.columns.row(self.next - 1)).map(Some)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RecordBatch>()?;
    module.add_class::<ArrowTable>()?;
    module.add_class::<RecordIterator>()
}
