//! One pattern, compiled.

use pyo3::prelude::*;
use trunkline_pattern::{Dialect, Event, InvalidEvent};

use super::compile::scope_of;
use super::error::invalid_event;
use super::explanation::Explanation;
use super::given::{Attributes, Role, with_text};

/// A compiled pattern; `patterns.compile` and `patterns.filter_policy` make it. Immutable.
///
/// >>> from trunkline import patterns
/// >>> pattern = patterns.compile({"detail": {"state": ["running"]}})
/// >>> pattern.matches({"detail": {"state": "running"}})
/// True
#[pyclass(frozen, module = "trunkline.patterns")]
pub(super) struct Pattern {
    pub dialect: Dialect,
    pub pattern: trunkline_pattern::Pattern,
    /// How deep an event may be nested.
    pub depth: usize,
}

#[pymethods]
impl Pattern {
    /// Whether `event` matches.
    ///
    /// An event that was validated before may be `trusted`: it is read only until the answer is
    /// known. Of what is no JSON after all the answer may then be anything. Raises InvalidEvent.
    ///
    /// >>> from trunkline import patterns
    /// >>> patterns.compile({"a": [{"exists": False}]}).matches(b'{"b": 1}')
    /// True
    #[pyo3(signature = (event, *, trusted=false))]
    fn matches(&self, event: &Bound<'_, PyAny>, trusted: bool) -> PyResult<bool> {
        let py = event.py();
        if self.dialect == Dialect::FilterAttributes {
            let attributes = Attributes::of(event)?;
            // What SNS cannot read is not delivered, which is no error.
            return Ok(self.pattern.matches_attributes(&attributes.borrowed()).unwrap_or(false));
        }
        with_text(event, Role::Event, |text| {
            let found = self.pattern.matches(given(text, trusted, self.depth));
            filtered(py, self.dialect, found, false)
        })
    }

    /// Why `event` matches or does not: the first field that failed, what was there and what was
    /// wanted.
    ///
    /// >>> from trunkline import patterns
    /// >>> why = patterns.compile({"detail": {"state": ["running"]}}).explain({"detail": {}})
    /// >>> why.matched, why.path
    /// (False, 'detail.state')
    fn explain(&self, event: &Bound<'_, PyAny>) -> PyResult<Explanation> {
        let py = event.py();
        if self.dialect == Dialect::FilterAttributes {
            let attributes = Attributes::of(event)?;
            let why = self.pattern.explain_attributes(&attributes.borrowed());
            return Explanation::of(py, self.dialect, why);
        }
        with_text(event, Role::Event, |text| {
            Explanation::of(py, self.dialect, self.pattern.explain(given(text, false, self.depth)))
        })
    }

    /// What the pattern looks at: Event, MessageBody or MessageAttributes.
    #[getter]
    fn scope(&self) -> &'static str {
        scope_of(self.dialect)
    }

    fn __repr__(&self) -> String {
        format!("<Pattern of scope {}>", scope_of(self.dialect))
    }
}

/// The event of a text.
#[inline]
pub(super) fn given(text: &[u8], trusted: bool, depth: usize) -> Event<'_> {
    let event = if trusted { Event::trusted(text) } else { Event::new(text) };
    event.depth(depth)
}

/// What was found; of a body that SNS cannot read, `nothing`.
#[inline]
pub(super) fn filtered<T>(
    py: Python<'_>,
    dialect: Dialect,
    found: Result<T, InvalidEvent>,
    nothing: T,
) -> PyResult<T> {
    match found {
        Ok(found) => Ok(found),
        Err(_) if dialect != Dialect::EventPattern => Ok(nothing),
        Err(error) => Err(invalid_event(py, &error)),
    }
}
