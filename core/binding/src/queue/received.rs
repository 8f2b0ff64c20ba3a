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
    others: Vec<Bound<'py, M>>,
    failure: Option<PyErr>,
}

impl<'py, M: Delivered> Received<'py, M> {
    pub fn new(py: Python<'py>) -> Self {
        Self { py, first: None, others: Vec::new(), failure: None }
    }

    #[inline]
    pub fn push(&mut self, handle: &Arc<Handle>, delivery: &Delivery<'_>) {
        match M::deliver(self.py, handle, delivery) {
            Ok(message) if self.first.is_none() => self.first = Some(message),
            Ok(message) => self.others.push(message),
            Err(failure) => self.failure = Some(failure),
        }
    }

    #[inline]
    pub fn into_list(self) -> PyResult<Bound<'py, PyList>> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        match self.first {
            None => Ok(PyList::empty(self.py)),
            Some(message) if self.others.is_empty() => PyList::new(self.py, [message]),
            Some(message) => {
                let list = PyList::new(self.py, self.others)?;
                list.insert(0, message)?;
                Ok(list)
            }
        }
    }
}
