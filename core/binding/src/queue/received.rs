//! The arguments and the messages of one receive.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList};
use trunkline_engine::{Admitted, Delivery, Receive, Ticket};

use crate::error::raise;
use crate::queue::handle::Handle;
use crate::queue::message::Delivered;

/// The `max` of a plain receive; 0 for anything but a positive int, which the Python method then
/// refuses with an error.
#[inline]
pub(crate) fn plain_max(max: &Bound<'_, PyAny>) -> usize {
    match max.is_exact_instance_of::<PyInt>().then(|| max.extract::<i32>()) {
        Some(Ok(max)) => usize::try_from(max).unwrap_or(0),
        _ => 0,
    }
}

/// Receives without waiting, as an attempt of `call`: the messages, and what to settle before they
/// are handed out.
#[inline]
pub(crate) fn take<'py, M: Delivered>(
    py: Python<'py>,
    handle: &Arc<Handle>,
    call: &Admitted,
    request: &Receive<'_>,
) -> PyResult<(Bound<'py, PyList>, Option<Ticket>)> {
    let mut found = Received::<M>::new(py);
    let sink = |delivery: Delivery<'_>| found.push(handle, &delivery);
    let received = handle.queue.receive_admitted(call, request, sink).map_err(raise)?;
    Ok((found.into_list()?, received.ticket))
}

/// The messages of one receive, made where they are delivered: the engine holds no lock then.
pub(crate) struct Received<'py, M> {
    py: Python<'py>,
    /// Most receives ask for one, which needs no list of its own.
    first: Option<Bound<'py, M>>,
    /// All of them, when there is more than one.
    messages: Vec<Bound<'py, M>>,
    failure: Option<PyErr>,
}

/// The first capacity for more than one message: the most that AWS hands out.
const CAPACITY: usize = 10;

impl<'py, M: Delivered> Received<'py, M> {
    pub fn new(py: Python<'py>) -> Self {
        Self { py, first: None, messages: Vec::new(), failure: None }
    }

    #[inline]
    pub fn push(&mut self, handle: &Arc<Handle>, delivery: &Delivery<'_>) {
        let message = match M::deliver(self.py, handle, delivery) {
            Ok(message) => message,
            Err(failure) => {
                self.failure = Some(failure);
                return;
            }
        };
        if let Some(first) = self.first.take() {
            self.messages.reserve(CAPACITY);
            self.messages.push(first);
        } else if self.messages.is_empty() {
            self.first = Some(message);
            return;
        }
        self.messages.push(message);
    }

    #[inline]
    pub fn into_list(self) -> PyResult<Bound<'py, PyList>> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        match self.first {
            Some(message) => PyList::new(self.py, [message]),
            None => PyList::new(self.py, self.messages),
        }
    }
}
