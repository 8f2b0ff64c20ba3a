//! Results as plain dicts, to be logged or written as JSON.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::python_call::PythonCall;

/// The attributes `names` of a result by name: a tuple becomes a list, and a result in it a dict.
pub(crate) fn as_dict<'py>(of: &Bound<'py, PyAny>, names: &[&str]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(of.py());
    for name in names {
        dict.set_item(name, plain(&of.getattr(*name)?)?)?;
    }
    Ok(dict)
}

fn plain<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(items) = value.cast::<PyTuple>() {
        let items = items.iter().map(|item| plain(&item)).collect::<PyResult<Vec<_>>>()?;
        return Ok(PyList::new(value.py(), items)?.into_any());
    }
    if value.hasattr("as_dict")? {
        return value.run_method("as_dict", ());
    }
    Ok(value.clone())
}
