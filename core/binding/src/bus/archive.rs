//! Archives and replays of a bus.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::{Archive, ReplayRequest, ReplayState, ReplayStatus};
use trunkline_types::{Millis, ResourceId, Result};

use super::Bus;
use crate::error::{guard, raise};

/// The archives of a bus, and their replays.
#[pyclass(frozen, module = "trunkline._core")]
pub(super) struct Archives(pub Bus);

#[pymethods]
impl Archives {
    /// The archive of this name, which is created if there is none.
    #[pyo3(signature = (name, pattern, retention, document=None))]
    fn get_or_create<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        pattern: Option<&str>,
        retention: Option<Millis>,
        document: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            let made = py.detach(|| {
                let document = document.unwrap_or_default();
                let (archive, is_new) =
                    self.0.bus.get_or_create_archive(name, pattern, retention, document)?;
                if is_new {
                    self.0.engine.acknowledge()?;
                }
                Ok(archive)
            });
            plain_archive(py, &*made.map_err(raise)?)
        })
    }

    /// Replaces what an archive keeps and for how long.
    fn configure(
        &self,
        py: Python<'_>,
        name: &str,
        pattern: Option<&str>,
        retention: Option<Millis>,
        document: &[u8],
    ) -> PyResult<()> {
        self.0.control(py, || self.0.bus.configure_archive(name, pattern, retention, document))
    }

    /// How many bytes the events of an archive have together.
    fn size(&self, py: Python<'_>, name: &str) -> PyResult<u64> {
        guard(|| py.detach(|| self.0.bus.archive(name)?.bytes()).map_err(raise))
    }

    fn find<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyDict>> {
        guard(|| plain_archive(py, &*self.0.bus.archive(name).map_err(raise)?))
    }

    fn list<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        guard(|| self.0.bus.archives().iter().map(|archive| plain_archive(py, archive)).collect())
    }

    fn remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.0.control(py, || self.0.engine.remove_archive(&self.0.bus, name))
    }

    /// Starts a replay of an archive, for the rules of these names or for all; its id.
    #[pyo3(signature = (archive, name, start, end, rules))]
    fn start_replay(
        &self,
        py: Python<'_>,
        archive: &str,
        name: Option<String>,
        start: Millis,
        end: Millis,
        rules: Option<Vec<String>>,
    ) -> PyResult<u32> {
        self.0.settled(py, || {
            let id_of = |name: &String| Ok(self.0.bus.rule(name)?.id);
            let rules = rules
                .map(|rules| rules.iter().map(id_of).collect::<Result<Vec<_>>>())
                .transpose()?;
            let archive = self.0.bus.archive(archive)?;
            let request = ReplayRequest { name, start, end, rules };
            let (status, ticket) = self.0.engine.start_replay(&archive, request)?;
            Ok((status.id.0, ticket))
        })
    }

    fn cancel_replay(&self, py: Python<'_>, id: u32) -> PyResult<()> {
        self.0.control(py, || self.0.engine.cancel_replay(ResourceId(id)))
    }

    fn replay<'py>(&self, py: Python<'py>, id: u32) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            let status = py.detach(|| self.0.engine.replay(ResourceId(id))).map_err(raise)?;
            plain_replay(py, status)
        })
    }

    /// The replays of an archive, newest first.
    fn replays<'py>(&self, py: Python<'py>, archive: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
        guard(|| {
            let listed = py.detach(|| self.0.engine.replays(self.0.bus.archive(archive)?.id()));
            listed.map_err(raise)?.into_iter().map(|status| plain_replay(py, status)).collect()
        })
    }
}

pub(crate) fn plain_archive<'py>(
    py: Python<'py>,
    archive: &Archive,
) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    values.set_item("name", archive.name())?;
    values.set_item("pattern", archive.pattern())?;
    values.set_item("retention", archive.retention().map(|span| span as f64 / 1_000.0))?;
    values.set_item("created_at", archive.created() as f64 / 1_000.0)?;
    values.set_item("events", archive.events())?;
    values.set_item("document", PyBytes::new(py, archive.document()))?;
    Ok(values)
}

pub(crate) fn plain_replay(py: Python<'_>, status: ReplayStatus) -> PyResult<Bound<'_, PyDict>> {
    let values = PyDict::new(py);
    values.set_item("id", status.id.0)?;
    values.set_item("name", status.name())?;
    values.set_item("status", name_of(status.state))?;
    values.set_item("replayed", status.replayed)?;
    values.set_item("start", status.request.start)?;
    values.set_item("end", status.request.end)?;
    values.set_item("last_event_at", status.last_event.map(|time| time as f64 / 1_000.0))?;
    values.set_item("started_at", status.started as f64 / 1_000.0)?;
    values.set_item("ended_at", status.ended.map(|time| time as f64 / 1_000.0))?;
    values.set_item("failure", status.failure)?;
    Ok(values)
}

/// The states of replays by their names.
const STATES: [(ReplayState, &str); 4] = [
    (ReplayState::Running, "RUNNING"),
    (ReplayState::Completed, "COMPLETED"),
    (ReplayState::Cancelled, "CANCELLED"),
    (ReplayState::Failed, "FAILED"),
];

fn name_of(state: ReplayState) -> &'static str {
    STATES.iter().find(|(one, _)| *one == state).map_or("", |(_, name)| name)
}

/// The state of this name, if replays here have it.
pub(crate) fn state_named(name: &str) -> Option<ReplayState> {
    STATES.iter().find(|(_, one)| *one == name).map(|(state, _)| *state)
}
