//! The archive of a FIFO topic, and the replays of its subscriptions.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::{ReplayState, SubscriptionReplay};
use trunkline_types::{Millis, ResourceId};

use super::Topic;
use crate::error::{guard, raise};

/// The archive of a topic.
#[pyclass(frozen, module = "trunkline._core")]
pub(super) struct TopicArchive(pub Topic);

#[pymethods]
impl TopicArchive {
    /// Keeps messages for so many milliseconds; None switches the archive off.
    #[pyo3(signature = (retention))]
    fn set(&self, py: Python<'_>, retention: Option<Millis>) -> PyResult<()> {
        self.0.control(py, || self.0.topic.set_archive(retention))
    }

    /// How the archive stands; None if there is none.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        guard(|| {
            let Some(status) = self.0.topic.archive().map_err(raise)? else { return Ok(None) };
            let values = PyDict::new(py);
            values.set_item("retention", status.retention as f64 / 1_000.0)?;
            values.set_item("beginning", status.beginning as f64 / 1_000.0)?;
            values.set_item("messages", status.messages)?;
            Ok(Some(values))
        })
    }

    /// Lets a subscription have what was published from `start` on and before `end`.
    #[pyo3(signature = (id, start, end))]
    fn start_replay(
        &self,
        py: Python<'_>,
        id: u32,
        start: Millis,
        end: Option<Millis>,
    ) -> PyResult<()> {
        self.0.control(py, || self.0.topic.start_replay(ResourceId(id), start, end))
    }

    fn stop_replay(&self, py: Python<'_>, id: u32) -> PyResult<()> {
        self.0.control(py, || self.0.topic.stop_replay(ResourceId(id)))
    }

    /// The replay of a subscription; None if it has none.
    fn replay<'py>(&self, py: Python<'py>, id: u32) -> PyResult<Option<Bound<'py, PyDict>>> {
        guard(|| {
            let replay = py.detach(|| self.0.topic.replay_of(ResourceId(id))).map_err(raise)?;
            replay.map(|replay| plain(py, replay)).transpose()
        })
    }
}

fn plain(py: Python<'_>, replay: SubscriptionReplay) -> PyResult<Bound<'_, PyDict>> {
    let state = match replay.state {
        ReplayState::Running => "RUNNING",
        ReplayState::Completed => "COMPLETED",
        ReplayState::Cancelled => "CANCELLED",
        ReplayState::Failed => "FAILED",
    };
    let values = PyDict::new(py);
    values.set_item("status", state)?;
    values.set_item("replayed", replay.replayed)?;
    values.set_item("start", replay.start as f64 / 1_000.0)?;
    values.set_item("end", replay.end.map(|time| time as f64 / 1_000.0))?;
    values.set_item("failure", replay.failure)?;
    Ok(values)
}
