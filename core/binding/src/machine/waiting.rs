//! A wait for the end of an execution that an event loop polls.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use trunkline_engine::{
    Engine as CoreEngine, ExecutionState, LongPoll, Machine as Core, Polled, Ticket,
};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use crate::completion::Completion;
use crate::error::{guard, raise};
use crate::waker::Waker;

/// What to await before the next poll: the token to leave if that is cancelled, the completion, and
/// after how many seconds the time is over.
type Waiting = (u64, Py<Completion>, f64);

/// One wait, which may try more than once.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct EndWait {
    engine: Arc<CoreEngine>,
    core: Arc<Core>,
    name: String,
    /// `None` once the wait has come to its end.
    poll: Mutex<Option<LongPoll>>,
}

impl EndWait {
    pub fn new(
        engine: Arc<CoreEngine>,
        core: Arc<Core>,
        name: String,
        wait: Millis,
    ) -> Result<Self> {
        let poll = Mutex::new(Some(core.end_wait(&name, wait)?));
        Ok(Self { engine, core, name, poll })
    }

    /// What is to be waited for behind the end of an execution: who knows of it may act on it, so
    /// no crash may undo it.
    fn unsettled(&self) -> Result<Option<Ticket>> {
        let Some(ticket) = end_ticket(&self.engine, &self.core, &self.name) else {
            return Ok(None);
        };
        let is_settled = self.engine.host().is_settled(ticket, self.engine.durability())?;
        Ok((!is_settled).then_some(ticket))
    }
}

/// What stands for the end of an execution.
pub(super) fn end_ticket(engine: &CoreEngine, machine: &Core, name: &str) -> Option<Ticket> {
    // One that was forgotten since has no record any more.
    machine.ticket(name).or_else(|| engine.host().appended())
}

#[pymethods]
impl EndWait {
    /// What to await, or nothing once the execution has ended for good or the time is over.
    fn poll(
        &self,
        py: Python<'_>,
        waker: &Waker,
        event_loop: Py<PyAny>,
    ) -> PyResult<Option<Waiting>> {
        guard(|| {
            let Some(mut poll) = lock(&self.poll).take() else { return Ok(None) };
            let awaited = Cell::new(None);
            let ended = || {
                let status = py.detach(|| self.core.status(&self.name)).map_err(raise)?;
                if status.status == ExecutionState::Running {
                    return Ok(None);
                }
                awaited.set(self.unsettled().map_err(raise)?);
                Ok::<_, PyErr>(awaited.get().is_none().then_some(()))
            };
            let mut parked = None;
            let signal = || {
                let (token, completion) = waker.park(py, event_loop)?;
                parked = Some((token, completion));
                Ok::<_, PyErr>(waker.signal(token))
            };
            let polled = poll.poll(signal, ended);
            if let (Ok(Polled::Wait(left)), Some((token, completion))) = (&polled, &parked) {
                if let Some(ticket) = awaited.get() {
                    let (level, signal) = (self.engine.durability(), waker.signal(*token));
                    self.engine.host().notify_when(ticket, level, signal).map_err(raise)?;
                }
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
