//! Conversion of the matcher's errors to Python exceptions.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use trunkline_pattern::{InvalidEvent, InvalidPattern};

use crate::python_call::PythonCall as _;

/// The exception for an invalid pattern.
#[cold]
pub(super) fn invalid_pattern(py: Python<'_>, error: &InvalidPattern) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // AWS counts from one; zero means that AWS reports no position.
    let position = |number: u32| (number > 0).then_some(number);
    let parts =
        (error.code, error.message(), &error.reason, position(error.line), position(error.column));
    let made =
        MAKE.import(py, "trunkline.errors", "invalid_pattern").and_then(|make| make.run(parts));
    made.map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for an invalid event.
#[cold]
pub(super) fn invalid_event(py: Python<'_>, error: &InvalidEvent) -> PyErr {
    refused(py, error.to_string(), error.offset)
}

/// The exception for an invalid event, with this message.
#[cold]
pub(super) fn refused(py: Python<'_>, message: String, offset: usize) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = MAKE
        .import(py, "trunkline.errors", "invalid_event")
        .and_then(|make| make.run((message, offset)));
    made.map_or_else(|failure| failure, PyErr::from_value)
}
