//! A receive of an event loop: polled until it has messages or its time is over.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyList;
use trunkline_engine::{Admitted, LongPoll, Polled, Receive};
use trunkline_types::Millis;
use trunkline_types::sync::lock;

use crate::completion::Completion;
use crate::error::guard;
use crate::pending::PendingWrite;
use crate::queue::awaitable::AsyncMessage;
use crate::queue::handle::HandleRef;
use crate::queue::received::take;
use crate::waker::Waker;

/// One call to receive, which may try more than once.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct ReceiveCall {
    handle: HandleRef,
    max: usize,
    visibility: Option<Millis>,
    attempt_id: Option<String>,
    wait: Millis,
    state: Mutex<State>,
}

struct State {
    call: Admitted,
    poll: Option<LongPoll>,
}

/// What to await before the next poll: the token to leave if that is cancelled, the completion, and
/// after how many seconds the time is over.
type Waiting = (u64, Py<Completion>, f64);

impl ReceiveCall {
    pub fn new(py: Python<'_>, handle: &HandleRef, call: Admitted, request: &Receive<'_>) -> Self {
        let wait = request.wait.unwrap_or_default();
        let poll = Some(LongPoll::new(handle.queue.clone(), wait));
        Self {
            handle: handle.clone_ref(py),
            max: request.max,
            visibility: request.visibility,
            attempt_id: request.attempt_id.map(str::to_owned),
            wait,
            state: Mutex::new(State { call, poll }),
        }
    }
}

#[pymethods]
impl ReceiveCall {
    /// The messages, which may be none when the time is over, and what they still wait for; or what
    /// to await before the next poll.
    #[allow(clippy::type_complexity, reason = "a tuple of Python")]
    fn poll<'py>(
        &self,
        py: Python<'py>,
        waker: &Waker,
        event_loop: Py<PyAny>,
    ) -> PyResult<(Bound<'py, PyList>, Option<Py<PendingWrite>>, Option<Waiting>)> {
        let request = Receive {
            max: self.max,
            visibility: self.visibility,
            attempt_id: self.attempt_id.as_deref(),
            wait: Some(self.wait),
        };
        guard(|| {
            let mut state = lock(&self.state);
            let State { call, poll: kept } = &mut *state;
            let Some(mut poll) = kept.take() else {
                return Ok((PyList::empty(py), None, None));
            };
            let mut parked = None;
            let signal = || {
                let (token, completion) = waker.park(py, event_loop)?;
                parked = Some((token, completion));
                Ok::<_, PyErr>(waker.signal(token))
            };
            let attempt = || {
                let found = take::<AsyncMessage>(py, &self.handle, call, &request)?;
                Ok(Some(found).filter(|(messages, _)| !messages.is_empty()))
            };
            let polled = poll.poll(signal, attempt);
            if let (Ok(Polled::Wait(left)), Some((token, completion))) = (&polled, &parked) {
                *kept = Some(poll);
                let waiting = (*token, completion.clone_ref(py), left.as_secs_f64());
                return Ok((PyList::empty(py), None, Some(waiting)));
            }
            // Something came behind the subscription: nothing awaits its token.
            parked.iter().for_each(|(token, _)| waker.leave(*token));
            let Polled::Found((messages, ticket)) = polled? else {
                return Ok((PyList::empty(py), None, None));
            };
            let pending = match ticket {
                Some(_) => self.handle.pending(py, ticket, self.handle.level)?,
                // Nothing is committed, so no fault of a commit strikes.
                None => None,
            };
            Ok((messages, pending, None))
        })
    }

    /// Ends the wait, for a task that is cancelled; an unused wake goes to the next who waits.
    fn cancel(&self) {
        let ended = lock(&self.state).poll.take();
        drop(ended);
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ReceiveCall>()
}
