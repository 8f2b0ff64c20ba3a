//! One clock for the whole engine, real or virtual. The only file, with `raw_clock`, that asks the
//! system for the time.

use std::time::{Duration, Instant};

use crate::raw_clock::{MONOTONIC, WITH_SLEEP, clock_ms, wall_gap_ms};
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
        Self::System(SystemClock::new(&System))
    }

    /// A clock that stands at `start` until it is advanced.
    pub fn virtual_at(start: Millis) -> Self {
        Self::Virtual(VirtualTime { now: AtomicU64::new(start) })
    }

    /// The current time.
    #[inline]
    pub fn now(&self) -> Millis {
        match self {
            Self::System(clock) => clock.now(&System),
            Self::Virtual(time) => time.now.load(Ordering::Acquire),
        }
    }

    /// How far steps of the wall clock that no sleep explains have moved this clock since it was
    /// made. A virtual clock that is set has run, and not stepped.
    pub fn stepped(&self) -> Millis {
        match self {
            Self::System(clock) => clock.stepped.load(Ordering::Relaxed),
            Self::Virtual(_) => 0,
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

/// The coarse monotonic clock, shifted to the wall clock. 6 ns a reading, resolution 1 to 4 ms. The
/// clocks of all processes of a machine agree: an engine that is opened anew goes on from where the
/// one before it stood.
///
/// The monotonic clock stands still while the machine sleeps, and the wall clock may be set. Once a
/// second the gap between the two is looked at:
/// - The part of it that the machine has slept is closed at once.
/// - The rest, if leases would notice it, is closed when it has lasted for a minute: a wall clock
///   that is wrong for a moment must not expire what is fresh.
/// - A wall clock that was set back is not followed: time never runs backwards.
#[derive(Debug)]
pub struct SystemClock {
    // Wall minus monotonic, in milliseconds. Only grows, so that time never runs backwards.
    offset: AtomicI64,
    /// When, on the monotonic clock, the wall clock is looked at again.
    look_at: AtomicI64,
    /// How much of the machine's sleep is in `offset`, or will never be.
    slept: AtomicI64,
    /// When the wall clock was first seen to be ahead for no known reason; 0 for not.
    ahead_since: AtomicI64,
    /// How much of what was added to `offset` was no sleep.
    stepped: AtomicU64,
}

/// How often the wall clock is looked at, by the caller that asks for the time then.
const LOOK_MS: i64 = 1_000;
/// Small steps are left to the system's own discipline; only a gap that leases would notice is
/// closed.
const GAP_MS: i64 = 1_000;
/// How long a step of the wall clock that no sleep explains must last before it is believed.
const DOUBT_MS: i64 = 60_000;

/// What the clocks of a machine say at one moment, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Reading {
    monotonic: i64,
    wall: i64,
    /// How long the machine has slept since it was started.
    slept: i64,
}

/// A machine's clocks: the system's, or those of a test.
trait Source {
    /// The monotonic clock alone, which is asked with every verb.
    fn monotonic(&self) -> i64;
    /// All clocks.
    fn read(&self) -> Reading;
}

impl SystemClock {
    fn new(source: &impl Source) -> Self {
        let Reading { monotonic, wall, slept } = source.read();
        Self {
            offset: AtomicI64::new(wall - monotonic),
            look_at: AtomicI64::new(monotonic + LOOK_MS),
            slept: AtomicI64::new(slept),
            ahead_since: AtomicI64::new(0),
            stepped: AtomicU64::new(0),
        }
    }

    #[inline]
    fn now(&self, source: &impl Source) -> Millis {
        let monotonic = source.monotonic();
        let look_at = self.look_at.load(Ordering::Relaxed);
        if monotonic >= look_at {
            self.look(look_at, source);
        }
        (monotonic + self.offset.load(Ordering::Acquire)).max(0) as Millis
    }

    /// Looks at the wall clock, unless another thread does.
    #[cold]
    fn look(&self, look_at: i64, source: &impl Source) {
        let reading = source.read();
        let next = reading.monotonic + LOOK_MS;
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.look_at.compare_exchange(look_at, next, success, failure).is_ok() {
            self.catch_up(reading);
        }
    }

    fn catch_up(&self, Reading { monotonic, wall, slept }: Reading) {
        let offset = self.offset.load(Ordering::Relaxed);
        let ahead = (wall - monotonic - offset).max(0);
        let asleep = (slept - self.slept.load(Ordering::Relaxed)).clamp(0, ahead);
        if ahead <= GAP_MS {
            // Sleep that the wall clock does not show explains no later step. Short sleeps add up.
            self.slept.store(slept - asleep, Ordering::Relaxed);
            self.ahead_since.store(0, Ordering::Relaxed);
            return;
        }
        self.slept.store(slept, Ordering::Relaxed);
        let unexplained = ahead - asleep;
        let since = self.ahead_since.load(Ordering::Relaxed);
        let (closed, since) = if unexplained <= GAP_MS {
            (ahead, 0)
        } else if since == 0 {
            (asleep, monotonic.max(1))
        } else if monotonic - since >= DOUBT_MS {
            (ahead, 0)
        } else {
            (asleep, since)
        };
        // Before the offset: who sees the later time knows of the step.
        self.stepped.fetch_add((closed - asleep).max(0) as u64, Ordering::Relaxed);
        self.offset.fetch_max(offset + closed, Ordering::Release);
        self.ahead_since.store(since, Ordering::Relaxed);
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

/// The clocks of the system.
struct System;

impl Source for System {
    #[inline]
    fn monotonic(&self) -> i64 {
        clock_ms(MONOTONIC)
    }

    fn read(&self) -> Reading {
        let monotonic = self.monotonic();
        let (wall, slept) = (monotonic + wall_gap_ms(), clock_ms(WITH_SLEEP) - monotonic);
        Reading { monotonic, wall, slept }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_clock_that_is_made_later_is_not_behind_an_earlier_one() {
        let mut before = 0;
        for _ in 0..20_000 {
            let now = Clock::system().now();
            assert!(now >= before, "{now} is before {before}");
            before = now;
        }
    }

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

    const HOUR: i64 = 3_600_000;
    const YEAR: i64 = 365 * 24 * HOUR;

    /// The clocks of a machine that runs, sleeps and is set by a test, and a clock that follows.
    struct Machine {
        reading: Cell<Reading>,
        clock: SystemClock,
    }

    impl Source for Machine {
        fn monotonic(&self) -> i64 {
            self.reading.get().monotonic
        }

        fn read(&self) -> Reading {
            self.reading.get()
        }
    }

    impl Source for Reading {
        fn monotonic(&self) -> i64 {
            self.monotonic
        }

        fn read(&self) -> Reading {
            *self
        }
    }

    impl Machine {
        fn start() -> Self {
            let reading = Reading { monotonic: 1_000, wall: 40 * YEAR, slept: 50 };
            Self { clock: SystemClock::new(&reading), reading: Cell::new(reading) }
        }

        fn change(&self, change: impl FnOnce(&mut Reading)) {
            let mut reading = self.reading.get();
            change(&mut reading);
            self.reading.set(reading);
        }

        /// Runs for so long, and asks for the time every half second; the last answer.
        fn run(&self, millis: i64) -> i64 {
            let mut last = self.clock.now(self) as i64;
            for _ in 0..millis / 500 {
                self.change(|reading| {
                    reading.monotonic += 500;
                    reading.wall += 500;
                });
                let now = self.clock.now(self) as i64;
                assert!(now >= last, "time ran backwards");
                last = now;
            }
            last
        }

        fn sleep(&self, millis: i64) {
            self.change(|reading| {
                reading.wall += millis;
                reading.slept += millis;
            });
        }

        fn set(&self, by: i64) {
            self.change(|reading| reading.wall += by);
        }

        /// How far the clock is behind the wall clock after a moment.
        fn behind(&self) -> i64 {
            let now = self.run(1_000);
            self.reading.get().wall - now
        }
    }

    #[test]
    fn the_time_that_the_machine_slept_is_caught_up_with_at_once() {
        let machine = Machine::start();
        machine.sleep(HOUR);
        assert_eq!(machine.behind(), 0);
        assert_eq!(machine.clock.stepped.load(Ordering::Relaxed), 0, "a sleep is no step");
    }

    #[test]
    fn short_sleeps_add_up_to_one_that_is_caught_up_with() {
        let machine = Machine::start();
        for _ in 0..20 {
            machine.sleep(300);
            assert!(machine.behind() <= GAP_MS);
        }
    }

    #[test]
    fn a_clock_that_jumps_ahead_for_a_moment_is_not_believed() {
        let machine = Machine::start();
        machine.set(YEAR);
        machine.run(50_000);
        assert_eq!(machine.behind(), YEAR);
        machine.set(-YEAR);
        assert_eq!(machine.behind(), 0, "it was right again");
        machine.set(YEAR);
        machine.run(50_000);
        assert_eq!(machine.behind(), YEAR, "the doubt began anew");
        machine.run(15_000);
        assert_eq!(machine.behind(), 0, "it stayed there");
        assert_eq!(machine.clock.stepped.load(Ordering::Relaxed), YEAR as u64);
        machine.set(-YEAR);
        assert_eq!(machine.behind(), -YEAR, "time never runs backwards");
    }

    #[test]
    fn of_a_sleep_and_a_step_together_only_the_step_is_doubted() {
        let machine = Machine::start();
        machine.sleep(HOUR);
        machine.set(5_000);
        assert_eq!(machine.behind(), 5_000, "the sleep counts at once");
        machine.run(50_000);
        assert_eq!(machine.behind(), 5_000);
        machine.run(15_000);
        assert_eq!(machine.behind(), 0, "the step has lasted");
    }

    #[test]
    fn a_sleep_in_the_minute_of_doubt_neither_ends_nor_begins_the_doubt() {
        let machine = Machine::start();
        machine.set(YEAR);
        machine.run(30_000);
        machine.sleep(HOUR);
        assert_eq!(machine.behind(), YEAR, "the sleep counts at once, the step does not");
        machine.run(35_000);
        assert_eq!(machine.behind(), 0, "a minute of running time was over");
    }

    #[test]
    fn a_sleep_after_which_the_clock_is_set_back_counts_as_far_as_the_wall_clock_shows_it() {
        let machine = Machine::start();
        machine.sleep(HOUR);
        machine.set(5_000 - HOUR);
        assert_eq!(machine.behind(), 0);
        machine.set(HOUR / 2);
        assert_eq!(machine.behind(), HOUR / 2, "that sleep explains no later step");
    }

    #[test]
    fn the_system_clock_is_near_the_wall_clock() {
        let clock = Clock::system();
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert!((clock.now() as i64 - wall.as_millis() as i64).abs() < 100);
    }
}
