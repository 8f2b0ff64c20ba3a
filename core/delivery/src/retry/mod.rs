//! Retry tables: when a delivery that failed is tried again, and when it is given up.
//!
//! A table is data: phases, each a number of retries and a rule for their delays, and a largest
//! age. [`RetryTable::next`] is a pure function of the table, the failed attempts, the time and a
//! seed, so a run with a seed repeats.

mod delay;
mod tables;

use std::fmt;

use trunkline_types::{Code, Error, Millis, Result};

pub use delay::{Curve, Delay, Jitter};
pub use tables::HttpPolicy;

/// Most phases of one table: AWS's tables have four.
const PHASES_MAX: usize = 16;
/// Longest delay of a rule: 12 hours, the longest lease of a queue. A delivery that waits for its
/// next attempt is leased until then.
const DELAY_MAX: Millis = 43_200_000;

/// Some retries that follow one rule for their delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// How many retries this phase has.
    pub retries: u32,
    /// The delay before each of them.
    pub delay: Delay,
}

/// When a failed delivery is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryTable {
    phases: Vec<Phase>,
    age_max: Option<Millis>,
    jitter: Jitter,
}

/// The attempts of one delivery that have failed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// How many attempts failed, the first one included.
    pub attempts: u32,
    /// When the delivery was accepted: its age counts from here.
    pub first_at: Millis,
    /// When the last attempt ended.
    pub now: Millis,
    /// The time before which the endpoint does not want another attempt.
    pub retry_after: Option<Millis>,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Try again at this time.
    At(Millis),
    /// Give up.
    Exhausted(Exhausted),
}

/// Why a delivery is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// Every retry of the table was used.
    Attempts,
    /// The next attempt would come after the largest age.
    Age,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempts => "every retry was used",
            Self::Age => "the delivery would be too old at the next attempt",
        })
    }
}

impl RetryTable {
    /// A table of these phases, in this order. `age_max` bounds the time from acceptance to the
    /// last attempt.
    pub fn new(phases: Vec<Phase>, age_max: Option<Millis>, jitter: Jitter) -> Result<Self> {
        if phases.len() > PHASES_MAX {
            return Err(invalid(format!(
                "phases: {} given; at most {PHASES_MAX}. Join phases that have the same delay.",
                phases.len()
            )));
        }
        for (number, phase) in phases.iter().enumerate() {
            phase.delay.check(number)?;
        }
        Ok(Self { phases, age_max, jitter })
    }

    /// The same table with at most `retries` retries: the first ones are kept.
    #[must_use]
    pub fn with_retries_max(mut self, retries: u32) -> Self {
        let mut left = retries;
        for phase in &mut self.phases {
            phase.retries = phase.retries.min(left);
            left -= phase.retries;
        }
        self.phases.retain(|phase| phase.retries > 0);
        self
    }

    /// The same table with another largest age.
    #[must_use]
    pub fn with_age_max(mut self, age_max: Option<Millis>) -> Self {
        self.age_max = age_max;
        self
    }

    /// The phases, in order.
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The largest age of a delivery.
    pub fn age_max(&self) -> Option<Millis> {
        self.age_max
    }

    /// How delays are spread.
    pub fn jitter(&self) -> Jitter {
        self.jitter
    }

    /// How many retries the table has.
    pub fn retries(&self) -> u64 {
        self.phases.iter().map(|phase| u64::from(phase.retries)).sum()
    }

    /// When the delivery is tried again. `seed` names the delivery: the same seed and number of
    /// attempts give the same delay. An endpoint's wish to be left alone for longer wins over the
    /// table's delay; its wish to be asked earlier does not.
    pub fn next(&self, failed: &Failed, seed: u64) -> Retry {
        let Some(delay) = self.delay(failed.attempts) else {
            return Retry::Exhausted(Exhausted::Attempts);
        };
        let delay = self.jitter.spread(delay, seed, failed.attempts);
        let at = failed.now.saturating_add(delay).max(failed.retry_after.unwrap_or(0));
        match self.age_max {
            // Waiting until the age is reached would only delay the dead letter.
            Some(age) if at.saturating_sub(failed.first_at) > age => {
                Retry::Exhausted(Exhausted::Age)
            }
            _ => Retry::At(at),
        }
    }

    /// The delay after so many failed attempts, before jitter; `None` when no retry is left.
    pub fn delay(&self, attempts: u32) -> Option<Millis> {
        let mut index = attempts.saturating_sub(1);
        for phase in &self.phases {
            if index < phase.retries {
                return Some(phase.delay.of(index, phase.retries));
            }
            index -= phase.retries;
        }
        None
    }
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}
