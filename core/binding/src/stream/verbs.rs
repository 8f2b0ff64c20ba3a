//! The verbs of a stream: take, call, wrap.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;
use trunkline_engine::stream_operation as operation;
use trunkline_engine::{self as engine, Admitted, NewRecord, Operation, ShardId, Start};
use trunkline_types::Millis;

use crate::admission::HeldCall;
use crate::durability::Level;
use crate::error::{guard, raise};
use crate::pending::PendingWrite;
use crate::stream::arguments::{self, Data, StartArgument};
use crate::stream::batch::RecordBatch;
use crate::stream::handle::StreamHandle;
use crate::stream::reader::Member;
use crate::stream::reading::ReadCall;
use crate::stream::record::PutResult;
use crate::stream::statistics::{Shard, StreamStatistics};

/// The result of a verb that was begun, and what is still to be waited for.
type Begun<T> = PyResult<(T, Option<Py<PendingWrite>>)>;

/// A call that was held up, and may start now.
type Held<'py> = Option<&'py Bound<'py, HeldCall>>;

/// The shards that are new, and the ticket that stands for them.
type Resharded = (Vec<ShardId>, Option<engine::Ticket>);

/// A stream, without the names and defaults of the Python package.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Stream(pub Arc<StreamHandle>);

impl Stream {
    fn admit(&self, py: Python<'_>, operation: Operation, held: Held<'_>) -> PyResult<Admitted> {
        self.0.admit_or_hold(py, operation, held.map(|held| held.get()))
    }

    /// A read that was admitted.
    fn read_call(
        &self,
        call: Admitted,
        shard: Option<&str>,
        (start, after): (StartArgument, Option<&str>),
        max: usize,
        wait: Millis,
    ) -> PyResult<ReadCall> {
        let shard = shard.map(arguments::shard).transpose()?;
        let start = match after {
            Some(after) => Start::After(arguments::sequence(after, "after")?),
            None => start.0,
        };
        ReadCall::of_shards(&self.0, call, shard, start, max, wait).map_err(raise)
    }

    fn begin_put_record(
        &self,
        py: Python<'_>,
        record: &NewRecord<'_>,
        durability: Option<Level>,
        held: Held<'_>,
    ) -> Begun<PutResult> {
        let level = self.0.level(durability.map(|level| level.0))?;
        crate::memory::check(record.data.len())?;
        let call = self.admit(py, operation::PUT, held)?;
        let put = self.0.stream.put_admitted(&call, record).map_err(raise)?;
        Ok((PutResult::new(&put), self.0.pending(py, put.ticket, level)?))
    }

    fn reshard(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&engine::Stream) -> engine::Result<Resharded> + Send,
    ) -> PyResult<Vec<String>> {
        let opened = self.0.change(py, |stream| change(stream))?;
        Ok(opened.iter().map(ShardId::to_string).collect())
    }
}

#[pymethods]
impl Stream {
    #[getter]
    fn id(&self) -> u32 {
        self.0.stream.id().0
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.stream.name().name
    }

    #[getter]
    fn retention(&self) -> Millis {
        self.0.stream.retention()
    }

    #[getter]
    fn open_shards(&self) -> usize {
        self.0.stream.shards().open().count()
    }

    /// Reads that wait for records now.
    #[getter]
    fn waiting(&self) -> usize {
        self.0.stream.waiting()
    }

    // --- putting --------------------------------------------------------------------------------

    #[pyo3(signature = (data, key, hash_key=None, durability=None, admitted=None))]
    fn begin_put(
        &self,
        py: Python<'_>,
        data: Data<'_>,
        key: &str,
        hash_key: Option<&str>,
        durability: Option<Level>,
        admitted: Held<'_>,
    ) -> Begun<PutResult> {
        guard(|| {
            let hash_key = hash_key.map(|key| arguments::hash_key(key, "hash_key")).transpose()?;
            let record = NewRecord { key, hash_key, data: &data.0.0 };
            self.begin_put_record(py, &record, durability, admitted)
        })
    }

