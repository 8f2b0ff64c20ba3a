//! Inputs and outputs of the control plane: structures are dicts, blobs bytes, times floats.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyTzInfo,
};
use trunkline_wire::Value;

use crate::python_call::PythonCall as _;

/// Deepest nesting of an output. Inputs are bounded where they are parsed.
const DEPTH_MAX: usize = 64;

/// What a time becomes in Python.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Times {
    /// Seconds since 1970, as operations take them.
    Seconds,
    /// A `datetime` in UTC, as clients of AWS get them.
    Datetimes,
}

pub(super) fn to_python<'py>(
    py: Python<'py>,
    value: &Value,
    times: Times,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Time(moment) if times == Times::Datetimes => {
            PyDateTime::from_timestamp(py, *moment, Some(&PyTzInfo::utc(py)?.to_owned()))?
                .into_any()
        }
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) | Value::Time(number) => PyFloat::new(py, *number).into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Blob(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item, times)?)?;
            }
            list.into_any()
        }
        Value::Map(entries) => {
            let dict = PyDict::new(py);
            for (key, value) in entries {
                dict.set_item(key, to_python(py, value, times)?)?;
            }
            dict.into_any()
        }
    })
}

pub(super) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    convert(value, 0)
}

fn convert(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth > DEPTH_MAX {
        return Err(PyTypeError::new_err("a value of an operation is nested too deeply"));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::Text(text.to_str()?.to_owned()));
    }
    // A bool is an int as well, so it comes first.
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return value.extract().map(Value::Int);
    }
    if value.is_instance_of::<PyFloat>() {
        return value.extract().map(Value::Float);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Value::Blob(bytes.as_bytes().to_vec()));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let mut entries = Vec::with_capacity(dict.len());
        for (key, value) in dict.iter() {
            entries.push((key.extract()?, convert(&value, depth + 1)?));
        }
        return Ok(Value::Map(entries));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let mut items = Vec::with_capacity(value.len()?);
        for item in value.try_iter()? {
            items.push(convert(&item?, depth + 1)?);
        }
        return Ok(Value::List(items));
    }
    // A datetime tells its moment itself.
    if let Ok(seconds) = value.run_method("timestamp", ()) {
        return seconds.extract().map(Value::Time);
    }
    let name = value.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "a value of an operation is of the type {name}, which no protocol carries"
    )))
}
