//! A member of a reader: fetches and commits.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use trunkline_engine::stream_operation::READ;
use trunkline_engine::{Admitted, StreamMember};
use trunkline_types::sync::atomic::{AtomicU64, Ordering};
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Millis};

use crate::admission::HeldCall;
use crate::error::{guard, invalid, raise};
use crate::pending::PendingWrite;
use crate::stream::batch::RecordBatch;
use crate::stream::handle::StreamHandle;
use crate::stream::reading::ReadCall;

/// Numbers the members of this process, so that each commits only what it fetched.
static NEXT_MEMBER: AtomicU64 = AtomicU64::new(1);

/// A member of a reader of a stream.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Member {
    handle: Arc<StreamHandle>,
    name: String,
    number: u64,
    /// `None` once it has left.
    member: Mutex<Option<Arc<StreamMember>>>,
}

impl Member {
    pub fn new(handle: &Arc<StreamHandle>, member: StreamMember) -> Self {
        let (name, number) =
            (member.reader().name().to_owned(), NEXT_MEMBER.fetch_add(1, Ordering::Relaxed));
        Self { handle: handle.clone(), name, number, member: Mutex::new(Some(Arc::new(member))) }
    }

    /// A fetch that was admitted.
    fn fetch_call(&self, call: Admitted, max: usize, wait: Millis) -> PyResult<ReadCall> {
        Ok(ReadCall::of_member(&self.handle, call, (self.member()?, self.number), max, wait))
    }

    fn member(&self) -> PyResult<Arc<StreamMember>> {
        lock(&self.member).clone().ok_or_else(|| {
            raise(Error::new(
                Code::UnsupportedOperation,
                "The member has left its reader; join again with stream.reader().",
            ))
        })
    }
}

#[pymethods]
impl Member {
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self, py: Python<'_>, max: usize, wait: Millis) -> PyResult<RecordBatch> {
        guard(|| {
            let call = self.handle.admit(py, READ)?;
            self.fetch_call(call, max, wait)?.block(py)
        })
    }

    #[pyo3(signature = (max, wait, admitted=None))]
    fn begin_fetch(
        &self,
        py: Python<'_>,
        max: usize,
        wait: Millis,
        admitted: Option<&HeldCall>,
    ) -> PyResult<ReadCall> {
        guard(|| {
            let call = self.handle.admit_or_hold(py, READ, admitted)?;
            self.fetch_call(call, max, wait)
        })
    }

    fn begin_commit(
        &self,
        py: Python<'_>,
        batch: &RecordBatch,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        guard(|| {
            let member = self.member()?;
            let Some(taken) = batch.taken_by(self.number) else {
                return Err(invalid(
                    "The batch was not fetched by this member of the reader. Reason: A member \
                     commits the batches of its own batches()."
                        .to_owned(),
                ));
            };
            let ticket = member.commit(taken).map_err(raise)?;
            self.handle.pending(py, ticket, self.handle.level)
        })
    }

    /// Leaves the reader: other members take the shards at once.
    fn leave(&self) -> PyResult<()> {
        guard(|| {
            let member = lock(&self.member).take();
            drop(member);
            Ok(())
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Member>()
}
