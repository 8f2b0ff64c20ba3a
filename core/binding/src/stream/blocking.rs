//! The verb of `trunkline.Stream` that a program calls for every record.
//!
//! A plain call takes one crossing and no frame of Python. A call with what needs Python's checks
//! goes on in the subclass, in `_put_with`.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use trunkline_engine::NewRecord;
use trunkline_engine::stream_operation as operation;

use crate::error::{guard, raise};
use crate::python_call::PythonCall as _;
use crate::stream::arguments::Data;
use crate::stream::handle::StreamHandle;
use crate::stream::record::PutResult;
use crate::stream::verbs::Stream;

/// The verb of `trunkline.Stream` that a program calls for every record.
#[pyclass(frozen, subclass, module = "trunkline._core")]
pub(crate) struct BlockingPut(Arc<StreamHandle>);

impl BlockingPut {
    #[inline]
    fn put_plain<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        data: &[u8],
    ) -> PyResult<Bound<'py, PutResult>> {
        guard(|| {
            let record = NewRecord { key, hash_key: None, data };
            crate::memory::check(data.len())?;
            let call = self.0.admit(py, operation::PUT)?;
            let put = self.0.stream.put_admitted(&call, &record).map_err(raise)?;
            self.0.acknowledge(py, put.ticket, self.0.level)?;
            self.0.result(py, &put)
        })
    }
}

#[pymethods]
impl BlockingPut {
    #[new]
    fn new(engine: &Bound<'_, PyAny>, core: &Bound<'_, Stream>) -> Self {
        // The subclass keeps the engine.
        let _ = engine;
        Self(core.get().0.clone())
    }

    /// Add a record; return once it is as durable as the engine promises.
    ///
    /// Records with the same `key` go to one shard and stay in order. `hash_key`, from 0 to
    /// 2**128 - 1, takes the place of the key's hash. `durability` lowers the engine's level for
    /// this call.
    ///
    /// Raises InvalidParameterValue, ResourceNotFound if the stream was removed, EngineClosed.
    ///
    /// >>> import trunkline
    /// >>> trunkline.open().stream("clicks").put("home", key="user-1").shard
    /// 'shardId-000000000000'
    #[pyo3(signature = (data, *, key, hash_key=None, durability=None))]
    fn put<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
        key: &Bound<'py, PyAny>,
        hash_key: Option<&Bound<'py, PyAny>>,
        durability: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let (Ok(text), None, None) = (key.cast::<PyString>(), hash_key, durability)
            && let Ok(text) = text.to_str()
        {
            let data: Data<'_> = data.as_borrowed().extract()?;
            return slf.get().put_plain(slf.py(), text, &data.0.0).map(Bound::into_any);
        }
        slf.run_method(intern!(slf.py(), "_put_with"), (data, key, hash_key, durability))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BlockingPut>()
}
