//! The trace between the engine and Python's plain data.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{Engine as Core, TracedEntry};

use crate::error::{guard, raise};

/// An entry as `(id, milliseconds, what, kind, account, region, name, detail, from)`.
type PlainEntry =
    (String, u64, &'static str, String, String, String, String, String, Option<String>);

/// What happened to messages, events and records of one engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Trace(pub Arc<Core>);

#[pymethods]
impl Trace {
    /// The entries of one id, how many are left out, and how many were dropped so far.
    fn of(&self, py: Python<'_>, id: &str) -> PyResult<(Vec<PlainEntry>, u64, u64)> {
        guard(|| {
            self.0.check_open().map_err(raise)?;
            let traced = py.detach(|| self.0.trace().of(id));
            let entries = traced.entries.into_iter().map(plain).collect();
            Ok((entries, traced.left_out, traced.dropped))
        })
    }

    fn set_rate(&self, rate: f64) -> PyResult<()> {
        guard(|| {
            self.0.check_open().map_err(raise)?;
            self.0.trace().set_rate(rate);
            Ok(())
        })
    }

    fn set_bytes_max(&self, bytes_max: usize) -> PyResult<()> {
        guard(|| {
            self.0.check_open().map_err(raise)?;
            self.0.trace().set_bytes_max(bytes_max);
            Ok(())
        })
    }

    fn clear(&self) -> PyResult<()> {
        guard(|| {
            self.0.check_open().map_err(raise)?;
            self.0.trace().clear();
            Ok(())
        })
    }

    /// The rate, the entries, those that were dropped, their bytes, and the bound of the bytes.
    fn statistics(&self) -> PyResult<(f64, u64, u64, usize, usize)> {
        guard(|| {
            self.0.check_open().map_err(raise)?;
            let now = self.0.trace().statistics();
            Ok((now.rate, now.entries, now.dropped, now.bytes, now.bytes_max))
        })
    }
}

fn plain(entry: TracedEntry) -> PlainEntry {
    let TracedEntry { id, at, what, kind, account, region, name, detail, from } = entry;
    (id, at, what.name(), kind, account, region, name, detail, from)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Trace>()
}
