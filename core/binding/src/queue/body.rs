//! What Python may pass as a body.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};
use trunkline_types::{Code, Error};

use crate::error::raise;
use crate::python_call::PythonCall as _;

/// A body: `bytes` and `str` are borrowed, a `bytearray` or a `memoryview` is copied.
pub(crate) struct Body<'a>(pub Cow<'a, [u8]>);

impl<'a, 'py> FromPyObject<'a, 'py> for Body<'a> {
    type Error = PyErr;

    #[inline]
    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyBytes>() {
            return Ok(Self(Cow::Borrowed(value.extract::<&'a [u8]>()?)));
        }
        if value.is_instance_of::<PyString>() {
            let text = value.extract::<&'a str>().map_err(surrogate)?;
            return Ok(Self(Cow::Borrowed(text.as_bytes())));
        }
        Self::copied(value)
    }
}

impl Body<'_> {
    fn copied(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(array) = value.cast::<PyByteArray>() {
            crate::memory::check(array.len())?;
            return Ok(Self(Cow::Owned(array.to_vec())));
        }
        let py = value.py();
        if value.is_instance(&py.import("builtins")?.getattr("memoryview")?)? {
            let bytes = value.run_method("tobytes", ())?;
            let bytes = bytes.cast::<PyBytes>()?.as_bytes();
            crate::memory::check(bytes.len())?;
            return Ok(Self(Cow::Owned(bytes.to_vec())));
        }
        let kind = value.get_type().name()?;
        Err(PyTypeError::new_err(format!(
            "body must be bytes, str, bytearray or memoryview, not {kind}; serialise other values \
             first, for example with json.dumps()"
        )))
    }
}

#[cold]
fn surrogate(_: PyErr) -> PyErr {
    raise(Error::new(
        Code::InvalidMessageContents,
        "The body holds a lone surrogate, which no encoding can carry; send bytes instead.",
    ))
}
