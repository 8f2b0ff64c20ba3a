//! Input from Python: the JSON text of a pattern or an event, and message attributes.

use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};
use trunkline_pattern::{Attribute, AttributeKind};

use crate::python_call::PythonCall as _;

/// What a text is, for error messages.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Event,
    Pattern,
}

/// Calls `read` with the JSON text of a value. `bytes` and `str` are not copied; a dict is
/// serialized.
#[inline]
pub(super) fn with_text<R>(
    value: &Bound<'_, PyAny>,
    role: Role,
    read: impl FnOnce(&[u8]) -> PyResult<R>,
) -> PyResult<R> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return read(bytes.as_bytes());
    }
    if let Ok(text) = value.cast::<PyString>() {
        return match text.to_str() {
            Ok(text) => read(text.as_bytes()),
            Err(_) => Err(surrogate(value.py(), role)),
        };
    }
    read(&written(value, role)?)
}

/// A copy of the JSON text, which can be read while the GIL is released.
pub(super) fn owned_text(value: &Bound<'_, PyAny>, role: Role) -> PyResult<Vec<u8>> {
    with_text(value, role, |text| Ok(text.to_vec()))
}

#[cold]
fn written(value: &Bound<'_, PyAny>, role: Role) -> PyResult<Vec<u8>> {
    static WRITE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    if let Ok(array) = value.cast::<PyByteArray>() {
        return Ok(array.to_vec());
    }
    if value.is_instance_of::<PyMemoryView>() {
        let bytes = value.run_method("tobytes", ())?;
        return Ok(bytes.cast::<PyBytes>()?.as_bytes().to_vec());
    }
    if value.is_instance_of::<PyDict>() {
        let text = WRITE.import(py, "trunkline.patterns", "_written")?.run((value,))?;
        return Ok(text.cast::<PyString>()?.to_str()?.as_bytes().to_vec());
    }
    let kind = value.get_type().name()?;
    Err(PyTypeError::new_err(match role {
        Role::Event => format!("an event must be bytes, str or dict, not {kind}"),
        Role::Pattern => format!("a pattern must be a Pattern, dict, str or bytes, not {kind}"),
    }))
}

#[cold]
fn surrogate(py: Python<'_>, role: Role) -> PyErr {
    let what = match role {
        Role::Event => "event",
        Role::Pattern => "pattern",
    };
    let message = format!(
        "The {what} is not valid: its text holds half of a pair of surrogates, which no encoding \
         can carry; write it as an escape (\\ud83d)."
    );
    match role {
        Role::Event => super::error::refused(py, message, 0),
        Role::Pattern => crate::error::invalid(message),
    }
}

/// Message attributes, owned for the duration of one match.
pub(super) struct Attributes(Vec<(String, AttributeKind, String)>);

impl Attributes {
    /// Converts a mapping of attributes; `trunkline.patterns.filter_policy` documents its form.
    pub fn of(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        static READ: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let read = READ.import(value.py(), "trunkline.patterns", "_attributes")?;
        let read = read.run((value,))?;
        let triples: Vec<(String, String, String)> =
            read.extract().map_err(|error| unfit(value.py(), error))?;
        let typed = |(name, kind, text): (String, String, String)| {
            let kind = kind_of(&name, &kind)?;
            Ok((name, kind, text))
        };
        triples.into_iter().map(typed).collect::<PyResult<_>>().map(Self)
    }

    pub fn borrowed(&self) -> Vec<Attribute<'_>> {
        let each = self.0.iter();
        each.map(|(name, kind, value)| Attribute { name, kind: *kind, value }).collect()
    }
}

/// The error for attributes that are not text or cannot be encoded as UTF-8.
#[cold]
fn unfit(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyUnicodeEncodeError>(py) {
        return crate::error::invalid(
            "A message attribute holds half of a pair of surrogates, which no encoding can carry."
                .to_owned(),
        );
    }
    error
}

fn kind_of(name: &str, kind: &str) -> PyResult<AttributeKind> {
    match kind.split('.').next() {
        Some("String") if kind == "String.Array" => Ok(AttributeKind::StringArray),
        Some("String") => Ok(AttributeKind::String),
        Some("Number") => Ok(AttributeKind::Number),
        Some("Binary") => Ok(AttributeKind::Binary),
        _ => Err(crate::error::invalid(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of \
             supported type prefixes is Binary, Number, and String."
        ))),
    }
}
