//! One request of an event loop: answered by turns, none of which waits.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use trunkline_types::sync::lock;
use trunkline_wire::front::{Front, Turn, Turns};

use super::front::{PlainAnswer, plain};
use crate::error::guard;
use crate::waker::Waker;

#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WireTurns {
    pub(super) front: Arc<Front>,
    pub(super) turns: Mutex<Turns>,
}

#[pymethods]
impl WireTurns {
    /// Goes on: a word that says what to do next, the answer, and a time in seconds.
    ///
    /// `answered`: with the answer. `wait`: take another turn when `waker` rings with `token`, or
    /// after the time. `blocks`: call `run` on another thread. `pause`: begin again after the time.
    fn turn<'py>(
        &self,
        py: Python<'py>,
        waker: &Waker,
        token: u64,
    ) -> PyResult<(&'static str, Option<PlainAnswer<'py>>, Option<f64>)> {
        guard(|| {
            let turn = lock(&self.turns).turn(&self.front, waker.signal(token));
            Ok(match turn {
                Turn::Answered(answer) => ("answered", Some(plain(py, answer)), None),
                Turn::Wait(time) => ("wait", None, time.map(|time| time.as_secs_f64())),
                Turn::Blocks => ("blocks", None, None),
                Turn::Pause(time) => ("pause", None, Some(time.as_secs_f64())),
            })
        })
    }

    /// Carries out an operation of the control plane. May block.
    fn run<'py>(&self, py: Python<'py>) -> PyResult<PlainAnswer<'py>> {
        guard(|| Ok(plain(py, py.detach(|| lock(&self.turns).run(&self.front)))))
    }

    /// Leaves every line the request waits in; for a caller that goes away.
    fn leave(&self) {
        lock(&self.turns).give_up();
    }
}
