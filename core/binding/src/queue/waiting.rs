//! Blocking: detached from the interpreter, and in slices where signals have to be seen.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use trunkline_engine::{Ended, Parker};
use trunkline_types::{Deadline, Millis};

use crate::queue::handle::Handle;
use crate::signals::{SLICE, handles_signals};

/// The slice of threads that handle no signals: only so that no sum overflows.
const LONG: Duration = Duration::from_secs(3_600);

/// Runs `attempt` until it yields something or `wait` is over; `None` then.
///
/// On a virtual clock the wait ends when that much time has passed there or in the world, so that
/// a program of one thread cannot wait for itself.
pub(crate) fn until<T>(
    py: Python<'_>,
    handle: &Handle,
    wait: Millis,
    mut attempt: impl FnMut() -> PyResult<Option<T>>,
) -> PyResult<Option<T>> {
    let clock = handle.engine.clock();
    let virtual_end = clock.is_virtual().then(|| clock.now().saturating_add(wait));
    let end = Deadline::after(Duration::from_millis(wait));
    let slice = if handles_signals() { SLICE } else { LONG };
    loop {
        let parker = Arc::new(Parker::default());
        let waiter = handle.queue.subscribe_until(parker.clone(), virtual_end);
        // Somebody may have sent between the caller's try and the subscription.
        match attempt() {
            Ok(None) => {}
            done => {
                handle.queue.unsubscribe(waiter);
                return done;
            }
        }
        let mut woken = false;
        while !woken {
            let left = end.left();
            if left.is_zero() {
                break;
            }
            woken = py.detach(|| parker.park(left.min(slice)));
            if let Err(interrupt) = py.check_signals() {
                // Gives an unused wake to the next waiter.
                handle.queue.unsubscribe(waiter);
                return Err(interrupt);
            }
        }
        let found = attempt();
        let ended = handle.queue.unsubscribe(waiter);
        match found {
            Ok(None) if woken && ended != Ended::Expired => {}
            done => return done,
        }
    }
}

/// Parks until `parker` is signalled or `timeout` is over, and lets signals interrupt.
pub(crate) fn park(py: Python<'_>, parker: &Parker, timeout: Millis) -> PyResult<bool> {
    let end = Deadline::after(Duration::from_millis(timeout));
    loop {
        let left = end.left();
        if py.detach(|| parker.park(left.min(SLICE))) {
            return Ok(true);
        }
        py.check_signals()?;
        if left.is_zero() {
            return Ok(false);
        }
    }
}
