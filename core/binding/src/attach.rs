//! Calls into Python that begin in Rust: carrying out an operation whose policy is Python's.

use pyo3::prelude::*;

/// Runs `call` with the interpreter.
///
/// Before Python 3.14 a thread that waits for the interpreter while the program ends is unwound
/// from within: a daemon thread that carries out a request, for example. What unwinds would pass
/// through `Python::attach`, which then ends the process for giving back what it does not hold. So
/// the thread stops here, as threads do since 3.14 and as PyO3 has it for the calls of its own.
pub(crate) fn attached<R>(call: impl FnOnce(Python<'_>) -> R) -> R {
    Python::attach(|py| {
        let guard = StopIfUnwound;
        let result = call(py);
        std::mem::forget(guard);
        result
    })
}

struct StopIfUnwound;

impl Drop for StopIfUnwound {
    fn drop(&mut self) {
        // A panic is caught at the border and becomes an exception.
        while !std::thread::panicking() {
            std::thread::park();
        }
    }
}
