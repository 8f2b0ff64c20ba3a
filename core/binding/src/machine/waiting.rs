//! A wait for the end of an execution that an event loop polls.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use trunkline_engine::{ExecutionState, LongPoll, Machine as Core, Polled};
use trunkline_types::Millis;
use trunkline_types::sync::lock;

use crate::completion::Completion;
use crate::error::{guard, raise};
use crate::waker::Waker;

/// What to await before the next poll: the token to leave if that is cancelled, the completion, and
/// after how many seconds the time is over.
type Waiting = (u64, Py<Completion>, f64);

/// One wait, which may try more than once.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct EndWait {
    core: Arc<Core>,
    name: String,
    /// `None` once the wait has come to its end.
    poll: Mutex<Option<LongPoll>>,
}

impl EndWait {
    pub fn new(core: Arc<Core>, name: String, wait: Millis) -> Self {
        let poll = Mutex::new(Some(core.end_wait(wait)));
        Self { core, name, poll }
    }
}

#[pymethods]
impl EndWait {
    /// What to await, or nothing once the execution has ended or the time is over.
    fn poll(
        &self,
        py: Python<'_>,
        waker: &Waker,
        event_loop: Py<PyAny>,
    ) -> PyResult<Option<Waiting>> {
        guard(|| {
            let Some(mut poll) = lock(&self.poll).take() else { return Ok(None) };
            let ended = || {
                let status = py.detach(|| self.core.status(&self.name)).map_err(raise)?;
                Ok::<_, PyErr>((status.status != ExecutionState::Running).then_some(()))
            };
            let mut parked = None;
            let signal = || {
                let (token, completion) = waker.park(py, event_loop)?;
                parked = Some((token, completion));
                Ok::<_, PyErr>(waker.signal(token))
            };
            let polled = poll.poll(signal, ended);
            if let (Ok(Polled::Wait(left)), Some((token, completion))) = (&polled, &parked) {
                let waiting = (*token, completion.clone_ref(py), left.as_secs_f64());
                *lock(&self.poll) = Some(poll);
                return Ok(Some(waiting));
            }
            // It ended behind the subscription: nothing awaits its token.
            parked.iter().for_each(|(token, _)| waker.leave(*token));
            polled.map(|_| None)
        })
    }

    /// Waits no longer.
    fn cancel(&self) {
        lock(&self.poll).take();
    }
}
