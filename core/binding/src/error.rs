//! The one place where an engine's error becomes a Python exception.
//!
//! The classes are Python's (`trunkline.errors`); a code finds its class there, on the cold path.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use trunkline_types::{Code, Error};

use crate::python_call::PythonCall as _;

pyo3::create_exception!(
    trunkline._core,
    NotAdmitted,
    pyo3::exceptions::PyException,
    "A verb was begun that faults or back-pressure hold up: admit it first."
);

/// The exception for `error`.
#[cold]
pub(crate) fn raise(error: Error) -> PyErr {
    Python::attach(|py| match exception(py, error.code().name(), error.message()) {
        Ok(exception) => PyErr::from_value(exception),
        Err(failure) => failure,
    })
}

/// An `InvalidParameterValue` that names the field, the problem and the remedy.
#[cold]
pub(crate) fn invalid(message: String) -> PyErr {
    raise(Error::new(Code::InvalidParameterValue, message))
}

/// Runs `verb`; a panic, which is always a mistake of ours, ends here as an `InternalError`.
#[inline]
pub(crate) fn guard<T>(verb: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    // The engine applies whole records, so its state is consistent wherever a panic comes from.
    catch_unwind(AssertUnwindSafe(verb)).unwrap_or_else(|panic| Err(internal(panic.as_ref())))
}

#[cold]
fn internal(panic: &(dyn std::any::Any + Send)) -> PyErr {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = format!("{}; please report this.", said.unwrap_or("The engine panicked"));
    raise(Error::new(Code::InternalError, text))
}

fn exception<'py>(py: Python<'py>, code: &str, message: &str) -> PyResult<Bound<'py, PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MAKE.import(py, "trunkline.errors", "from_code")?.run((code, message))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("NotAdmitted", module.py().get_type::<NotAdmitted>())
}
