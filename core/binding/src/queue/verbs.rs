//! The verbs of a queue: take, call, wrap.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use trunkline_engine::{Delivery, Outgoing, Receive, Sent, Ticket, operation};
use trunkline_types::{Durability, Millis, Result};

use crate::durability::Level;
use crate::error::{guard, raise};
use crate::queue::batch::{self, DeliveryRef, PreparedEntry};
use crate::queue::body::Body;
use crate::queue::config::QueueSettings;
use crate::queue::handle::Handle;
use crate::queue::leases;
use crate::queue::message::{Delivered, Message};
use crate::queue::peeked::PeekedMessage;
use crate::queue::pending::PendingSend;
use crate::queue::received::{Received, plain_max};
use crate::queue::results::{BatchResult, SendBatchResult, SendResult};
use crate::queue::statistics::QueueStatistics;

/// A queue of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Queue(pub Arc<Handle>);

impl Queue {
    #[inline]
    pub fn put(&self, py: Python<'_>, message: &Outgoing<'_>) -> PyResult<Sent> {
        self.0.wait_for_capacity(py)?;
        self.0.queue.send(message).map_err(raise)
    }

    /// What is there within `wait`. Asks for faults once, however often it tries.
    #[inline]
    fn take_within<'py>(
        &self,
        py: Python<'py>,
        mut request: Receive<'_>,
        wait: impl FnOnce() -> Millis,
    ) -> PyResult<Bound<'py, PyList>> {
        if self.0.apply_faults(py, operation::RECEIVE)? {
            request.visibility = Some(0);
        }
        let found = self.take::<Message>(py, &request)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let wait = wait();
        if wait == 0 {
            return Ok(found);
        }
        let some =
            || Ok(Some(self.take::<Message>(py, &request)?).filter(|found| !found.is_empty()));
        Ok(crate::queue::waiting::until(py, &self.0, wait, some)?.unwrap_or(found))
    }

    /// What is there now, without waiting.
    #[inline]
    pub fn take<'py, M: Delivered>(
        &self,
        py: Python<'py>,
        request: &Receive<'_>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut found = Received::<M>::new(py);
        let sink = |delivery: Delivery<'_>| found.push(&self.0, &delivery);
        self.0.queue.try_receive(request, sink).map_err(raise)?;
        found.into_list()
    }

    pub fn delete_message(&self, delivery: &Bound<'_, PyAny>) -> PyResult<Option<Ticket>> {
        let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
        self.0.queue.delete(&receipt).map_err(raise)
    }

    pub fn change_lease(
        &self,
        delivery: &Bound<'_, PyAny>,
        visibility: Millis,
    ) -> PyResult<Option<Ticket>> {
        let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
        self.0.queue.extend(&receipt, visibility).map_err(raise)
    }

    /// A verb that touches the whole queue: detached, because it may take long, and durable at the
    /// engine's level when it returns.
    fn control(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> Result<Option<Ticket>> + Send,
    ) -> PyResult<()> {
        let ticket = py.detach(verb).map_err(raise)?;
        self.0.acknowledge(py, ticket, self.0.level)
    }
}

