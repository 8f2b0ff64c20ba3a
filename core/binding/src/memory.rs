//! Memory that cannot be had: a `MemoryError` where Rust would end the process.
//!
//! The engine copies a body with allocations that abort when they fail. So the memory for the
//! copies of a large body is asked for, and given back, before the engine is.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

/// Smaller bodies are not worth the question: the interpreter itself fails before.
const ASKED_BYTES_MIN: usize = 1 << 20;
/// A copy for the queue, and one for the journal's buffer.
const COPIES: usize = 2;

/// Fails if `bytes` cannot be copied.
#[inline]
pub(crate) fn check(bytes: usize) -> PyResult<()> {
    if bytes < ASKED_BYTES_MIN { Ok(()) } else { ask(bytes) }
}

#[cold]
fn ask(bytes: usize) -> PyResult<()> {
    let mut copies = Vec::<u8>::new();
    let got = copies.try_reserve_exact(bytes.saturating_mul(COPIES));
    // Otherwise the compiler may leave an allocation out that is not used.
    std::hint::black_box(&copies);
    got.map_err(|_| {
        PyMemoryError::new_err(format!(
            "there is no memory for a message of {bytes} bytes; free some, or send less at once"
        ))
    })
}
