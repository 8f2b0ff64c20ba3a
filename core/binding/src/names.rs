//! The engine's rules for names and ids, for Python.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use trunkline_types::{Limits, QueueKind};

use crate::error::raise;

/// Whether `name`, which must be a queue name, is a FIFO queue's.
#[pyfunction]
fn check_queue_name(name: &Bound<'_, PyAny>, field: &str, chars_max: u32) -> PyResult<bool> {
    let Ok(text) = name.cast::<PyString>() else {
        return Err(no_text("a queue name", name));
    };
    let limits = Limits { name_chars_max: chars_max, ..Limits::default() };
    // A text that is not even Unicode is refused as any other.
    let kind = trunkline_engine::check_queue_name(&text.to_string_lossy(), field, &limits);
    kind.map(|kind| kind == QueueKind::Fifo).map_err(raise)
}

/// Refuses what is no group, deduplication or attempt id.
#[pyfunction]
fn check_id(id: &Bound<'_, PyAny>, field: &str, chars_max: u32) -> PyResult<()> {
    let Ok(text) = id.cast::<PyString>() else { return Err(no_text(field, id)) };
    let limits = Limits { id_chars_max: chars_max, ..Limits::default() };
    trunkline_engine::check_id(&text.to_string_lossy(), field, &limits).map_err(raise)
}

fn no_text(what: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value.get_type();
    let kind = kind.name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{what} must be a str, not {kind}"))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(check_queue_name, module)?)?;
    module.add_function(wrap_pyfunction!(check_id, module)?)
}
