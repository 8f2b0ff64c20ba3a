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
    /// How long the machine had slept at the last look.
    slept: AtomicI64,
    /// When the wall clock was first seen to be ahead for no known reason; 0 for not.
    ahead_since: AtomicI64,
}

/// How often the wall clock is looked at, by the caller that asks for the time then.
const LOOK_MS: i64 = 1_000;
/// Small steps are left to the system's own discipline; only a gap that leases would notice is
/// closed.
const GAP_MS: i64 = 1_000;
/// How long a step of the wall clock that no sleep explains must last before it is believed. A
/// clock that jumps ahead for a moment would expire what is fresh.
const DOUBT_MS: i64 = 60_000;

/// What the clocks of the system say at one moment, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Reading {
    monotonic: i64,
    wall: i64,
    /// How long the machine has slept since it was started.
    slept: i64,
}

impl SystemClock {
    fn new() -> Self {
        let Reading { monotonic, wall, slept } = read();
        Self {
            offset: AtomicI64::new(wall - monotonic),
            look_at: AtomicI64::new(monotonic + LOOK_MS),
            slept: AtomicI64::new(slept),
            ahead_since: AtomicI64::new(0),
        }
    }

    #[inline]
    fn now(&self) -> Millis {
        let monotonic = monotonic_ms();
        if monotonic >= self.look_at.load(Ordering::Relaxed) {
            self.catch_up(read());
        }
        (monotonic + self.offset.load(Ordering::Relaxed)).max(0) as Millis
    }

    /// Catches up with the wall clock. The monotonic clock stands still while a laptop sleeps: that
    /// gap is closed at once. A gap that no sleep explains is closed when it has lasted.
    #[cold]
    fn catch_up(&self, reading: Reading) {
        let Reading { monotonic, wall, slept } = reading;
        self.look_at.store(monotonic + LOOK_MS, Ordering::Relaxed);
        let ahead = wall - monotonic - self.offset.load(Ordering::Relaxed);
        let asleep = slept - self.slept.swap(slept, Ordering::Relaxed);
        if ahead <= GAP_MS {
            self.ahead_since.store(0, Ordering::Relaxed);
            return;
        }
        let since = self.ahead_since.load(Ordering::Relaxed);
        if asleep > 0 && ahead <= asleep + GAP_MS || since != 0 && monotonic - since >= DOUBT_MS {
            self.offset.fetch_max(wall - monotonic, Ordering::Relaxed);
            self.ahead_since.store(0, Ordering::Relaxed);
        } else if since == 0 {
            self.ahead_since.store(monotonic.max(1), Ordering::Relaxed);
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

// The monotonic clock that goes on while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
const WITH_SLEEP: libc::clockid_t = libc::CLOCK_BOOTTIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const WITH_SLEEP: libc::clockid_t = libc::CLOCK_MONOTONIC;

#[inline]
fn monotonic_ms() -> i64 {
    clock_ms(MONOTONIC)
}

fn read() -> Reading {
    let monotonic = monotonic_ms();
    Reading { monotonic, wall: wall_ms(), slept: clock_ms(WITH_SLEEP) - monotonic }
}

#[inline]
fn clock_ms(clock: libc::clockid_t) -> i64 {
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

    /// A clock at wall time 1,000,000, and a reading `later` milliseconds of monotonic time after.
    fn clock() -> SystemClock {
        SystemClock {
            offset: AtomicI64::new(999_000),
            look_at: AtomicI64::new(2_000),
            slept: AtomicI64::new(50),
            ahead_since: AtomicI64::new(0),
        }
    }

    fn look(clock: &SystemClock, later: i64, jumped: i64, slept: i64) -> i64 {
        let monotonic = 1_000 + later;
        clock.catch_up(Reading { monotonic, wall: 1_000_000 + later + jumped, slept: 50 + slept });
        clock.offset.load(Ordering::Relaxed) - 999_000
    }

    #[test]
    fn the_time_that_the_machine_slept_is_caught_up_with_at_once() {
        let hour = 3_600_000;
        assert_eq!(look(&clock(), 2_000, hour, hour), hour);
    }

    #[test]
    fn a_clock_that_jumps_ahead_for_a_moment_is_not_believed() {
        let (clock, year) = (clock(), 365 * 86_400_000);
        for seconds in 2..50 {
            assert_eq!(look(&clock, seconds * 1_000, year, 0), 0);
        }
        assert_eq!(look(&clock, 50_000, 0, 0), 0, "it was right again");
        assert_eq!(look(&clock, 70_000, year, 0), 0, "the doubt begins anew");
        assert_eq!(look(&clock, 131_000, year, 0), year, "it stayed there");
        assert_eq!(look(&clock, 140_000, 0, 0), year, "time never runs backwards");
    }

    #[test]
    fn the_system_clock_is_near_the_wall_clock() {
        let clock = Clock::system();
        assert!((clock.now() as i64 - wall_ms()).abs() < 100);
    }
}