#[pymethods]
impl Queue {
    /// Sends a body that brings no options.
    fn send(&self, py: Python<'_>, body: Body<'_>) -> PyResult<SendResult> {
        guard(|| {
            self.0.apply_faults(py, operation::SEND)?;
            let sent = self.put(py, &Outgoing { body: &body.0, ..Outgoing::default() })?;
            self.0.acknowledge(py, sent.ticket, self.0.level)?;
            Ok(SendResult::new(&self.0, sent, 0))
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
    ) -> PyResult<SendResult> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            let attributes = attributes.unwrap_or_default();
            self.0.apply_faults(py, operation::SEND)?;
            let sent =
                self.put(py, &Outgoing { body: &body.0, attributes, group, dedup_id, delay })?;
            self.0.acknowledge(py, sent.ticket, level)?;
            Ok(SendResult::new(&self.0, sent, 0))
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn send_nowait(
        &self,
        py: Python<'_>,
        body: Body<'_>,
        group: Option<&str>,
        dedup_id: Option<&str>,
        delay: Option<Millis>,
        attributes: Option<&[u8]>,
        durability: Option<Level>,
    ) -> PyResult<PendingSend> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            let attributes = attributes.unwrap_or_default();
            self.0.apply_faults(py, operation::SEND)?;
            let sent =
                self.put(py, &Outgoing { body: &body.0, attributes, group, dedup_id, delay })?;
            self.0.engine.flush_in_background(level.max(Durability::Os)).map_err(raise)?;
            Ok(PendingSend::new(self.0.clone(), sent, level))
        })
    }

    /// Sends bodies without options; `None`, and nothing sent, if anything else is among them.
    fn send_batch(
        &self,
        py: Python<'_>,
        entries: &Bound<'_, PyList>,
    ) -> PyResult<Option<SendBatchResult>> {
        guard(|| {
            let before = || self.0.apply_faults(py, operation::SEND).map(drop);
            let Some((result, ticket)) = batch::send_plain(py, &self.0, entries, before)? else {
                return Ok(None);
            };
            self.0.acknowledge(py, ticket, self.0.level)?;
            Ok(Some(result))
        })
    }

    fn send_prepared(
        &self,
        py: Python<'_>,
        entries: Vec<PreparedEntry<'_>>,
        indexes: Vec<u32>,
        failed: Vec<(u32, String, String)>,
        durability: Option<Level>,
    ) -> PyResult<SendBatchResult> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            self.0.apply_faults(py, operation::SEND)?;
            let (result, ticket) = batch::send_prepared(py, &self.0, &entries, indexes, failed)?;
            self.0.acknowledge(py, ticket, level)?;
            Ok(result)
        })
    }

    /// What is there, with the queue's own lease and wait. Nothing for what is no count: the
    /// package, which looks closer when nothing was found, says what is wrong with it.
    fn receive<'py>(
        &self,
        py: Python<'py>,
        max: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let request = Receive { max: plain_max(max), ..Receive::default() };
        if request.max == 0 {
            return Ok(PyList::empty(py));
        }
        guard(|| self.take_within(py, request, || self.0.queue.config().receive_wait))
    }

    fn receive_with<'py>(
        &self,
        py: Python<'py>,
        max: usize,
        wait: Millis,
        visibility_timeout: Option<Millis>,
        attempt_id: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        let request = Receive { max, visibility: visibility_timeout, attempt_id };
        guard(|| self.take_within(py, request, || wait))
    }

    fn peek<'py>(
        &self,
        py: Python<'py>,
        max: usize,
        include_in_flight: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        guard(|| {
            let mut found = Received::<PeekedMessage>::new(py);
            let sink = |delivery: Delivery<'_>| found.push(&self.0, &delivery);
            self.0.queue.peek(max, include_in_flight, sink).map_err(raise)?;
            found.into_list()
        })
    }

    #[pyo3(signature = (delivery, durability=None))]
    fn delete(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        durability: Option<Level>,
    ) -> PyResult<()> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            self.0.apply_faults(py, operation::DELETE)?;
            let ticket = self.delete_message(delivery)?;
            self.0.acknowledge(py, ticket, level)
        })
    }

    #[pyo3(signature = (delivery, visibility_timeout, durability=None))]
    fn extend(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        visibility_timeout: Millis,
        durability: Option<Level>,
    ) -> PyResult<()> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            self.0.apply_faults(py, operation::EXTEND)?;
            let ticket = self.change_lease(delivery, visibility_timeout)?;
            self.0.acknowledge(py, ticket, level)
        })
    }

    #[pyo3(signature = (deliveries, durability=None))]
    fn delete_batch(
        &self,
        py: Python<'_>,
        deliveries: &Bound<'_, PyList>,
        durability: Option<Level>,
    ) -> PyResult<BatchResult> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            self.0.apply_faults(py, operation::DELETE)?;
            let (result, ticket) = batch::change(py, &self.0, deliveries, None)?;
            self.0.acknowledge(py, ticket, level)?;
            Ok(result)
        })
    }

    #[pyo3(signature = (deliveries, visibility_timeout, durability=None))]
    fn extend_batch(
        &self,
        py: Python<'_>,
        deliveries: &Bound<'_, PyList>,
        visibility_timeout: Millis,
        durability: Option<Level>,
    ) -> PyResult<BatchResult> {
        guard(|| {
            let level = self.0.level(durability.map(|level| level.0))?;
            self.0.apply_faults(py, operation::EXTEND)?;
            let (result, ticket) =
                batch::change(py, &self.0, deliveries, Some(visibility_timeout))?;
            self.0.acknowledge(py, ticket, level)?;
            Ok(result)
        })
    }

    /// A worker's heartbeat: extends the leases of what its handler has not settled.
    fn extend_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        visibility_timeout: Millis,
    ) -> PyResult<()> {
        guard(|| {
            self.0.apply_faults(py, operation::EXTEND)?;
            let ticket = leases::extend_unsettled(&self.0, messages, visibility_timeout)?;
            self.0.acknowledge(py, ticket, self.0.level)
        })
    }

    /// What a worker's handler failed at and has not settled becomes visible, each after its delay.
    fn release_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        delays: Vec<Millis>,
    ) -> PyResult<()> {
        guard(|| {
            self.0.apply_faults(py, operation::EXTEND)?;
            let ticket = leases::release_unsettled(&self.0, messages, &delays)?;
            self.0.acknowledge(py, ticket, self.0.level)
        })
    }

    /// Fails if the engine is closed or forked, or the queue removed: then nothing may be asked.
    fn check_present(&self) -> PyResult<()> {
        // Before any lock, which a forked child may find held for ever.
        guard(|| self.0.queue.check_readable().map_err(raise))
    }

    fn purge(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| self.control(py, || self.0.queue.purge()))
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| self.control(py, || self.0.queue.remove()))
    }

    fn configure(&self, py: Python<'_>, settings: &QueueSettings, document: &[u8]) -> PyResult<()> {
        let config = settings.0.clone();
        guard(|| self.control(py, || self.0.queue.configure(config, document)))
    }

    fn statistics(&self) -> PyResult<QueueStatistics> {
        guard(|| self.0.queue.statistics().map(QueueStatistics).map_err(raise))
    }

    #[pyo3(signature = (destination, rate))]
    fn start_move(
        &self,
        py: Python<'_>,
        destination: Option<u32>,
        rate: Option<u32>,
    ) -> PyResult<u32> {
        let destination = destination.map(trunkline_types::ResourceId);
        guard(|| {
            let start = || self.0.engine.start_redrive(self.0.queue.id(), destination, rate);
            let (task, ticket) = py.detach(start).map_err(raise)?;
            self.0.acknowledge(py, ticket, self.0.level)?;
            Ok(task)
        })
    }

    #[getter]
    fn id(&self) -> u32 {
        self.0.queue.id().0
    }

    #[getter]
    fn name(&self) -> String {
        self.0.queue.name().name.clone()
    }

    #[getter]
    fn account(&self) -> String {
        self.0.queue.name().account.clone()
    }

    #[getter]
    fn region(&self) -> String {
        self.0.queue.name().region.clone()
    }

    #[getter]
    fn fifo(&self) -> bool {
        self.0.fifo
    }

    #[getter]
    fn settings(&self) -> PyResult<QueueSettings> {
        self.check_present()?;
        Ok(QueueSettings(self.0.queue.config()))
    }

    #[getter]
    fn document<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.check_present()?;
        Ok(PyBytes::new(py, &self.0.queue.document()))
    }

    #[getter]
    fn created_at(&self) -> PyResult<f64> {
        self.check_present()?;
        Ok(self.0.queue.created() as f64 / 1_000.0)
    }

    #[getter]
    fn modified_at(&self) -> PyResult<f64> {
        self.check_present()?;
        Ok(self.0.queue.modified() as f64 / 1_000.0)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Queue>()
}
