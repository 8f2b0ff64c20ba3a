//! Signals: which thread handles them, and a sleep that they interrupt.

use std::time::Duration;

use pyo3::prelude::*;
use trunkline_types::Deadline;

/// How long a signal may go unnoticed while the main thread waits.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Whether signals are handled by this thread, so that its waits have to be cut into slices.
///
/// The interpreter handles them on its first thread, which is the process's first in all but exotic
/// embeddings; there Ctrl-C waits for the end of the receive.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn handles_signals() -> bool {
    // SAFETY: both calls take nothing, cannot fail and change nothing.
    #[allow(unsafe_code)]
    unsafe {
        libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid())
    }
}

/// Elsewhere every wait is cut into slices.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn handles_signals() -> bool {
    true
}

/// Sleeps, and lets signals interrupt.
pub(crate) fn sleep(py: Python<'_>, time: Duration) -> PyResult<()> {
    let end = Deadline::after(time);
    loop {
        let left = end.left();
        if left.is_zero() {
            return Ok(());
        }
        py.detach(|| std::thread::sleep(left.min(SLICE)));
        py.check_signals()?;
    }
}
