//! The verbs of a queue's messages: take, call, wrap.
//!
//! A verb has one form that begins it and returns the result with what is still to be waited for;
//! `trunkline.queues` blocks on that, `trunkline.aio` awaits it. The verbs that a program calls for
//! every message have a direct form besides, which blocks.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;
use trunkline_engine::{Delivery, Outgoing, Receive, Sent, Ticket, operation};
use trunkline_types::{Durability, Millis};

use crate::durability::Level;
use crate::error::{guard, raise};
use crate::queue::batch::{self, DeliveryRef, PreparedEntry};
use crate::queue::body::Body;
use crate::queue::handle::Handle;
use crate::queue::leases;
use crate::queue::message::{AsyncMessage, Delivered, Message};
use crate::queue::peeked::PeekedMessage;
use crate::queue::pending::{PendingSend, PendingWrite};
use crate::queue::received::{Received, plain_max};
use crate::queue::results::{BatchResult, SendBatchResult, SendResult};
use crate::waker::{Subscription, Waker};

/// The result of a verb that was begun, and what is still to be waited for.
type Begun<T> = PyResult<(T, Option<Py<PendingWrite>>)>;

/// The verbs of messages; [`crate::queue::management::Queue`] adds those of the queue itself.
#[pyclass(frozen, subclass, module = "trunkline._core")]
pub(crate) struct QueueVerbs(pub Arc<Handle>);

impl QueueVerbs {
    #[inline]
    fn put(&self, py: Python<'_>, message: &Outgoing<'_>) -> PyResult<Sent> {
        crate::memory::check(message.body.len())?;
        self.0.wait_for_capacity(py)?;
        self.0.queue.send(message).map_err(raise)
    }

    /// Receives, waiting up to `wait` for the first message. Applies faults once a call.
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

    /// Receives without waiting.
    #[inline]
    fn take<'py, M: Delivered>(
        &self,
        py: Python<'py>,
        request: &Receive<'_>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut found = Received::<M>::new(py);
        let sink = |delivery: Delivery<'_>| found.push(&self.0, &delivery);
        self.0.queue.try_receive(request, sink).map_err(raise)?;
        found.into_list()
    }

    fn level(&self, durability: Option<Level>) -> PyResult<Durability> {
        self.0.level(durability.map(|level| level.0))
    }

    fn pending(
        &self,
        py: Python<'_>,
        ticket: Option<Ticket>,
        level: Durability,
    ) -> PyResult<Option<Py<PendingWrite>>> {
        PendingWrite::new(py, &self.0, ticket, level)
    }
}

#[pymethods]
impl QueueVerbs {
    // --- direct forms: they block until the engine's promise is kept ---------------------------

    /// Sends a body that brings no options.
    fn send(&self, py: Python<'_>, body: Body<'_>) -> PyResult<SendResult> {
        guard(|| {
            self.0.apply_faults(py, operation::SEND)?;
            let sent = self.put(py, &Outgoing { body: &body.0, ..Outgoing::default() })?;
            self.0.acknowledge(py, sent.ticket, self.0.level)?;
            Ok(SendResult::new(&self.0, sent, 0))
        })
    }

