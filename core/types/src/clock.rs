//! One clock for the whole engine, real or virtual. The only file that asks the system for the
//! time.

use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Milliseconds: of a point in time since the Unix epoch, or of a span.
pub type Millis = u64;

/// The engine's clock. Verbs read it once and pass `now` down.
#[derive(Debug)]
pub enum Clock {
    /// The system's time; never runs backwards within one process.
    System(SystemClock),
    /// A time that moves only when it is told to.
    Virtual(VirtualTime),
}

impl Clock {
    /// A clock that follows the system.
    pub fn system() -> Self {
        Self::System(SystemClock::new())
    }

    /// A clock that stands at `start` until it is advanced.
    pub fn virtual_at(start: Millis) -> Self {
        Self::Virtual(VirtualTime { now: AtomicU64::new(start) })
    }

    /// The current time.
    #[inline]
    pub fn now(&self) -> Millis {
        match self {
            Self::System(clock) => clock.now(),
            Self::Virtual(time) => time.now.load(Ordering::Acquire),
        }
    }

    /// Whether time moves only by [`Clock::set`].
    pub fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    /// Moves a virtual clock forward to `to`. An earlier time, or a system clock, is left as it is.
    pub fn set(&self, to: Millis) {
        if let Self::Virtual(time) = self {
            time.now.fetch_max(to, Ordering::AcqRel);
        }
    }
}

/// A time that stands still until it is set.
#[derive(Debug)]
pub struct VirtualTime {
    now: AtomicU64,
}

/// The coarse monotonic clock, shifted to the wall clock. 6 ns a reading, resolution 1 to 4 ms.
#[derive(Debug)]
pub struct SystemClock {
    // Wall minus monotonic, in milliseconds. Only grows, so that time never runs backwards.
    offset: AtomicI64,
    /// When, on the monotonic clock, the wall clock is looked at again.
    look_at: AtomicI64,
}

/// How often the wall clock is looked at, by whoever asks for the time then.
const LOOK_MS: i64 = 1_000;

impl SystemClock {
    fn new() -> Self {
        let monotonic = monotonic_ms();
        Self {
            offset: AtomicI64::new(wall_ms() - monotonic),
            look_at: AtomicI64::new(monotonic + LOOK_MS),
        }
    }

    #[inline]
    fn now(&self) -> Millis {
        let monotonic = monotonic_ms();
        if monotonic >= self.look_at.load(Ordering::Relaxed) {
            self.catch_up(monotonic);
        }
        (monotonic + self.offset.load(Ordering::Relaxed)).max(0) as Millis
    }

    /// Catches up with the wall clock after the machine slept.
    #[cold]
    fn catch_up(&self, monotonic: i64) {
        self.look_at.store(monotonic + LOOK_MS, Ordering::Relaxed);
        // The monotonic clock stands still while a laptop sleeps. Small steps are left to the
        // system's own discipline; only a gap that leases would notice is closed.
        const GAP_MS: i64 = 1_000;
        let offset = wall_ms() - monotonic;
        if offset > self.offset.load(Ordering::Relaxed) + GAP_MS {
            self.offset.fetch_max(offset, Ordering::Relaxed);
        }
    }
}

/// When a wait of this process ends. Real time, also where the engine's clock is a virtual one.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline of a wait that starts now.
    pub fn after(wait: Duration) -> Self {
        // A wait that is too long to be counted has no end.
        Self(Instant::now().checked_add(wait))
    }

    /// How much of the wait is left; zero when it is over.
    pub fn left(&self) -> Duration {
        self.0.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const MONOTONIC: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const MONOTONIC: libc::clockid_t = libc::CLOCK_MONOTONIC;

#[inline]
fn monotonic_ms() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, exclusively borrowed timespec; the clock id is a constant of the
    // platform, so the call cannot fail.
    #[allow(unsafe_code)]
    unsafe {
        libc::clock_gettime(MONOTONIC, &mut time)
    };
    // The two fields are narrower on some platforms.
    #[allow(clippy::unnecessary_cast)]
    let (seconds, nanoseconds) = (time.tv_sec as i64, time.tv_nsec as i64);
    seconds * 1_000 + nanoseconds / 1_000_000
}

fn wall_ms() -> i64 {
    match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => since.as_millis() as i64,
        Err(_) => 0,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_forward_and_only_when_told() {
        let clock = Clock::virtual_at(1_000);
        assert_eq!(clock.now(), 1_000);
        clock.set(2_500);
        clock.set(2_000);
        assert_eq!(clock.now(), 2_500);
    }

    #[test]
    fn a_deadline_ends_and_an_endless_one_does_not() {
        assert_eq!(Deadline::after(Duration::ZERO).left(), Duration::ZERO);
        assert!(Deadline::after(Duration::from_secs(60)).left() > Duration::from_secs(50));
        assert_eq!(Deadline::after(Duration::MAX).left(), Duration::MAX);
    }

    #[test]
    fn whoever_asks_after_the_machine_slept_gets_the_time_of_the_wall() {
        let clock = SystemClock::new();
        // As if the monotonic clock had stood still for an hour.
        clock.offset.fetch_sub(3_600_000, Ordering::Relaxed);
        assert!((clock.now() as i64) < wall_ms() - 3_000_000, "it is not looked at each time");
        clock.look_at.fetch_sub(LOOK_MS, Ordering::Relaxed);
        assert!((clock.now() as i64 - wall_ms()).abs() < 100);
    }

    #[test]
    fn the_system_clock_is_near_the_wall_clock() {
        let clock = Clock::system();
        assert!((clock.now() as i64 - wall_ms()).abs() < 100);
    }
}
