//! What APIs need of the core: paths into a document, regular expressions, and signed tokens.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use trunkline_engine::states::{Value, parse, select};
use trunkline_wire::{RegularExpression, TokenBuckets, verified_claims};

use crate::engine::Engine;

/// A parsed JSON document, from which paths select.
#[pyclass(frozen)]
pub(crate) struct WireDocument {
    value: Value,
}

fn text(value: &Value) -> String {
    let mut out = String::new();
    value.write(&mut out);
    out
}

#[pymethods]
impl WireDocument {
    #[new]
    fn new(document: &str) -> PyResult<Self> {
        let value = parse(document).map_err(|error| PyValueError::new_err(error.message))?;
        Ok(Self { value })
    }

    /// The JSON text of what `path` names; None when it names nothing.
    fn select(&self, path: &str) -> PyResult<Option<String>> {
        let found = select(&self.value, path)
            .map_err(|_| PyValueError::new_err(format!("{path:?} is not a JSONPath")))?;
        Ok(found.as_ref().map(text))
    }
}

/// A regular expression that is matched in linear time.
#[pyclass(frozen)]
pub(crate) struct WireRegularExpression {
    expression: RegularExpression,
}

#[pymethods]
impl WireRegularExpression {
    #[new]
    fn new(pattern: &str) -> PyResult<Self> {
        let expression = RegularExpression::new(pattern).map_err(PyValueError::new_err)?;
        Ok(Self { expression })
    }

    fn matches(&self, text: &str) -> bool {
        self.expression.matches(text)
    }

    fn replace(&self, text: &str, replacement: &str, only_first: bool) -> String {
        self.expression.replace(text, replacement, only_first)
    }

    fn split(&self, text: &str, limit: usize) -> Vec<String> {
        self.expression.split(text, limit)
    }
}

/// The token buckets of an engine's APIs.
#[pyclass(frozen)]
pub(crate) struct WireTokenBuckets(Arc<TokenBuckets>);

#[pymethods]
impl WireTokenBuckets {
    #[new]
    fn new(engine: &Engine) -> Self {
        Self(engine.shared().extension())
    }

    /// Takes a token of each bucket (name, size, tokens a second) at `now`, or of none.
    fn take(&self, limits: Vec<(String, f64, f64)>, now: f64) -> bool {
        self.0.take(&limits, now)
    }

    fn clear(&self) {
        self.0.clear();
    }
}

/// The claims of a JSON Web Token as JSON text, if a key of the set signed it.
#[pyfunction]
fn token_claims(py: Python<'_>, token: &str, keys: &str) -> PyResult<String> {
    py.detach(|| verified_claims(token, keys)).map_err(PyValueError::new_err)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(token_claims, module)?)?;
    module.add_class::<WireDocument>()?;
    module.add_class::<WireTokenBuckets>()?;
    module.add_class::<WireRegularExpression>()
}
