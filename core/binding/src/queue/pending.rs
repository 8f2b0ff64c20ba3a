//! Sends that were not waited for: their tickets.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTimeoutError;
use pyo3::prelude::*;
use trunkline_engine::{Parker, Sent, Ticket};
use trunkline_types::Durability;

use crate::duration::{WAIT_MAX, millis};
use crate::error::{guard, raise};
use crate::queue::handle::HandleRef;
use crate::queue::sent::{Accepted, SendResult};

/// A send that was not waited for, from :meth:`Queue.send_nowait`.
///
/// >>> import trunkline
/// >>> ticket = trunkline.open().queue("orders").send_nowait("one coffee")
/// >>> ticket.wait(timeout=5).message_id == ticket.message_id
/// True
#[pyclass(frozen, module = "trunkline")]
pub(crate) struct PendingSend {
    handle: HandleRef,
    sent: Sent,
    level: Durability,
}

impl PendingSend {
    pub fn new(handle: HandleRef, sent: Sent, level: Durability) -> Self {
        Self { handle, sent, level }
    }

    fn pending(&self) -> Option<Ticket> {
        self.sent.ticket.filter(|_| self.level > Durability::Memory)
    }

    fn accepted(&self) -> Accepted {
        self.handle.accepted(self.sent)
    }

    fn wait_for(&self, py: Python<'_>, ticket: Ticket, time: u64) -> PyResult<()> {
        let parker = Arc::new(Parker::default());
        let engine = &self.handle.engine;
        engine.notify_when(ticket, self.level, parker.clone()).map_err(raise)?;
        if crate::queue::waiting::park(py, &parker, Duration::from_millis(time))? {
            return self.handle.acknowledge(py, Some(ticket), self.level);
        }
        Err(PyTimeoutError::new_err("The message is not durable yet; wait again."))
    }
}

#[pymethods]
impl PendingSend {
    /// The message's id.
    #[getter]
    fn message_id(&self) -> String {
        self.accepted().message_id()
    }

    /// FIFO: 20 digits that grow in order of sending; None on a standard queue.
    #[getter]
    fn sequence_number(&self) -> Option<String> {
        self.accepted().sequence_number()
    }

    /// Whether the message is durable; raises if it never will be.
    fn done(&self) -> PyResult<bool> {
        guard(|| match self.pending() {
            Some(ticket) => self.handle.engine.is_settled(ticket, self.level).map_err(raise),
            None => Ok(true),
        })
    }

    /// Return when the message is durable; raise TimeoutError after `timeout` seconds.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<SendResult> {
        let timeout = timeout.map(|time| millis(time, "timeout", 0, WAIT_MAX)).transpose()?;
        guard(|| {
            match (self.pending(), timeout) {
                (ticket, None) => self.handle.acknowledge(py, ticket, self.level)?,
                (None, Some(_)) => self.handle.acknowledge(py, None, self.level)?,
                (Some(ticket), Some(time)) => self.wait_for(py, ticket, time)?,
            }
            Ok(SendResult::new(self.accepted()))
        })
    }

    fn __repr__(&self) -> PyResult<String> {
        let state = if self.done()? { "done" } else { "pending" };
        Ok(format!("<PendingSend {}, {state}>", self.message_id()))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PendingSend>()
}
