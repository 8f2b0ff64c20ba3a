//! The arguments and the messages of one receive.

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList};
use trunkline_engine::{Admitted, Delivery, Receive, Ticket, operation};
use trunkline_types::Millis;

use crate::error::raise;
use crate::queue::handle::HandleRef;
use crate::queue::message::{Delivered, Message};

/// How many messages a receive asks for.
pub(crate) enum Max<'py> {
    /// A positive int.
    Count(usize),
    /// Anything else: the Python method converts it or refuses it with an error.
    Other(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Max<'py> {
    type Error = std::convert::Infallible;

    #[inline]
    fn extract(value: Borrowed<'_, 'py, PyAny>) -> Result<Self, Self::Error> {
        let count = value.is_exact_instance_of::<PyInt>().then(|| value.extract::<i32>());
        Ok(match count {
            Some(Ok(count @ 1..)) => Self::Count(count as usize),
            _ => Self::Other(value.to_owned()),
        })
    }
}

/// Receives, blocking up to `wait` for the first message.
#[inline]
pub(crate) fn take_within<'py>(
    py: Python<'py>,
    handle: &HandleRef,
    request: &Receive<'_>,
    wait: impl FnOnce() -> Millis,
) -> PyResult<Bound<'py, PyList>> {
    let call = handle.admit(py, operation::RECEIVE)?;
    let mut found = take::<Message>(py, handle, &call, request)?;
    if found.0.is_empty() {
        let wait = wait();
        if wait == 0 {
            return Ok(found.0);
        }
        let some = || {
            let found = take::<Message>(py, handle, &call, request)?;
            Ok(Some(found).filter(|(messages, _)| !messages.is_empty()))
        };
        found = match crate::queue::waiting::until(py, handle, wait, some)? {
            Some(found) => found,
            None => return Ok(found.0),
        };
    }
    if found.1.is_some() {
        handle.acknowledge(py, found.1, handle.level)?;
    }
    Ok(found.0)
}

/// Receives without waiting, as an attempt of `call`: the messages, and what to settle before they
/// are handed out.
#[inline]
pub(crate) fn take<'py, M: Delivered>(
    py: Python<'py>,
    handle: &HandleRef,
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
    pub fn push(&mut self, handle: &HandleRef, delivery: &Delivery<'_>) {
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
