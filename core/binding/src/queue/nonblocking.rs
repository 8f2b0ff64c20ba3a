//! The verbs of a queue for event loops: begun here, waited for there.
//!
//! Each returns what its blocking twin returns, and what is still to be waited for, if anything.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;
use trunkline_engine::{Outgoing, Receive};
use trunkline_types::{Durability, Millis};

use crate::durability::Level;
use crate::error::guard;
use crate::queue::batch::{self, PreparedEntry};
use crate::queue::body::Body;
use crate::queue::handle::Handle;
use crate::queue::leases;
use crate::queue::message::AsyncMessage;
use crate::queue::pending::PendingWrite;
use crate::queue::received::plain_max;
use crate::queue::results::{BatchResult, SendBatchResult, SendResult};
use crate::queue::verbs::Queue;
use crate::waker::{Subscription, Waker};

/// A queue whose verbs never wait, not even for faults: who calls them asks for those first.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct NonBlocking(Queue);

impl NonBlocking {
    fn handle(&self) -> &Arc<Handle> {
        &self.0.0
    }

    fn level(&self, durability: Option<Level>) -> PyResult<Durability> {
        self.handle().level(durability.map(|level| level.0))
    }

    fn pending(
        &self,
        py: Python<'_>,
        ticket: Option<trunkline_engine::Ticket>,
        level: Durability,
    ) -> PyResult<Option<PendingWrite>> {
        PendingWrite::new(py, self.handle(), ticket, level)
    }
}

#[pymethods]
impl NonBlocking {
    #[new]
    fn new(queue: &Queue) -> Self {
        Self(Queue(queue.0.clone()))
    }

    /// Whether there are faults to ask for.
    #[getter]
    fn has_faults(&self) -> bool {
        self.handle().has_faults()
    }

    /// The faults of `verb`: for how many seconds to wait first, and whether a delivery stays
    /// visible.
    fn check_faults(&self, verb: &str) -> PyResult<(f64, bool)> {
        guard(|| self.handle().check_faults(verb))
    }

    /// `None`, and nothing sent, when there are faults to ask for, or room to wait for.
    fn send(
        &self,
        py: Python<'_>,
        body: Body<'_>,
    ) -> PyResult<Option<(SendResult, Option<PendingWrite>)>> {
        if self.handle().has_faults() || !self.handle().engine.has_capacity() {
            return Ok(None);
        }
        guard(|| {
            let sent = self.0.put(py, &Outgoing { body: &body.0, ..Outgoing::default() })?;
            let pending = self.pending(py, sent.ticket, self.handle().level)?;
            Ok(Some((SendResult::new(self.handle(), sent, 0), pending)))
        })
    }

