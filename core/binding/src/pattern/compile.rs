//! Compiles patterns from Python values.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use trunkline_pattern::{Dialect, Limits};

use super::compiled::Pattern;
use super::error::invalid_pattern;
use super::input::{Role, with_text};
use super::limits;
use super::scope::{dialect_of, scope_of};

/// Compiles a pattern. A `Pattern` is returned as it is if it has the requested scope.
#[pyfunction]
#[pyo3(signature = (pattern, scope, limits=None))]
pub(super) fn compile_pattern<'py>(
    pattern: &Bound<'py, PyAny>,
    scope: &str,
    limits: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, Pattern>> {
    let dialect = dialect_of(scope)?;
    if let Ok(pattern) = pattern.cast::<Pattern>() {
        return of_scope(pattern, dialect).map(|()| pattern.clone());
    }
    let limits = limits::of(limits)?;
    let made = compiled(pattern, dialect, &limits)?;
    Bound::new(pattern.py(), Pattern { dialect, pattern: made, depth: limits.depth })
}

/// The compiled pattern for a `Pattern`, a dict or a text.
pub(super) fn compiled(
    pattern: &Bound<'_, PyAny>,
    dialect: Dialect,
    limits: &Limits,
) -> PyResult<trunkline_pattern::Pattern> {
    if let Ok(pattern) = pattern.cast::<Pattern>() {
        return of_scope(pattern, dialect).map(|()| pattern.get().pattern.clone());
    }
    let compile = |text: &[u8]| {
        trunkline_pattern::Pattern::compile(text, dialect, limits)
            .map_err(|error| invalid_pattern(pattern.py(), &error))
    };
    with_text(pattern, Role::Pattern, compile)
}

fn of_scope(pattern: &Bound<'_, Pattern>, dialect: Dialect) -> PyResult<()> {
    let own = pattern.get().dialect;
    if own == dialect {
        return Ok(());
    }
    let (own, wanted) = (scope_of(own), scope_of(dialect));
    Err(PyTypeError::new_err(format!(
        "the pattern has the scope {own}, and {wanted} is wanted here"
    )))
}
