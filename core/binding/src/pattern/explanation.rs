//! `Explanation`: why an event matches or does not.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyTuple};
use trunkline_pattern::{Dialect, InvalidEvent};

use super::error::invalid_event;

/// Why an event matches or does not: the result of `Pattern.explain`. `str()` gives a sentence.
///
/// >>> from trunkline import patterns
/// >>> pattern = patterns.compile({"a": ["x"], "b": [{"prefix": "y"}]})
/// >>> why = pattern.explain({"a": "x", "b": "z"})
/// >>> print(why)
/// The field "b" is "z"; wanted {"prefix":"y"}.
/// >>> why.matched, why.path, why.found, why.wanted, why.reason
/// (False, 'b', ('"z"',), ('{"prefix":"y"}',), 'differs')
#[pyclass(frozen, module = "trunkline.patterns")]
pub(crate) struct Explanation {
    text: String,
    failure: Option<trunkline_pattern::Failure>,
    matched: bool,
}

impl Explanation {
    /// Converts the matcher's explanation. An event that SNS cannot parse matches no filter policy,
    /// and the explanation says so.
    pub fn of(
        py: Python<'_>,
        dialect: Dialect,
        explained: Result<trunkline_pattern::Explanation, InvalidEvent>,
    ) -> PyResult<Self> {
        match explained {
            Ok(why) => {
                let text = why.to_string();
                Ok(Self { text, matched: why.matched, failure: why.failure })
            }
            Err(error) if dialect != Dialect::EventPattern => {
                Ok(Self { text: error.to_string(), matched: false, failure: None })
            }
            Err(error) => Err(invalid_event(py, &error)),
        }
    }

    fn list<'py>(
        &self,
        py: Python<'py>,
        part: impl FnOnce(&trunkline_pattern::Failure) -> &Vec<String>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        match &self.failure {
            Some(failure) => PyTuple::new(py, part(failure)),
            None => Ok(PyTuple::empty(py)),
        }
    }
}

#[pymethods]
impl Explanation {
    /// Whether the event matches.
    #[getter]
    fn matched(&self) -> bool {
        self.matched
    }

    /// The dotted path of the first field that failed; None if the event matches.
    #[getter]
    fn path(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.path.as_str())
    }

    /// The values of that field, as JSON; empty if it has none.
    #[getter]
    fn found<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.list(py, |failure| &failure.found)
    }

    /// The entries of the pattern for that field, as JSON.
    #[getter]
    fn wanted<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.list(py, |failure| &failure.wanted)
    }

    /// The reason: "missing", "present", "differs", or "other-element" for a value that passes, but
    /// lies in another array element than the fields before it. None if the event matches.
    #[getter]
    fn reason(&self) -> Option<&'static str> {
        self.failure.as_ref().map(|failure| failure.reason.word())
    }

    /// The index of the `$or` branch that matched the most fields; None if the event matches.
    #[getter]
    fn branch(&self) -> Option<usize> {
        self.failure.as_ref().map(|failure| failure.branch)
    }

    /// The explanation as a dict, for JSON.
    ///
    /// >>> from trunkline import patterns
    /// >>> patterns.compile({"a": [1]}).explain({"a": 1}).as_dict()["matched"]
    /// True
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let parts = [
            ("matched", self.matched.into_pyobject(py)?.to_owned().into_any()),
            ("path", self.path().into_pyobject(py)?.into_any()),
            ("found", self.found(py)?.to_list().into_any()),
            ("wanted", self.wanted(py)?.to_list().into_any()),
            ("reason", self.reason().into_pyobject(py)?.into_any()),
            ("branch", self.branch().into_pyobject(py)?.into_any()),
        ];
        parts.into_py_dict(py)
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("<Explanation: {}>", self.text)
    }
}
