//! Message move tasks as they stand.

use pyo3::prelude::*;
use trunkline_engine::{RedriveState, RedriveStatus as Status};

/// A move task at one time.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct MoveStatus(pub Status);

#[pymethods]
impl MoveStatus {
    #[getter]
    fn task(&self) -> u32 {
        self.0.task
    }

    #[getter]
    fn source(&self) -> u32 {
        self.0.source.0
    }

    #[getter]
    fn destination(&self) -> Option<u32> {
        self.0.destination.map(|queue| queue.0)
    }

    #[getter]
    fn rate(&self) -> Option<u32> {
        self.0.rate
    }

    #[getter]
    fn status(&self) -> &'static str {
        match self.0.state {
            RedriveState::Running => "RUNNING",
            RedriveState::Completed => "COMPLETED",
            RedriveState::Cancelled => "CANCELLED",
            RedriveState::Failed => "FAILED",
        }
    }

    #[getter]
    fn started_at(&self) -> f64 {
        self.0.started as f64 / 1_000.0
    }

    #[getter]
    fn moved(&self) -> u64 {
        self.0.moved
    }

    #[getter]
    fn total(&self) -> u64 {
        self.0.total
    }

    #[getter]
    fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<MoveStatus>()
}
