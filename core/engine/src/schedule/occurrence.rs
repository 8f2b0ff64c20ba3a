//! One occurrence of a schedule: when it is due, and when it is too late for it.
//!
//! AWS promises an invocation within the minute of its time, or within the flexible window behind
//! it. An occurrence that is later than that by more than [`PRECISION`] was missed: the engine was
//! closed or the machine asleep. AWS documents no such state of its own service. What it documents
//! is that an invocation is retried for a day at most, so a one-time schedule, whose only
//! occurrence would be lost, is delivered late within [`LATE_MAX`]; a recurring one goes on with
//! its next occurrence.

use trunkline_types::{IdKey, Millis, ResourceId};

/// How late an occurrence may be: AWS's precision.
pub(super) const PRECISION: Millis = 60_000;
/// How late that of a one-time schedule may be: AWS's longest age of an event that is retried.
pub(super) const LATE_MAX: Millis = 86_400_000;

/// An occurrence that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// Its number among all of the schedule, from one.
    pub number: u64,
    /// The moment of the timetable.
    pub scheduled: Millis,
    /// When it is delivered: with a flexible window, at a random moment of it.
    pub due: Millis,
}

impl Occurrence {
    /// The random moment follows from the engine's key, so a run with a seed repeats exactly, and
    /// an engine that is opened again waits for the same one.
    pub fn new(
        key: IdKey,
        schedule: ResourceId,
        number: u64,
        scheduled: Millis,
        window: Option<Millis>,
    ) -> Self {
        let late = window.map_or(0, |window| {
            let drawn = key.digest(&[&schedule.0.to_le_bytes(), &scheduled.to_le_bytes()]);
            (drawn % u128::from(window)) as Millis
        });
        Self { number, scheduled, due: scheduled + late }
    }

    /// The same, but not before `at`.
    pub fn not_before(self, at: Option<Millis>) -> Self {
        Self { due: self.due.max(at.unwrap_or(0)), ..self }
    }

    /// Whether it was missed at `now`.
    pub fn is_missed(&self, window: Option<Millis>, is_one_time: bool, now: Millis) -> bool {
        let patience = if is_one_time { LATE_MAX } else { PRECISION };
        self.scheduled + window.unwrap_or(0) + patience < now
    }
}
