//! Deadlines of long polls, on the clock that the engine follows.

use std::time::Instant;

use trunkline_engine::Engine;
use trunkline_vocabulary::Millis;

/// When a wait ends: on the engine's virtual clock, or in real time.
#[derive(Debug, Clone, Copy)]
pub enum WaitEnd {
    /// A time of the virtual clock; the engine itself ends the subscription.
    Virtual(Millis),
    /// A moment of the system's clock.
    Real(Instant),
}

impl WaitEnd {
    /// The end of a wait of `millis` from now.
    pub fn after(engine: &Engine, millis: Millis) -> Self {
        let clock = engine.clock();
        match clock.is_virtual() {
            true => Self::Virtual(clock.now().saturating_add(millis)),
            false => Self::Real(Instant::now() + std::time::Duration::from_millis(millis)),
        }
    }

    /// The end on the virtual clock.
    pub fn virtual_time(self) -> Option<Millis> {
        match self {
            Self::Virtual(at) => Some(at),
            Self::Real(_) => None,
        }
    }

    /// The end in real time.
    pub fn instant(self) -> Option<Instant> {
        match self {
            Self::Virtual(_) => None,
            Self::Real(at) => Some(at),
        }
    }

    /// Whether the wait is over.
    pub fn is_over(self, engine: &Engine) -> bool {
        match self {
            Self::Virtual(at) => engine.clock().now() >= at,
            Self::Real(at) => Instant::now() >= at,
        }
    }
}
