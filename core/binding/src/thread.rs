//! Which thread this is: the one file that asks.

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
