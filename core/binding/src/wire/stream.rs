//! A stream as the control plane of Kinesis sees it: its definition, its shards and its state.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use trunkline_engine::{
    self as engine, ResourceName, STREAM, SequenceNumber, Shard, ShardFilter, ShardId, Stream,
    StreamChange, StreamConfig, Ticket,
};
use trunkline_types::Millis;

use crate::engine::Engine;
use crate::error::{guard, raise};
use crate::pending;
use crate::stream::{hash_key_argument, shard_argument};

type FullName = (String, String, String);

/// A shard: its id, its parents, its first and last hash key, its first and last sequence number.
type ShardRow =
    (String, (Option<String>, Option<String>), (String, String), (String, Option<String>));

/// One stream; its verbs return when they are as durable as the engine promises.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WireStream {
    engine: Arc<engine::Engine>,
    stream: Arc<Stream>,
}

impl WireStream {
    fn change<T: Send>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&Stream) -> engine::Result<(T, Option<Ticket>)> + Send,
    ) -> PyResult<T> {
        pending::settled(py, &self.engine, self.stream.name(), || change(&self.stream))
    }

    fn row(shard: &Shard) -> ShardRow {
        let text = |id: Option<ShardId>| id.map(|id| id.to_string());
        let start = SequenceNumber::start_of(shard.id, shard.created).to_string();
        let end = |closed| SequenceNumber::end_of(shard.id, shard.created, closed).to_string();
        (
            shard.id.to_string(),
            (text(shard.parent), text(shard.adjacent_parent)),
            (shard.range.start.to_string(), shard.range.end.to_string()),
            (start, shard.closed.map(end)),
        )
    }
}

#[pymethods]
impl WireStream {
    /// Creates a stream with its document.
    #[staticmethod]
    fn create(
        py: Python<'_>,
        engine: &Engine,
        name: FullName,
        shards: u32,
        retention: Millis,
        document: &[u8],
    ) -> PyResult<Self> {
        let engine = engine.shared().clone();
        let config = StreamConfig { shards, retention };
        guard(|| {
            let created = py.detach(|| engine.create_stream(full(name), &config, document));
            Ok(Self { stream: created.map_err(raise)?, engine })
        })
    }

    /// The stream of this name, if there is one.
    #[staticmethod]
    fn find(engine: &Engine, name: FullName) -> PyResult<Option<Self>> {
        let engine = engine.shared().clone();
        guard(|| {
            let found = engine.find_stream(&full(name)).map_err(raise)?;
            Ok(found.map(|stream| Self { stream, engine }))
        })
    }

    /// The streams of an account and region, sorted by name.
    #[staticmethod]
    fn all(engine: &Engine, account: &str, region: &str) -> PyResult<Vec<Self>> {
        let engine = engine.shared();
        guard(|| {
            let found = engine.streams(Some(account), Some(region), "").map_err(raise)?;
            Ok(found.into_iter().map(|stream| Self { stream, engine: engine.clone() }).collect())
        })
    }

    #[getter]
    fn full_name(&self) -> FullName {
        let ResourceName { account, region, name, .. } = self.stream.name().clone();
        (account, region, name)
    }

    /// When it was created, in seconds since the epoch.
    #[getter]
    fn created_at(&self) -> f64 {
        self.stream.shards().created() as f64 / 1_000.0
    }

    #[getter]
    fn retention(&self) -> Millis {
        self.stream.retention()
    }

    /// What AWS calls the status.
    #[getter]
    fn status(&self) -> &'static str {
        match self.stream.change_now() {
            None => "ACTIVE",
            Some(StreamChange::Creating) => "CREATING",
            Some(StreamChange::Updating) => "UPDATING",
            Some(StreamChange::Deleting) => "DELETING",
        }
    }

    /// Begins a change that is over after so many milliseconds; a deletion removes the stream then.
    fn begin_change(&self, py: Python<'_>, status: &str, duration: Millis) -> PyResult<()> {
        let change = match status {
            "CREATING" => StreamChange::Creating,
            "UPDATING" => StreamChange::Updating,
            "DELETING" => StreamChange::Deleting,
            other => return Err(PyValueError::new_err(format!("{other} is no status."))),
        };
        self.change(py, |stream| Ok(((), stream.begin_change(change, duration)?)))
    }

    #[getter]
    fn document<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.stream.document())
    }

    fn set_document(&self, py: Python<'_>, document: &[u8]) -> PyResult<()> {
        self.change(py, |stream| Ok(((), stream.set_document(document)?)))
    }

    fn set_retention(&self, py: Python<'_>, retention: Millis) -> PyResult<()> {
        self.change(py, |stream| Ok(((), stream.set_retention(retention)?)))
    }

    /// Largest record in bytes, its partition key included.
    #[getter]
    fn record_bytes_max(&self) -> u32 {
        self.stream.record_bytes_max()
    }

    fn set_record_bytes_max(&self, py: Python<'_>, bytes: u32) -> PyResult<()> {
        self.change(py, |stream| Ok(((), stream.set_record_bytes_max(bytes)?)))
    }

    #[getter]
    fn open_shards(&self) -> usize {
        self.stream.shards().open().count()
    }

    /// The shards that pass a filter of ListShards; `value` is a shard, or a time in milliseconds.
    #[pyo3(signature = (filter="FROM_TRIM_HORIZON", shard=None, time=0))]
    fn shards(&self, filter: &str, shard: Option<&str>, time: Millis) -> PyResult<Vec<ShardRow>> {
        let filter = match (filter, shard) {
            ("AFTER_SHARD_ID", Some(shard)) => ShardFilter::AfterShardId(shard_argument(shard)?),
            ("AT_TRIM_HORIZON", _) => ShardFilter::AtTrimHorizon,
            ("FROM_TRIM_HORIZON", _) => ShardFilter::FromTrimHorizon,
            ("AT_LATEST", _) => ShardFilter::AtLatest,
            ("AT_TIMESTAMP", _) => ShardFilter::AtTimestamp(time),
            ("FROM_TIMESTAMP", _) => ShardFilter::FromTimestamp(time),
            (other, _) => return Err(PyValueError::new_err(format!("{other} is no filter."))),
        };
        let shards = self.stream.shards();
        Ok(shards.list(filter, self.stream.horizon()).map(Self::row).collect())
    }

    fn split(&self, py: Python<'_>, shard: &str, at: &str) -> PyResult<()> {
        let (shard, at) = (shard_argument(shard)?, hash_key_argument(at, "at")?);
        self.change(py, |stream| stream.split(shard, Some(at)).map(|(_, ticket)| ((), ticket)))
    }

    fn merge(&self, py: Python<'_>, first: &str, second: &str) -> PyResult<()> {
        let (first, second) = (shard_argument(first)?, shard_argument(second)?);
        self.change(py, |stream| stream.merge(first, second).map(|(_, ticket)| ((), ticket)))
    }

    fn resize(&self, py: Python<'_>, shards: u32) -> PyResult<()> {
        self.change(py, |stream| stream.resize(shards).map(|(_, ticket)| ((), ticket)))
    }
}

fn full((account, region, name): FullName) -> ResourceName {
    ResourceName::new(STREAM, account, region, name)
}
