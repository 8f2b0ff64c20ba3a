//! One request of an event loop: polled to its answer; no poll waits.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use trunkline_engine::Held;
use trunkline_types::sync::lock;
use trunkline_wire::dispatch::{Dispatcher, PendingRequest, Progress};

use super::response::{PlainResponse, plain};
use crate::error::guard;
use crate::waker::Waker;

#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WireRequest {
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) pending: Mutex<PendingRequest>,
    /// What held the request up, once that is over.
    pub(super) held: Mutex<Option<Held>>,
}

#[pymethods]
impl WireRequest {
    /// Polls the request: a word that says what to do next, the answer, and a time in seconds.
    ///
    /// `done`: with the answer. `wait`: poll again when `waker` signals `token`, or
    /// after the time. `blocks`: call `run` on another thread. `again`: start the request again,
    /// and name this one.
    fn poll<'py>(
        &self,
        py: Python<'py>,
        waker: &Waker,
        token: u64,
    ) -> PyResult<(&'static str, Option<PlainResponse<'py>>, Option<f64>)> {
        guard(|| {
            let progress = lock(&self.pending).poll(waker.signal(token));
            Ok(match progress {
                Progress::Done(answer) => ("done", Some(plain(py, answer)), None),
                Progress::Wait(time) => ("wait", None, time.map(|time| time.as_secs_f64())),
                Progress::Blocks => ("blocks", None, None),
                Progress::Again(held) => {
                    *lock(&self.held) = Some(held);
                    ("again", None, None)
                }
            })
        })
    }

    /// Carries out an operation of the control plane. May block.
    fn run<'py>(&self, py: Python<'py>) -> PyResult<PlainResponse<'py>> {
        guard(|| Ok(plain(py, py.detach(|| lock(&self.pending).run(&self.dispatcher)))))
    }

    /// Withdraws the request from every wait, for a caller that goes away.
    fn cancel(&self) {
        lock(&self.pending).cancel();
    }
}
