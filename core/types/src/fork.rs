//! Knows whether the process was forked, at the price of one atomic load.
//!
//! A forked child inherits locks that no thread will release and a file lock that it shares, so an
//! engine refuses to work there. `getpid` is a system call; a counter that the fork itself
//! increments is not.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);
static INSTALL: Once = Once::new();

/// A number that is different after a fork, in the child. Remember it when an engine is opened.
pub fn process_generation() -> u32 {
    INSTALL.call_once(|| {
        // SAFETY: the handler only increments an atomic, which is async-signal-safe.
        #[allow(unsafe_code)]
        unsafe {
            libc::pthread_atfork(None, None, Some(count_fork))
        };
    });
    GENERATION.load(Ordering::Relaxed)
}

/// Whether the process was forked since `generation` was read.
#[inline]
pub fn forked_since(generation: u32) -> bool {
    GENERATION.load(Ordering::Relaxed) != generation
}

extern "C" fn count_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