    /// What has to be written before there is room for more; `None` when there is room.
    fn capacity(&self, py: Python<'_>) -> PyResult<Option<PendingWrite>> {
        let engine = &self.handle().engine;
        if engine.has_capacity() {
            return Ok(None);
        }
        guard(|| match engine.unwritten() {
            Some(place) => PendingWrite::new(py, self.handle(), Some(place), Durability::Os),
            // The next segment is being made, or the disk is full and that is said.
            None => self.handle().wait_for_capacity(py).map(|()| None),
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn send_with(
        &self,
        py: Python<'_>,
        body: Body<'_>,
        group: Option<&str>,
        dedup_id: Option<&str>,
        delay: Option<Millis>,
        attributes: Option<&[u8]>,
        durability: Option<Level>,
    ) -> PyResult<(SendResult, Option<PendingWrite>)> {
        guard(|| {
            let level = self.level(durability)?;
            let attributes = attributes.unwrap_or_default();
            let message = Outgoing { body: &body.0, attributes, group, dedup_id, delay };
            let sent = self.0.put(py, &message)?;
            let pending = self.pending(py, sent.ticket, level)?;
            Ok((SendResult::new(self.handle(), sent, 0), pending))
        })
    }

    fn send_batch(
        &self,
        py: Python<'_>,
        entries: &Bound<'_, PyList>,
    ) -> PyResult<Option<(SendBatchResult, Option<PendingWrite>)>> {
        guard(|| {
            let Some((result, ticket)) = batch::send_plain(py, self.handle(), entries, || Ok(()))?
            else {
                return Ok(None);
            };
            Ok(Some((result, self.pending(py, ticket, self.handle().level)?)))
        })
    }

    fn send_prepared(
        &self,
        py: Python<'_>,
        entries: Vec<PreparedEntry<'_>>,
        indexes: Vec<u32>,
        failed: Vec<(u32, String, String)>,
        durability: Option<Level>,
    ) -> PyResult<(SendBatchResult, Option<PendingWrite>)> {
        guard(|| {
            let level = self.level(durability)?;
            let (result, ticket) =
                batch::send_prepared(py, self.handle(), &entries, indexes, failed)?;
            Ok((result, self.pending(py, ticket, level)?))
        })
    }

    /// What is there now, with the queue's own lease; nothing when there are faults to ask for.
    fn receive<'py>(
        &self,
        py: Python<'py>,
        max: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        if self.handle().has_faults() {
            return Ok(PyList::empty(py));
        }
        let request = Receive { max: plain_max(max), ..Receive::default() };
        guard(|| self.0.take::<AsyncMessage>(py, &request))
    }

    fn receive_with<'py>(
        &self,
        py: Python<'py>,
        max: usize,
        visibility_timeout: Option<Millis>,
        attempt_id: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        let request = Receive { max, visibility: visibility_timeout, attempt_id };
        guard(|| self.0.take::<AsyncMessage>(py, &request))
    }

    fn delete(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        durability: Option<Level>,
    ) -> PyResult<Option<PendingWrite>> {
        guard(|| {
            let level = self.level(durability)?;
            let ticket = self.0.delete_message(delivery)?;
            self.pending(py, ticket, level)
        })
    }

    fn extend(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        visibility_timeout: Millis,
        durability: Option<Level>,
    ) -> PyResult<Option<PendingWrite>> {
        guard(|| {
            let level = self.level(durability)?;
            let ticket = self.0.change_lease(delivery, visibility_timeout)?;
            self.pending(py, ticket, level)
        })
    }

    fn delete_batch(
        &self,
        py: Python<'_>,
        deliveries: &Bound<'_, PyList>,
        durability: Option<Level>,
    ) -> PyResult<(BatchResult, Option<PendingWrite>)> {
        guard(|| {
            let level = self.level(durability)?;
            let (result, ticket) = batch::change(py, self.handle(), deliveries, None)?;
            Ok((result, self.pending(py, ticket, level)?))
        })
    }

    fn extend_batch(
        &self,
        py: Python<'_>,
        deliveries: &Bound<'_, PyList>,
        visibility_timeout: Millis,
        durability: Option<Level>,
    ) -> PyResult<(BatchResult, Option<PendingWrite>)> {
        guard(|| {
            let level = self.level(durability)?;
            let visibility = Some(visibility_timeout);
            let (result, ticket) = batch::change(py, self.handle(), deliveries, visibility)?;
            Ok((result, self.pending(py, ticket, level)?))
        })
    }

    fn extend_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        visibility_timeout: Millis,
    ) -> PyResult<Option<PendingWrite>> {
        guard(|| {
            let ticket = leases::extend_unsettled(self.handle(), messages, visibility_timeout)?;
            self.pending(py, ticket, self.handle().level)
        })
    }

    fn release_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        delays: Vec<Millis>,
    ) -> PyResult<Option<PendingWrite>> {
        guard(|| {
            let ticket = leases::release_unsettled(self.handle(), messages, &delays)?;
            self.pending(py, ticket, self.handle().level)
        })
    }

    /// When a wait that starts now ends on a virtual clock; `None` on the system's.
    fn deadline(&self, wait: Millis) -> Option<Millis> {
        let clock = self.handle().engine.clock();
        clock.is_virtual().then(|| clock.now().saturating_add(wait))
    }

    /// Gets in line for a message: rings `waker` with `token` once. On a virtual clock also when it
    /// reaches `deadline`.
    fn subscribe(
        &self,
        waker: &Waker,
        token: u64,
        deadline: Option<Millis>,
    ) -> PyResult<Subscription> {
        guard(|| {
            let queue = &self.handle().queue;
            let id = queue.subscribe_until(waker.signal(token), deadline);
            Ok(Subscription::new(queue.clone(), id))
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<NonBlocking>()
}
