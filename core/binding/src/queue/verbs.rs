//! The verbs of a queue's messages: take, call, wrap.
//!
//! A verb begins and returns the result with what is still to be waited for; `trunkline.queues`
//! blocks on that, `trunkline.aio` awaits it. The verbs that a program calls for every message have
//! shorter ways: `blocking.rs` and `awaitable/`.

use pyo3::prelude::*;
use pyo3::types::PyList;
use trunkline_engine::{Admitted, Delivery, Operation, Outgoing, Receive, Ticket, operation};
use trunkline_types::{Durability, Millis};

use crate::admission::HeldCall;
use crate::durability::Level;
use crate::error::{guard, raise};
use crate::pending::PendingWrite;
use crate::queue::batch::{self, DeliveryRef, PreparedEntry};
use crate::queue::body::Body;
use crate::queue::handle::HandleRef;
use crate::queue::leases;
use crate::queue::peeked::PeekedMessage;
use crate::queue::pending::PendingSend;
use crate::queue::received::{Received, take_within};
use crate::queue::receiving::ReceiveCall;
use crate::queue::results::{BatchResult, SendBatchResult};
use crate::queue::sent::SendResult;

/// A call that was held up, and may start now.
type Held<'py> = Option<&'py Bound<'py, HeldCall>>;

/// The result of a verb that was begun, and what is still to be waited for.
type Begun<T> = PyResult<(T, Option<Py<PendingWrite>>)>;

/// The verbs of messages; [`crate::queue::management::Queue`] adds those of the queue itself.
#[pyclass(frozen, subclass, module = "trunkline._core")]
pub(crate) struct QueueVerbs(pub HandleRef);

impl QueueVerbs {
    #[inline]
    fn admit(&self, py: Python<'_>, operation: Operation, held: Held<'_>) -> PyResult<Admitted> {
        self.0.admit_or_hold(py, operation, held.map(|held| held.get()))
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
        self.0.pending(py, ticket, level)
    }
}

