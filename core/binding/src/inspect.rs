//! Inspection and verification of a data folder that no engine has open.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::Report;
use trunkline_types::{QueueKind, ResourceName};

use crate::engine::Engine;
use crate::error::{guard, raise};

/// What a data folder holds; :func:`trunkline.inspect` makes it.
///
/// >>> import tempfile, trunkline
/// >>> with tempfile.TemporaryDirectory() as folder:
/// ...     with trunkline.open(folder) as engine:
/// ...         queue = engine.queue("orders")
/// ...     trunkline.inspect(folder).runs
/// 1
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct FolderReport(Report);

/// What a repair did and found; :func:`trunkline.repair` makes it.
///
/// >>> import tempfile, trunkline
/// >>> with tempfile.TemporaryDirectory() as folder:
/// ...     with trunkline.open(folder) as engine:
/// ...         queue = engine.queue("orders")
/// ...     trunkline.repair(folder).repaired
/// False
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct RepairReport(trunkline_engine::RepairReport);

/// What a data folder holds of one queue; see :class:`FolderReport`.
#[pyclass(frozen, get_all, module = "trunkline")]
pub(crate) struct QueueReport {
    /// The queue's name.
    name: String,
    /// The account it belongs to.
    account: String,
    /// The region it belongs to.
    region: String,
    /// Whether the engine or a service keeps something in it for its own use; lists leave it out.
    internal: bool,
    /// Whether it is a FIFO queue.
    fifo: bool,
    /// Messages of every state.
    messages: u64,
    /// Messages that are leased now.
    in_flight: u64,
    /// Messages whose delay has not ended.
    delayed: u64,
    /// Bytes of the messages in the journal.
    bytes: u64,
    /// When the oldest message was sent, in seconds since the epoch.
    oldest_sent_at: Option<f64>,
    /// Deduplication ids that are kept.
    remembered: u64,
}

fn is_internal(name: &ResourceName) -> bool {
    name.is_internal() || name.is_of_service()
}

#[pymethods]
impl FolderReport {
    /// How often the folder was opened.
    #[getter]
    fn runs(&self) -> u32 {
        self.0.runs
    }

    /// Records that were read and whose checksums are right.
    #[getter]
    fn records(&self) -> u64 {
        self.0.records
    }

    /// The journal's files: number and bytes in use.
    #[getter]
    fn segments(&self) -> Vec<(u32, u64)> {
        self.0.segments.clone()
    }

    /// The keys of the documents of the control planes.
    #[getter]
    fn documents(&self) -> Vec<String> {
        self.0.documents.clone()
    }

    /// The queues.
    #[getter]
    fn queues(&self) -> Vec<QueueReport> {
        let report = |queue: &trunkline_engine::QueueReport| QueueReport {
            name: queue.name.name.clone(),
            account: queue.name.account.clone(),
            region: queue.name.region.clone(),
            internal: is_internal(&queue.name),
            fifo: queue.kind == QueueKind::Fifo,
            messages: queue.messages,
            in_flight: queue.in_flight,
            delayed: queue.delayed,
            bytes: queue.bytes,
            oldest_sent_at: queue.oldest_sent.map(|sent| sent as f64 / 1_000.0),
            remembered: queue.remembered,
        };
        self.0.queues.iter().map(report).collect()
    }

    /// The resources of the other kinds, such as schedules and streams: kind, name and counters.
    #[getter]
    fn others<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let plain = |resource: &trunkline_engine::ResourceReport| {
            let dict = PyDict::new(py);
            dict.set_item("kind", resource.name.kind.0)?;
            dict.set_item("name", &resource.name.name)?;
            dict.set_item("account", &resource.name.account)?;
            dict.set_item("region", &resource.name.region)?;
            dict.set_item("internal", is_internal(&resource.name))?;
            for (name, value) in &resource.counters {
                dict.set_item(name, value)?;
            }
            Ok(dict)
        };
        self.0.others.iter().map(plain).collect()
    }

    /// The values by name, each queue as a dict too, to be written as JSON.
    ///
    /// >>> import tempfile, trunkline
    /// >>> with tempfile.TemporaryDirectory() as folder:
    /// ...     trunkline.open(folder).close()
    /// ...     trunkline.inspect(folder).as_dict()["queues"]
    /// []
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let queues: Vec<_> =
            self.queues().iter().map(|queue| queue.as_dict(py)).collect::<PyResult<_>>()?;
        let dict = PyDict::new(py);
        dict.set_item("runs", self.runs())?;
        dict.set_item("records", self.records())?;
        dict.set_item("segments", self.segments())?;
        dict.set_item("queues", queues)?;
        dict.set_item("documents", self.documents())?;
        dict.set_item("others", self.others(py)?)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("<FolderReport: {} queues, {} records>", self.0.queues.len(), self.0.records)
    }
}

