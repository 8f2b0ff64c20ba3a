//! The limits table, to and from Python as a plain dict in the engine's units.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use trunkline_vocabulary::Limits;

macro_rules! table {
    ($($field:ident),* $(,)?) => {
        /// The limits as a dict.
        pub(crate) fn to_dict<'py>(
            py: Python<'py>,
            limits: &Limits,
        ) -> PyResult<Bound<'py, PyDict>> {
            // Named in full, so that a limit that is added cannot be forgotten here.
            let Limits { $($field),* } = limits;
            [$((stringify!($field), u64::from(*$field))),*].into_py_dict(py)
        }

        fn set(limits: &mut Limits, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
            match name {
                $(stringify!($field) => limits.$field = value.extract()?,)*
                _ => return Err(PyKeyError::new_err(name.to_owned())),
            }
            Ok(())
        }
    };
}

table!(
    message_bytes_max,
    message_bytes_min,
    delay_max,
    retention_min,
    retention_max,
    visibility_max,
    receive_wait_max,
    standard_in_flight_max,
    fifo_in_flight_max,
    max_receive_count_max,
    dedup_window,
    attempt_window,
    purge_interval,
    recreate_interval,
    id_chars_max,
    name_chars_max,
    attributes_max,
    attribute_name_chars_max,
    batch_entries_max,
    batch_bytes_max,
    move_rate_max,
    noisy_share_percent,
    noisy_in_flight_min,
);

/// The default table with the values of `changes` in their places.
pub(crate) fn from_dict(changes: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for (name, value) in changes {
        set(&mut limits, &name.extract::<String>()?, &value)?;
    }
    Ok(limits)
}

/// The default limits: AWS's values.
#[pyfunction]
fn default_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    to_dict(py, &Limits::default())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(default_limits, module)?)
}
