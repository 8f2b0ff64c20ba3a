//! `Pattern`: a compiled pattern.

use pyo3::prelude::*;
use trunkline_pattern::{Dialect, Event, InvalidEvent};

use super::error::invalid_event;
use super::explanation::Explanation;
use super::input::{Attributes, Role, with_text};
use super::scope::scope_of;

/// A compiled pattern, made by `patterns.compile` or `patterns.filter_policy`. Immutable.
///
/// >>> from trunkline import patterns
/// >>> pattern = patterns.compile({"detail": {"state": ["running"]}})
/// >>> pattern.matches({"detail": {"state": "running"}})
/// True
#[pyclass(frozen, module = "trunkline.patterns")]
pub(super) struct Pattern {
    pub dialect: Dialect,
    pub pattern: trunkline_pattern::Pattern,
    /// The nesting limit of events.
    pub depth: usize,
}

#[pymethods]
impl Pattern {
    /// Whether `event` matches.
    ///
    /// With `trusted`, the event is known to be valid JSON, and fields that the pattern does not
    /// name are not validated; for invalid JSON the result is then unspecified. Raises InvalidEvent
    /// for an event that cannot be parsed.
    ///
    /// >>> from trunkline import patterns
    /// >>> patterns.compile({"a": [{"exists": False}]}).matches(b'{"b": 1}')
    /// True
    #[pyo3(signature = (event, *, trusted=false))]
    fn matches(&self, event: &Bound<'_, PyAny>, trusted: bool) -> PyResult<bool> {
        let py = event.py();
        if self.dialect == Dialect::FilterAttributes {
            let attributes = Attributes::of(event)?;
            // SNS does not deliver attributes that it cannot parse; this is not an error.
            return Ok(self.pattern.matches_attributes(&attributes.borrowed()).unwrap_or(false));
        }
        with_text(event, Role::Event, |text| {
            let found = self.pattern.matches(event_of(text, trusted, self.depth));
            match_result(py, self.dialect, found, false)
        })
    }

    /// Why `event` matches or does not: the first field that failed, its values and its tests.
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
            Explanation::of(
                py,
                self.dialect,
                self.pattern.explain(event_of(text, false, self.depth)),
            )
        })
    }

    /// The scope of the pattern: Event, MessageBody or MessageAttributes.
    #[getter]
    fn scope(&self) -> &'static str {
        scope_of(self.dialect)
    }

    fn __repr__(&self) -> String {
        format!("<Pattern of scope {}>", scope_of(self.dialect))
    }
}

/// The matcher input for a text.
#[inline]
pub(super) fn event_of(text: &[u8], trusted: bool, depth: usize) -> Event<'_> {
    let event = if trusted { Event::trusted(text) } else { Event::new(text) };
    event.depth(depth)
}

/// The result of a match; `nothing` if a filter policy meets a body that cannot be parsed.
#[inline]
pub(super) fn match_result<T>(
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