#[pymethods]
impl QueueReport {
    /// The values by name.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("name", &self.name)?;
        dict.set_item("account", &self.account)?;
        dict.set_item("region", &self.region)?;
        dict.set_item("internal", self.internal)?;
        dict.set_item("fifo", self.fifo)?;
        dict.set_item("messages", self.messages)?;
        dict.set_item("in_flight", self.in_flight)?;
        dict.set_item("delayed", self.delayed)?;
        dict.set_item("bytes", self.bytes)?;
        dict.set_item("oldest_sent_at", self.oldest_sent_at)?;
        dict.set_item("remembered", self.remembered)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("<QueueReport {:?}: {} messages>", self.name, self.messages)
    }
}

#[pymethods]
impl RepairReport {
    /// Whether the control file was made again; False if the folder had a whole one.
    #[getter]
    fn repaired(&self) -> bool {
        self.0.repaired
    }

    /// What the lost control file knew and nothing else in the folder proves: a sentence each.
    #[getter]
    fn unproven(&self) -> Vec<String> {
        self.0.unproven.clone()
    }

    /// What the folder holds.
    #[getter]
    fn folder(&self) -> FolderReport {
        FolderReport(self.0.folder.clone())
    }

    /// The values by name.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("repaired", self.repaired())?;
        dict.set_item("unproven", self.unproven())?;
        dict.set_item("folder", self.folder().as_dict(py)?)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let what = if self.0.repaired { "repaired" } else { "was whole" };
        format!("<RepairReport: {what}, {} records>", self.0.folder.records)
    }
}

/// Reads a data folder without changing it.
#[pyfunction]
fn inspect(py: Python<'_>, path: PathBuf) -> PyResult<FolderReport> {
    let read = || trunkline_engine::inspect(&path);
    guard(|| py.detach(read).map(FolderReport).map_err(raise))
}

/// Checks every checksum and every record of a data folder.
#[pyfunction]
#[pyo3(signature = (path, contents = false))]
fn verify(py: Python<'_>, path: PathBuf, contents: bool) -> PyResult<FolderReport> {
    let check = || trunkline_engine::verify(&path, contents);
    guard(|| py.detach(check).map(FolderReport).map_err(raise))
}

/// Makes the control file of a data folder again, if it is missing or damaged.
#[pyfunction]
fn repair(py: Python<'_>, path: PathBuf) -> PyResult<RepairReport> {
    let repair = || trunkline_engine::repair(&path);
    guard(|| py.detach(repair).map(RepairReport).map_err(raise))
}

/// How the journal of an engine stands; None in memory.
#[pyfunction]
fn journal_statistics<'py>(
    py: Python<'py>,
    engine: &Engine,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(journal) = engine.shared().host().journal_statistics() else { return Ok(None) };
    let figures = PyDict::new(py);
    for (name, value) in [
        ("segments", journal.segments),
        ("bytes", journal.bytes),
        ("appended_bytes", journal.appended_bytes),
        ("unwritten_bytes", journal.unwritten_bytes),
        ("syncs", journal.syncs),
        ("replay_bytes", journal.replay_bytes),
        ("checkpoint_bytes", journal.checkpoint_bytes),
    ] {
        figures.set_item(name, value)?;
    }
    Ok(Some(figures))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<FolderReport>()?;
    module.add_class::<QueueReport>()?;
    module.add_class::<RepairReport>()?;
    module.add_function(wrap_pyfunction!(inspect, module)?)?;
    module.add_function(wrap_pyfunction!(journal_statistics, module)?)?;
    module.add_function(wrap_pyfunction!(repair, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)
}