    /// Receives with the queue's own lease and wait. Fast path: returns an empty list if `max` is
    /// not a positive int; the Python method then raises the error.
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
        let request = Receive { max, visibility: visibility_timeout, attempt_id, wait: Some(wait) };
        guard(|| self.take_within(py, request, || wait))
    }

    fn delete(&self, py: Python<'_>, delivery: &Bound<'_, PyAny>) -> PyResult<()> {
        guard(|| {
            self.0.apply_faults(py, operation::DELETE)?;
            let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
            let ticket = self.0.queue.delete(&receipt).map_err(raise)?;
            self.0.acknowledge(py, ticket, self.0.level)
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

    fn delete_batch(
        &self,
        py: Python<'_>,
        deliveries: &Bound<'_, PyList>,
    ) -> PyResult<BatchResult> {
        guard(|| {
            self.0.apply_faults(py, operation::DELETE)?;
            let (result, ticket) = batch::change(py, &self.0, deliveries, None)?;
            self.0.acknowledge(py, ticket, self.0.level)?;
            Ok(result)
        })
    }

    // --- admission: what a begun verb asks for before it does anything --------------------------

    /// Blocks while faults delay `verb` and while senders have to wait for the disk.
    fn admit(&self, py: Python<'_>, verb: &str) -> PyResult<()> {
        guard(|| {
            let verb = crate::faults::verb_named(verb)?;
            self.0.apply_faults(py, verb)?;
            if verb == operation::SEND { self.0.wait_for_capacity(py) } else { Ok(()) }
        })
    }

    /// The faults of `verb`: for how many seconds to wait first, and whether a delivery stays
    /// visible.
    fn check_faults(&self, verb: &str) -> PyResult<(f64, bool)> {
        guard(|| self.0.check_faults(verb))
    }

    /// What has to be written before a send is admitted; `None` when nothing has.
    fn capacity(&self, py: Python<'_>) -> PyResult<Option<Py<PendingWrite>>> {
        let engine = &self.0.engine;
        if engine.has_capacity() {
            return Ok(None);
        }
        guard(|| match engine.unwritten() {
            Some(ticket) => PendingWrite::new(py, &self.0, Some(ticket), Durability::Os),
            // The next segment is being made, or the disk is full, which the wait says.
            None => self.0.wait_for_capacity(py).map(|()| None),
        })
    }

    // --- begun verbs: they never block once admitted --------------------------------------------

    #[pyo3(signature = (body, group=None, dedup_id=None, delay=None, attributes=None,
        durability=None, *, admitted=false))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn begin_send(
        &self,
        py: Python<'_>,
        body: Body<'_>,
        group: Option<&str>,
        dedup_id: Option<&str>,
        delay: Option<Millis>,
        attributes: Option<&[u8]>,
        durability: Option<Level>,
        admitted: bool,
    ) -> Begun<SendResult> {
        guard(|| {
            let level = self.level(durability)?;
            self.0.check_send_admitted(admitted)?;
            let attributes = attributes.unwrap_or_default();
            let message = Outgoing { body: &body.0, attributes, group, dedup_id, delay };
            let sent = self.put(py, &message)?;
            let pending = self.pending(py, sent.ticket, level)?;
            Ok((SendResult::new(&self.0, sent, 0), pending))
        })
    }

    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
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
            let level = self.level(durability)?;
            self.0.apply_faults(py, operation::SEND)?;
            let attributes = attributes.unwrap_or_default();
            let message = Outgoing { body: &body.0, attributes, group, dedup_id, delay };
            let sent = self.put(py, &message)?;
            self.0.engine.flush_in_background(level.max(Durability::Os)).map_err(raise)?;
            Ok(PendingSend::new(self.0.clone(), sent, level))
        })
    }

    /// Sends bodies without options; `None`, and nothing sent, if anything else is among them.
    #[pyo3(signature = (entries, durability=None, *, admitted=false))]
    fn begin_send_batch(
        &self,
        py: Python<'_>,
        entries: &Bound<'_, PyList>,
        durability: Option<Level>,
        admitted: bool,
    ) -> Begun<Option<SendBatchResult>> {
        guard(|| {
            let level = self.level(durability)?;
            let before = || self.0.check_send_admitted(admitted);
            let Some((result, ticket)) = batch::send_plain(py, &self.0, entries, before)? else {
                return Ok((None, None));
            };
            Ok((Some(result), self.pending(py, ticket, level)?))
        })
    }

    #[pyo3(signature = (entries, indexes, failed, durability=None, *, admitted=false))]
    fn begin_send_prepared(
        &self,
        py: Python<'_>,
        entries: Vec<PreparedEntry<'_>>,
        indexes: Vec<u32>,
        failed: Vec<(u32, String, String)>,
        durability: Option<Level>,
        admitted: bool,
    ) -> Begun<SendBatchResult> {
        guard(|| {
            let level = self.level(durability)?;
            self.0.check_send_admitted(admitted)?;
            let (result, ticket) = batch::send_prepared(py, &self.0, &entries, indexes, failed)?;
            Ok((result, self.pending(py, ticket, level)?))
        })
    }

    /// Receives with the queue's own lease, without waiting; returns nothing while faults are set.
    fn receive_now<'py>(
        &self,
        py: Python<'py>,
        max: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        // At the limit of messages in flight the call with all arguments decides what to answer.
        let wait = Some(Millis::MAX);
        let request = Receive { max: plain_max(max), wait, ..Receive::default() };
        if request.max == 0 || self.0.has_faults() {
            return Ok(PyList::empty(py));
        }
        guard(|| self.take::<AsyncMessage>(py, &request))
    }

    fn receive_now_with<'py>(
        &self,
        py: Python<'py>,
        max: usize,
        visibility_timeout: Option<Millis>,
        attempt_id: Option<&str>,
        wait: Millis,
    ) -> PyResult<Bound<'py, PyList>> {
        let request = Receive { max, visibility: visibility_timeout, attempt_id, wait: Some(wait) };
        guard(|| self.take::<AsyncMessage>(py, &request))
    }

    #[pyo3(signature = (delivery, durability=None, *, admitted=false))]
    fn begin_delete(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        durability: Option<Level>,
        admitted: bool,
    ) -> Begun<()> {
        guard(|| {
            let level = self.level(durability)?;
            self.0.check_admitted(admitted)?;
            let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
            let ticket = self.0.queue.delete(&receipt).map_err(raise)?;
            Ok(((), self.pending(py, ticket, level)?))
        })
    }

    #[pyo3(signature = (delivery, visibility_timeout, durability=None, *, admitted=false))]
    fn begin_extend(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        visibility_timeout: Millis,
        durability: Option<Level>,
        admitted: bool,
    ) -> Begun<()> {
        guard(|| {
            let level = self.level(durability)?;
            self.0.check_admitted(admitted)?;
            let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
            let ticket = self.0.queue.extend(&receipt, visibility_timeout).map_err(raise)?;
            Ok(((), self.pending(py, ticket, level)?))
        })
    }

    /// Deletes, or with a `visibility_timeout` extends, each of `deliveries`.
    #[pyo3(signature = (deliveries, visibility_timeout=None, durability=None, *, admitted=false))]
    fn begin_batch(
        &self,
        py: Python<'_>,
        deliveries: &Bound<'_, PyList>,
        visibility_timeout: Option<Millis>,
        durability: Option<Level>,
        admitted: bool,
    ) -> Begun<BatchResult> {
        guard(|| {
            let level = self.level(durability)?;
            self.0.check_admitted(admitted)?;
            let (result, ticket) = batch::change(py, &self.0, deliveries, visibility_timeout)?;
            Ok((result, self.pending(py, ticket, level)?))
        })
    }

    /// A worker's heartbeat: extends the leases of what its handler has not settled.
    #[pyo3(signature = (messages, visibility_timeout, *, admitted=false))]
    fn begin_extend_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        visibility_timeout: Millis,
        admitted: bool,
    ) -> Begun<()> {
        guard(|| {
            self.0.check_admitted(admitted)?;
            let ticket = leases::extend_unsettled(&self.0, messages, visibility_timeout)?;
            Ok(((), self.pending(py, ticket, self.0.level)?))
        })
    }

    /// Makes visible again what a worker's handler failed at and has not settled, each message
    /// after its delay.
    #[pyo3(signature = (messages, delays, *, admitted=false))]
    fn begin_release_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        delays: Vec<Millis>,
        admitted: bool,
    ) -> Begun<()> {
        guard(|| {
            self.0.check_admitted(admitted)?;
            let ticket = leases::release_unsettled(&self.0, messages, &delays)?;
            Ok(((), self.pending(py, ticket, self.0.level)?))
        })
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

    // --- waiting for a message ------------------------------------------------------------------

    /// When a wait that starts now ends on a virtual clock; `None` on the system's.
    fn deadline(&self, wait: Millis) -> Option<Millis> {
        let clock = self.0.engine.clock();
        clock.is_virtual().then(|| clock.now().saturating_add(wait))
    }

    /// Joins the waiters of the queue: `waker` signals `token` once, when a receive may find a
    /// message or, on a virtual clock, at `deadline`.
    fn subscribe(
        &self,
        waker: &Waker,
        token: u64,
        deadline: Option<Millis>,
    ) -> PyResult<Subscription> {
        guard(|| {
            let id = self.0.queue.subscribe_until(waker.signal(token), deadline);
            Ok(Subscription::new(self.0.queue.clone(), id))
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<QueueVerbs>()
}