#[pymethods]
impl QueueVerbs {
    fn receive_with<'py>(
        &self,
        py: Python<'py>,
        max: usize,
        wait: Millis,
        visibility_timeout: Option<Millis>,
        attempt_id: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        let request = Receive { max, visibility: visibility_timeout, attempt_id, wait: Some(wait) };
        guard(|| take_within(py, &self.0, &request, || wait))
    }

    // --- begun verbs: they never block, and raise `NotAdmitted` where a call has to wait -------

    #[pyo3(signature = (body, group=None, dedup_id=None, delay=None, attributes=None,
        durability=None, *, admitted=None))]
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
        admitted: Held<'_>,
    ) -> Begun<Py<SendResult>> {
        guard(|| {
            let level = self.level(durability)?;
            let call = self.admit(py, operation::SEND, admitted)?;
            let attributes = attributes.unwrap_or_default();
            let message = Outgoing { body: &body.0, attributes, group, dedup_id, delay };
            let sent = self.0.put(&call, &message)?;
            let pending = self.pending(py, sent.ticket, level)?;
            Ok((self.0.result(py, sent)?.unbind(), pending))
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
            let call = self.0.admit(py, operation::SEND)?;
            let attributes = attributes.unwrap_or_default();
            let message = Outgoing { body: &body.0, attributes, group, dedup_id, delay };
            let sent = self.0.put(&call, &message)?;
            self.0.engine.flush_in_background(level.max(Durability::Os)).map_err(raise)?;
            Ok(PendingSend::new(self.0.clone_ref(py), sent, level))
        })
    }

    /// Sends bodies without options; `None`, and nothing sent, if anything else is among them.
    #[pyo3(signature = (entries, durability=None, *, admitted=None))]
    fn begin_send_batch(
        &self,
        py: Python<'_>,
        entries: &Bound<'_, PyList>,
        durability: Option<Level>,
        admitted: Held<'_>,
    ) -> Begun<Option<SendBatchResult>> {
        guard(|| {
            let level = self.level(durability)?;
            let admit = || self.admit(py, operation::SEND, admitted);
            let Some((result, ticket)) = batch::send_plain(py, &self.0, entries, admit)? else {
                return Ok((None, None));
            };
            Ok((Some(result), self.pending(py, ticket, level)?))
        })
    }

    #[pyo3(signature = (entries, indexes, failed, durability=None, *, admitted=None))]
    fn begin_send_prepared(
        &self,
        py: Python<'_>,
        entries: Vec<PreparedEntry<'_>>,
        indexes: Vec<u32>,
        failed: Vec<(u32, String, String)>,
        durability: Option<Level>,
        admitted: Held<'_>,
    ) -> Begun<SendBatchResult> {
        guard(|| {
            let level = self.level(durability)?;
            let call = self.admit(py, operation::SEND, admitted)?;
            let (result, ticket) =
                batch::send_prepared(py, (&self.0, &call), &entries, indexes, failed)?;
            Ok((result, self.pending(py, ticket, level)?))
        })
    }

    #[pyo3(signature = (max, visibility_timeout, attempt_id, wait, *, admitted=None))]
    fn begin_receive(
        &self,
        py: Python<'_>,
        max: usize,
        visibility_timeout: Option<Millis>,
        attempt_id: Option<&str>,
        wait: Millis,
        admitted: Held<'_>,
    ) -> PyResult<ReceiveCall> {
        guard(|| {
            let call = self.admit(py, operation::RECEIVE, admitted)?;
            let visibility = visibility_timeout;
            let request = Receive { max, visibility, attempt_id, wait: Some(wait) };
            Ok(ReceiveCall::new(py, &self.0, call, &request))
        })
    }

    #[pyo3(signature = (delivery, durability=None, *, admitted=None))]
    fn begin_delete(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        durability: Option<Level>,
        admitted: Held<'_>,
    ) -> Begun<()> {
        guard(|| {
            let level = self.level(durability)?;
            let call = self.admit(py, operation::DELETE, admitted)?;
            let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
            let ticket = self.0.queue.delete_admitted(&call, &receipt).map_err(raise)?;
            Ok(((), self.pending(py, ticket, level)?))
        })
    }

    #[pyo3(signature = (delivery, visibility_timeout, durability=None, *, admitted=None))]
    fn begin_extend(
        &self,
        py: Python<'_>,
        delivery: &Bound<'_, PyAny>,
        visibility_timeout: Millis,
        durability: Option<Level>,
        admitted: Held<'_>,
    ) -> Begun<()> {
        guard(|| {
            let level = self.level(durability)?;
            let call = self.admit(py, operation::EXTEND, admitted)?;
            let receipt = DeliveryRef::of(delivery.clone())?.receipt(&self.0).map_err(raise)?;
            let extended = self.0.queue.extend_admitted(&call, &receipt, visibility_timeout);
            let ticket = extended.map_err(raise)?;
            Ok(((), self.pending(py, ticket, level)?))
        })
    }

    /// Deletes, or with a `visibility_timeout` extends, each of `deliveries`.
    #[pyo3(signature = (deliveries, visibility_timeout=None, durability=None, *, admitted=None))]
    fn begin_batch(
        &self,
        py: Python<'_>,
        deliveries: &Bound<'_, PyList>,
        visibility_timeout: Option<Millis>,
        durability: Option<Level>,
        admitted: Held<'_>,
    ) -> Begun<BatchResult> {
        guard(|| {
            let level = self.level(durability)?;
            let operation = visibility_timeout.map_or(operation::DELETE, |_| operation::EXTEND);
            let call = self.admit(py, operation, admitted)?;
            let (result, ticket) =
                batch::change(py, (&self.0, &call), deliveries, visibility_timeout)?;
            Ok((result, self.pending(py, ticket, level)?))
        })
    }

    /// A worker's heartbeat: extends the leases of what its handler has not settled.
    #[pyo3(signature = (messages, visibility_timeout, *, admitted=None))]
    fn begin_extend_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        visibility_timeout: Millis,
        admitted: Held<'_>,
    ) -> Begun<()> {
        guard(|| {
            let call = self.admit(py, operation::EXTEND, admitted)?;
            let ticket = leases::extend_unsettled((&self.0, &call), messages, visibility_timeout)?;
            Ok(((), self.pending(py, ticket, self.0.level)?))
        })
    }

    /// Makes visible again what a worker's handler failed at and has not settled, each message
    /// after its delay.
    #[pyo3(signature = (messages, delays, *, admitted=None))]
    fn begin_release_unsettled(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyList>,
        delays: Vec<Millis>,
        admitted: Held<'_>,
    ) -> Begun<()> {
        guard(|| {
            let call = self.admit(py, operation::EXTEND, admitted)?;
            let ticket = leases::release_unsettled((&self.0, &call), messages, &delays)?;
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
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<QueueVerbs>()
}
