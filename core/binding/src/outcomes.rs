//! What became of a batch whose entries succeed or fail each for itself.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use trunkline_engine::{Engine, ResourceName, Ticket};
use trunkline_types::Result;

use crate::error::guard;
use crate::pending;
use crate::queue::results::BatchFailure;

/// The results of the entries that succeeded, and a `BatchFailure` for each of the others.
pub(crate) struct Outcomes {
    successful: Py<PyTuple>,
    failed: Py<PyTuple>,
}

impl Outcomes {
    /// Carries `verb` out for each entry, in order and detached, with one wait for the disk;
    /// `result` makes what Python gets of a success and its place in the batch.
    pub fn of<Entry, Value, Class>(
        py: Python<'_>,
        engine: &Engine,
        resource: &ResourceName,
        entries: &[Entry],
        verb: impl Fn(&Entry) -> Result<(Value, Option<Ticket>)> + Sync,
        result: impl Fn(Value, u32) -> Class,
    ) -> PyResult<Self>
    where
        Entry: Sync,
        Value: Send,
        Class: PyClass + Into<PyClassInitializer<Class>>,
    {
        let all = || {
            let mut last = None;
            let one = |entry| {
                let (value, ticket) = verb(entry)?;
                last = ticket.or(last);
                Ok(value)
            };
            let values: Vec<Result<Value>> = entries.iter().map(one).collect();
            Ok((values, last))
        };
        let values = pending::settled(py, engine, resource, all)?;
        guard(|| {
            let (mut successful, mut failed) = (Vec::new(), Vec::new());
            for (index, value) in (0..).zip(values) {
                match value {
                    Ok(value) => successful.push(Py::new(py, result(value, index))?),
                    Err(error) => failed.push(Py::new(py, BatchFailure::new(index, &error))?),
                }
            }
            let successful = PyTuple::new(py, successful)?.unbind();
            Ok(Self { successful, failed: PyTuple::new(py, failed)?.unbind() })
        })
    }

    pub fn successful<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.successful.bind(py).clone()
    }

    pub fn failed<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.failed.bind(py).clone()
    }

    pub fn repr(&self, py: Python<'_>, class: &str) -> String {
        let (successful, failed) = (self.successful.bind(py).len(), self.failed.bind(py).len());
        format!("<{class}: {successful} successful, {failed} failed>")
    }
}