    /// Puts pairs of key and data, all in one step.
    #[pyo3(signature = (records, durability=None, admitted=None))]
    fn begin_put_batch<'py>(
        &self,
        py: Python<'py>,
        records: &Bound<'py, PyList>,
        durability: Option<Level>,
        admitted: Held<'_>,
    ) -> Begun<Bound<'py, PyList>> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            let items = arguments::tuples(records)?;
            let pairs = arguments::pairs(&items)?;
            crate::memory::check(pairs.iter().map(|(_, data)| data.0.0.len()).sum())?;
            let new: Vec<NewRecord<'_>> = pairs
                .iter()
                .map(|(key, data)| NewRecord { key, hash_key: None, data: &data.0.0 })
                .collect();
            let mut results = Vec::with_capacity(new.len());
            let each = |put| results.push(PutResult::new(&put));
            let call = self.admit(py, operation::PUT, admitted)?;
            let ticket = self.0.stream.put_batch_admitted(&call, &new, each).map_err(raise)?;
            let pending = self.0.pending(py, ticket, level)?;
            Ok((PyList::new(py, results)?, pending))
        })
    }

    // --- reading --------------------------------------------------------------------------------

    fn read(
        &self,
        py: Python<'_>,
        shard: Option<&str>,
        start: StartArgument,
        after: Option<&str>,
        max: usize,
        wait: Millis,
    ) -> PyResult<RecordBatch> {
        guard(|| {
            let call = self.0.admit(py, operation::READ)?;
            self.read_call(call, shard, (start, after), max, wait)?.block(py)
        })
    }

    #[pyo3(signature = (shard, start, after, max, wait, admitted=None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments of the Python verb")]
    fn begin_read(
        &self,
        py: Python<'_>,
        shard: Option<&str>,
        start: StartArgument,
        after: Option<&str>,
        max: usize,
        wait: Millis,
        admitted: Held<'_>,
    ) -> PyResult<ReadCall> {
        guard(|| {
            let call = self.admit(py, operation::READ, admitted)?;
            self.read_call(call, shard, (start, after), max, wait)
        })
    }

    // --- readers --------------------------------------------------------------------------------

    fn reader(
        &self,
        py: Python<'_>,
        name: &str,
        start: StartArgument,
        lease: Millis,
    ) -> PyResult<Member> {
        guard(|| {
            let member = self.0.change(py, |stream| {
                let (reader, ticket) = stream.reader(name, start.0)?;
                Ok((stream.join(&reader, lease)?, ticket))
            })?;
            Ok(Member::new(&self.0, member))
        })
    }

    fn readers(&self) -> PyResult<Vec<String>> {
        guard(|| {
            self.0.engine.check_open().map_err(raise)?;
            Ok(self.0.stream.all_readers().iter().map(|one| one.name().to_owned()).collect())
        })
    }

    fn remove_reader(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        guard(|| self.0.change(py, |stream| Ok(((), stream.remove_reader(name)?))))
    }

    // --- the stream itself ----------------------------------------------------------------------

    fn shards(&self) -> PyResult<Vec<Shard>> {
        guard(|| {
            self.0.engine.check_open().map_err(raise)?;
            Ok(self.0.stream.shards().all().cloned().map(Shard).collect())
        })
    }

    fn split(&self, py: Python<'_>, shard: &str, at: Option<&str>) -> PyResult<Vec<String>> {
        guard(|| {
            let shard = arguments::shard(shard)?;
            let at = at.map(|at| arguments::hash_key(at, "at")).transpose()?;
            self.reshard(py, |stream| stream.split(shard, at))
        })
    }

    fn merge(&self, py: Python<'_>, first: &str, second: &str) -> PyResult<Vec<String>> {
        guard(|| {
            let (first, second) = (arguments::shard(first)?, arguments::shard(second)?);
            self.reshard(py, |stream| stream.merge(first, second))
        })
    }

    fn resize(&self, py: Python<'_>, shards: u32) -> PyResult<Vec<String>> {
        guard(|| self.reshard(py, |stream| stream.resize(shards)))
    }

    fn set_retention(&self, py: Python<'_>, retention: Millis) -> PyResult<()> {
        guard(|| self.0.change(py, |stream| Ok(((), stream.set_retention(retention)?))))
    }

    fn trim(&self, py: Python<'_>, before: Millis) -> PyResult<()> {
        guard(|| self.0.change(py, |stream| Ok(((), stream.trim(before)?))))
    }

    fn statistics(&self) -> PyResult<StreamStatistics> {
        guard(|| self.0.stream.statistics().map(StreamStatistics).map_err(raise))
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| self.0.change(py, |stream| Ok(((), stream.remove()?))))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Stream>()
}
