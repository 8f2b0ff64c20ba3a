//! The limits of patterns, to and from Python as a plain dict.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use trunkline_pattern::Limits;

use crate::error::invalid;

macro_rules! table {
    ($($field:ident),* $(,)?) => {
        /// The default limits of patterns: AWS's values.
        #[pyfunction]
        fn default_pattern_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
            // Named in full, so that a limit that is added cannot be forgotten here.
            let Limits { $($field),* } = Limits::default();
            [$((stringify!($field), $field)),*].into_py_dict(py)
        }

        fn set(limits: &mut Limits, name: &str, value: usize) -> Option<()> {
            match name {
                $(stringify!($field) => limits.$field = value,)*
                _ => return None,
            }
            Some(())
        }
    };
}

table!(
    pattern_bytes,
    policy_bytes,
    or_combinations,
    wildcard_complexity,
    filter_keys,
    filter_combinations,
    depth,
);

/// The largest value of any limit: far from where products of counts would overflow.
const VALUE_MAX: usize = if usize::BITS < 64 { usize::MAX } else { 1_000_000_000_000_000 };

/// The largest depth: patterns and events are read by calls in calls, and a thread's stack ends.
const DEPTH_MAX: usize = 1_000;

/// The default table with the values of `changes` in their places.
fn from_dict(changes: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for (name, value) in changes {
        let name: String = name.extract()?;
        let most = if name == "depth" { DEPTH_MAX } else { VALUE_MAX };
        let number = value.extract::<usize>().ok().filter(|number| *number <= most);
        number.and_then(|number| set(&mut limits, &name, number)).ok_or_else(|| {
            invalid(format!(
                "The value for the limit {name} is invalid. Reason: Must be a whole number from 0 \
                 to {most}."
            ))
        })?;
    }
    Ok(limits)
}

/// The table of a `patterns.Limits`, or the default one.
pub(super) fn of(limits: Option<&Bound<'_, PyAny>>) -> PyResult<Limits> {
    let Some(limits) = limits else {
        return Ok(Limits::default());
    };
    let changes = PyDict::new(limits.py());
    for item in limits.call_method0("items")?.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
        changes.set_item(name, value)?;
    }
    from_dict(&changes)
}

/// Refuses values that no limit of patterns can have.
#[pyfunction]
fn check_pattern_limits(changes: &Bound<'_, PyDict>) -> PyResult<()> {
    from_dict(changes).map(drop)
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(default_pattern_limits, module)?)?;
    module.add_function(wrap_pyfunction!(check_pattern_limits, module)?)
}
