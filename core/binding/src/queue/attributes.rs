//! Message attributes between their block and Python values.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use trunkline_engine::attributes::{Attribute, decode, encode};

use crate::error::raise;
use crate::python_call::PythonCall as _;

/// The user's attributes in `block`: text for `String`, a number for `Number`, bytes for `Binary`;
/// a type with a custom suffix keeps its name, as `(type, value)`.
pub(crate) fn to_dict<'py>(py: Python<'py>, block: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for attribute in decode(block).map_err(raise)? {
        if attribute.system {
            continue;
        }
        dict.set_item(&attribute.name, value(py, &attribute)?)?;
    }
    Ok(dict)
}

/// The block for `(name, type, value)` triples.
#[pyfunction]
fn encode_attributes<'py>(
    py: Python<'py>,
    attributes: Vec<(String, String, Vec<u8>)>,
) -> Bound<'py, PyBytes> {
    let user = |(name, data_type, value)| Attribute { name, data_type, value, system: false };
    PyBytes::new(py, &encode(&attributes.into_iter().map(user).collect::<Vec<_>>()))
}

fn value<'py>(py: Python<'py>, attribute: &Attribute) -> PyResult<Bound<'py, PyAny>> {
    let kind = attribute.data_type.as_str();
    let plain = match kind.split('.').next() {
        Some("Binary") => PyBytes::new(py, &attribute.value).into_any(),
        Some("Number") if kind == "Number" => return number(py, &attribute.value),
        _ => PyString::new(py, &String::from_utf8_lossy(&attribute.value)).into_any(),
    };
    match kind {
        "Binary" | "String" => Ok(plain),
        _ => Ok((kind, plain).into_pyobject(py)?.into_any()),
    }
}

/// The number as an int if it is written as one, else as the float nearest to it.
fn number<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let text = String::from_utf8_lossy(text);
    let builtins = py.import("builtins")?;
    if let Ok(whole) = builtins.getattr("int")?.run((text.as_ref(),)) {
        return Ok(whole);
    }
    builtins.getattr("float")?.run((text.as_ref(),))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(encode_attributes, module)?)
}
