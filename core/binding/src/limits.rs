//! The limits table, to and from Python as a plain dict in the engine's units.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use trunkline_types::Limits;

use crate::error::invalid;

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

        fn set(limits: &mut Limits, name: &str, value: u64) -> Option<()> {
            match name {
                $(stringify!($field) => limits.$field = value.try_into().ok()?,)*
                _ => return None,
            }
            Some(())
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
    put_events_bytes_max,
    move_rate_max,
    noisy_share_percent,
    noisy_in_flight_min,
    stream_retention_min,
    stream_retention_max,
    stream_shards_max,
    stream_record_bytes_max,
    partition_key_chars_max,
    stream_change_duration,
    shard_write_bytes_rate,
    shard_write_records_rate,
    shard_read_bytes_rate,
    shard_reads_rate,
    shard_iterators_rate,
    account_quotas_percent,
    workflow_executions_max,
    workflow_functions_max,
);

/// The largest value of any limit: a time of 30,000 years, far from where sums would overflow.
const VALUE_MAX: u64 = 1_000_000_000_000_000;

/// The default table with the values of `changes` in their places.
pub(crate) fn from_dict(changes: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for (name, value) in changes {
        let name: String = name.extract()?;
        let number = value.extract::<u64>().ok().filter(|number| *number <= VALUE_MAX);
        number.and_then(|number| set(&mut limits, &name, number)).ok_or_else(|| {
            invalid(format!(
                "The value for the limit {name} is invalid. Reason: Must be a whole number from 0 \
                 to {} (milliseconds, for a time: {VALUE_MAX}).",
                u32::MAX
            ))
        })?;
    }
    Ok(limits)
}

/// Refuses values that no limit can have.
#[pyfunction]
fn check_limits(changes: &Bound<'_, PyDict>) -> PyResult<()> {
    from_dict(changes).map(drop)
}

/// The default limits.
#[pyfunction]
fn default_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    to_dict(py, &Limits::default())
}

/// The default limits with the rules that only protect AWS's own operation.
#[pyfunction]
fn aws_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    to_dict(py, &Limits::aws())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(check_limits, module)?)?;
    module.add_function(wrap_pyfunction!(default_limits, module)?)?;
    module.add_function(wrap_pyfunction!(aws_limits, module)?)
}
