//! The clocks of the system as numbers, by the calls of C that read them.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const MONOTONIC: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const MONOTONIC: libc::clockid_t = libc::CLOCK_MONOTONIC;

// The monotonic clock that goes on while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const WITH_SLEEP: libc::clockid_t = libc::CLOCK_BOOTTIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const WITH_SLEEP: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// The time of a clock of the system, in milliseconds.
#[inline]
pub(crate) fn clock_ms(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, exclusively borrowed timespec; the clock id is a constant of the
    // platform, so the call cannot fail.
    #[allow(unsafe_code)]
    unsafe {
        libc::clock_gettime(clock, &mut time)
    };
    // The two fields are narrower on some platforms.
    #[allow(clippy::unnecessary_cast)]
    let (seconds, nanoseconds) = (time.tv_sec as i64, time.tv_nsec as i64);
    seconds * 1_000 + nanoseconds / 1_000_000
}
