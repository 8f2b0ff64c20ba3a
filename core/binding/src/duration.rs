//! Spans of time as Python writes them (int or float seconds, or a timedelta) to milliseconds.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDelta, PyDeltaAccess, PyFloat, PyInt};
use trunkline_types::Millis;

use crate::error::invalid;

/// The longest time that a call may wait, in milliseconds: a year.
pub(crate) const WAIT_MAX: Millis = 365 * 86_400_000;

/// `value` in milliseconds; outside `low..=high` it is an error that names `field` and the range.
pub(crate) fn millis(
    value: &Bound<'_, PyAny>,
    field: &str,
    low: Millis,
    high: Millis,
) -> PyResult<Millis> {
    match convert(value, field)? {
        Some(span) if (low..=high).contains(&span) => Ok(span),
        _ => Err(out_of_range(value, field, low, high)),
    }
}

/// `None` stands for what no range holds: negative, not a number, or too large to count.
fn convert(value: &Bound<'_, PyAny>, field: &str) -> PyResult<Option<Millis>> {
    if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        let seconds = value.extract::<u64>().ok();
        return Ok(seconds.and_then(|seconds| seconds.checked_mul(1_000)));
    }
    if let Ok(seconds) = value.cast::<PyFloat>() {
        return Ok(from_float(seconds.value()));
    }
    if let Ok(delta) = value.cast::<PyDelta>() {
        // The longest timedelta has more microseconds than 64 bits count.
        let seconds = i64::from(delta.get_days()) * 86_400 + i64::from(delta.get_seconds());
        let micros = i128::from(seconds) * 1_000_000 + i128::from(delta.get_microseconds());
        return Ok(u64::try_from(micros).ok().map(at_least_one));
    }
    let kind = value.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "{field} must be seconds as int or float, or a timedelta, not {kind}"
    )))
}

/// Rounds to milliseconds, but never "a little" down to nothing: zero has meanings of its own.
fn at_least_one(micros: u64) -> Millis {
    let rounded = (micros + 500) / 1_000;
    rounded.max(u64::from(micros > 0))
}

fn from_float(seconds: f64) -> Option<Millis> {
    // Above this a double no longer counts single milliseconds.
    const SECONDS_MAX: f64 = 9e12;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return None;
    }
    Some(((seconds * 1_000.0).round() as Millis).max(u64::from(seconds > 0.0)))
}

#[cold]
fn out_of_range(value: &Bound<'_, PyAny>, field: &str, low: Millis, high: Millis) -> PyErr {
    let shown = value.str().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    // A caller may pass an integer of a million digits: the message stays small.
    let shown: String = shown.chars().take(64).collect();
    let (low, high) = (low as f64 / 1_000.0, high as f64 / 1_000.0);
    invalid(format!(
        "Value {shown} for parameter {field} is invalid. Reason: Must be between {low} and {high} \
         seconds (an int, a float or a timedelta)."
    ))
}

/// `value` in milliseconds, checked against a range in milliseconds.
#[pyfunction]
fn milliseconds(
    value: &Bound<'_, PyAny>,
    field: &str,
    low: Millis,
    high: Millis,
) -> PyResult<Millis> {
    millis(value, field, low, high)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(milliseconds, module)?)
}
