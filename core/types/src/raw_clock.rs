//! The clocks of the system as numbers, by the calls of C that read them.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const MONOTONIC: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const MONOTONIC: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// The wall clock that ticks together with [`MONOTONIC`], where there is one.
#[cfg(any(target_os = "linux", target_os = "android"))]
const WALL: libc::clockid_t = libc::CLOCK_REALTIME_COARSE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const WALL: libc::clockid_t = libc::CLOCK_REALTIME;

// The monotonic clock that goes on while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const WITH_SLEEP: libc::clockid_t = libc::CLOCK_BOOTTIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const WITH_SLEEP: libc::clockid_t = libc::CLOCK_MONOTONIC;

const NANOS: i64 = 1_000_000;

/// The time of a clock of the system, in milliseconds.
#[inline]
pub(crate) fn clock_ms(clock: libc::clockid_t) -> i64 {
    let (seconds, nanoseconds) = read(clock);
    seconds * 1_000 + nanoseconds / NANOS
}

/// How far the wall clock is ahead of [`MONOTONIC`], in milliseconds. All processes of a machine
/// get the same number where the two tick together, so that their times agree.
pub(crate) fn wall_gap_ms() -> i64 {
    // A tick between the readings makes them differ; hardly ever there is a second one.
    const TRIES: usize = 8;
    let mut monotonic = clock_ns(MONOTONIC);
    let mut gap = 0;
    for _ in 0..TRIES {
        gap = clock_ns(WALL) - monotonic;
        let again = clock_ns(MONOTONIC);
        if again == monotonic {
            break;
        }
        monotonic = again;
    }
    gap.div_euclid(NANOS)
}

fn clock_ns(clock: libc::clockid_t) -> i64 {
    let (seconds, nanoseconds) = read(clock);
    seconds.saturating_mul(1_000 * NANOS).saturating_add(nanoseconds)
}

/// Seconds and nanoseconds.
#[inline]
fn read(clock: libc::clockid_t) -> (i64, i64) {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, exclusively borrowed timespec; the clock id is a constant of the
    // platform, so the call cannot fail.
    #[allow(unsafe_code)]
    unsafe {
        libc::clock_gettime(clock, &mut time)
    };
    // The two fields are narrower on some platforms.
    #[allow(clippy::unnecessary_cast)]
    (time.tv_sec as i64, time.tv_nsec as i64)
}
