//! Blocking: detached from the interpreter, and in slices where signals have to be seen.

use std::time::Duration;

use pyo3::prelude::*;
use trunkline_engine::{LongPoll, Parker};
use trunkline_types::{Deadline, Millis};

use crate::queue::handle::Handle;
use crate::signals::{SLICE, handles_signals};

/// The slice of threads that handle no signals: only so that no sum overflows.
const LONG: Duration = Duration::from_secs(3_600);

/// Runs `attempt` until it yields something or `wait` is over; `None` then.
pub(crate) fn until<T>(
    py: Python<'_>,
    handle: &Handle,
    wait: Millis,
    attempt: impl FnMut() -> PyResult<Option<T>>,
) -> PyResult<Option<T>> {
    let poll = LongPoll::new(handle.queue.clone(), wait);
    poll.block_with(attempt, |parker, left| park(py, parker, left).map(drop))
}

/// Parks until `parker` is signalled or `timeout` is over, and lets signals interrupt; whether it
/// was signalled.
pub(crate) fn park(py: Python<'_>, parker: &Parker, timeout: Duration) -> PyResult<bool> {
    let slice = if handles_signals() { SLICE } else { LONG };
    let end = Deadline::after(timeout);
    loop {
        let left = end.left();
        let signalled = py.detach(|| parker.park(left.min(slice)));
        py.check_signals()?;
        if signalled || left.is_zero() {
            return Ok(signalled);
        }
    }
}
