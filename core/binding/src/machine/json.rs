//! JSON values as Python objects, and back, without their text.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};
use trunkline_engine::states::{Members, Number, Value};

use crate::python_call::PythonCall as _;

/// Deeper objects take the way through their text, which knows what is too deep.
const DEPTH_MAX: usize = 128;

/// What `json.loads` gives for the text of a value.
pub(super) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Number(Number::Int(number)) => number.into_pyobject(py)?.into_any(),
        Value::Number(Number::Float(number)) => PyFloat::new(py, *number).into_any(),
        Value::Number(Number::Big(digits)) => py.get_type::<PyInt>().run((&**digits,))?,
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items.iter() {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (name, value) in members.iter() {
                dict.set_item(&**name, to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// The value of an object of the types that `json.loads` gives. `None`: it has others in it, or is
/// too deep, and `json.dumps` has to say what becomes of it.
pub(super) fn from_python(object: &Bound<'_, PyAny>) -> Option<Value> {
    convert(object, 0)
}

fn convert(object: &Bound<'_, PyAny>, depth: usize) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    if let Ok(text) = object.cast_exact::<PyString>() {
        return Some(Value::String(shared(text)?));
    }
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        let mut members = Members::with_capacity(dict.len());
        for (name, value) in dict.iter() {
            let name = name.cast_exact::<PyString>().ok().and_then(shared)?;
            members.insert(name, convert(&value, depth + 1)?);
        }
        return Some(Value::Object(Arc::new(members)));
    }
    if let Ok(number) = object.cast_exact::<PyInt>() {
        return number.extract().ok().map(|number| Value::Number(Number::Int(number)));
    }
    if let Ok(flag) = object.cast_exact::<PyBool>() {
        return Some(Value::Bool(flag.is_true()));
    }
    if object.cast_exact::<PyNone>().is_ok() {
        return Some(Value::Null);
    }
    if let Ok(number) = object.cast_exact::<PyFloat>() {
        let number = number.value();
        return number.is_finite().then_some(Value::Number(Number::Float(number)));
    }
    if let Ok(list) = object.cast_exact::<PyList>() {
        let items = list.iter().map(|item| convert(&item, depth + 1));
        return Some(Value::array(items.collect::<Option<_>>()?));
    }
    let items = object.cast_exact::<PyTuple>().ok()?;
    let items = items.iter().map(|item| convert(&item, depth + 1));
    Some(Value::array(items.collect::<Option<_>>()?))
}

/// The text of a string; `None` where it has half of a surrogate pair.
fn shared(text: &Bound<'_, PyString>) -> Option<Arc<str>> {
    text.to_cow().ok().map(|text| Arc::from(&*text))
}
