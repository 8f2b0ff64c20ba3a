//! When a long poll ends: in the world, and on a virtual clock where the engine follows one.

use std::time::{Duration, Instant};

use trunkline_engine::Engine;
use trunkline_types::Millis;

/// The end of a wait. On a virtual clock it comes when that much time has passed there or in the
/// world, so that a program of one thread cannot wait for itself.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    virtual_time: Option<Millis>,
    instant: Instant,
}

impl Deadline {
    /// The end of a wait of `millis` from now.
    pub fn after(engine: &Engine, millis: Millis) -> Self {
        let clock = engine.clock();
        let virtual_time = clock.is_virtual().then(|| clock.now().saturating_add(millis));
        Self { virtual_time, instant: Instant::now() + Duration::from_millis(millis) }
    }

    /// The end on the virtual clock; the engine itself ends a subscription then.
    pub fn virtual_time(self) -> Option<Millis> {
        self.virtual_time
    }

    /// The end in the world.
    pub fn instant(self) -> Instant {
        self.instant
    }

    /// How much of the wait is left in the world.
    pub fn left(self) -> Duration {
        self.instant.saturating_duration_since(Instant::now())
    }

    /// Whether the wait is over.
    pub fn is_over(self, engine: &Engine) -> bool {
        let passed = self.virtual_time.is_some_and(|at| engine.clock().now() >= at);
        passed || Instant::now() >= self.instant
    }
}
