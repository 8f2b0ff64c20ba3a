//! Conversion of pattern limits to and from a Python dict.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use trunkline_pattern::Limits;

use crate::error::invalid;
use crate::python_call::PythonCall as _;

macro_rules! table {
    ($($field:ident),* $(,)?) => {
        /// The default limits of patterns: AWS's values.
        #[pyfunction]
        fn default_pattern_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
            // Destructured without `..`, so that a new limit cannot be forgotten here.
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

/// The largest value of any limit. Products of counts cannot overflow below it.
const VALUE_MAX: usize = if usize::BITS < 64 { usize::MAX } else { 1_000_000_000_000_000 };

/// The largest depth: the parsers recurse, and the stack is limited.
const DEPTH_MAX: usize = 1_000;

/// The default limits with `changes` applied.
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

/// Converts a `patterns.Limits`; the default limits for None.
pub(super) fn of(limits: Option<&Bound<'_, PyAny>>) -> PyResult<Limits> {
    let Some(limits) = limits else {
        return Ok(Limits::default());
    };
    let changes = PyDict::new(limits.py());
    for item in limits.run_method("items", ())?.try_iter()? {
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
