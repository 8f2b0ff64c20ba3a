//! What happens to a delivery before and after one attempt.
//!
//! Every delivery ends in one of three ways: delivered and deleted, tried again, or given up. A
//! delivery that is given up goes to a dead-letter queue or into the record of failures: none
//! vanishes.

use std::fmt;

use trunkline_types::Millis;

use crate::http::{Outcome, RetryAfter};
use crate::retry::{Exhausted, Failed, Retry, RetryTable};

/// How one attempt ended, over HTTP or in a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The destination took the delivery.
    Delivered,
    /// It failed, and a later attempt may succeed.
    Transient {
        /// What happened, for a person.
        why: String,
        /// When the destination wants the next attempt.
        retry_after: Option<RetryAfter>,
    },
    /// It failed, and every other attempt would.
    Permanent {
        /// What happened, for a person.
        why: String,
    },
}

/// What is to be done with a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Delete it: it is delivered.
    Delete,
    /// Hide it until this time, then try again.
    RetryAt(Millis),
    /// Give it to the dead-letter queue, or record the failure.
    GiveUp(GiveUp),
}

/// Why a delivery is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// Every retry was used.
    Attempts,
    /// It is too old for another attempt.
    Age,
    /// The destination refused it for good.
    Refused,
}

impl From<Exhausted> for GiveUp {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted::Attempts => Self::Attempts,
            Exhausted::Age => Self::Age,
        }
    }
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Delivered(_) => Self::Delivered,
            Outcome::Transient { why, retry_after } => {
                Self::Transient { why: why.to_string(), retry_after }
            }
            Outcome::Permanent { why } => Self::Permanent { why: why.to_string() },
        }
    }
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempts => "every retry was used",
            Self::Age => "it was too old for another attempt",
            Self::Refused => "the destination refused it",
        })
    }
}

/// Whether a delivery that is due must be given up instead: after `begun` attempts, counted whether
/// or not their end is known. An attempt whose end was lost, in a crash or by a handler that hung,
/// is an attempt; so a delivery that kills its handler does not come back for ever.
pub fn before_attempt(
    table: &RetryTable,
    begun: u32,
    accepted: Millis,
    now: Millis,
) -> Option<GiveUp> {
    if u64::from(begun) > table.retries() {
        return Some(GiveUp::Attempts);
    }
    let age = now.saturating_sub(accepted);
    table.age_max().filter(|max| age > *max).map(|_| GiveUp::Age)
}

/// What follows attempt number `attempts` (from one) of a delivery that was accepted at
/// `accepted`. `seed` names the delivery; see [`RetryTable::next`].
pub fn after_attempt(
    table: &RetryTable,
    attempts: u32,
    accepted: Millis,
    now: Millis,
    ended: &Ended,
    seed: u64,
) -> Verdict {
    let retry_after = match ended {
        Ended::Delivered => return Verdict::Delete,
        Ended::Permanent { .. } => return Verdict::GiveUp(GiveUp::Refused),
        Ended::Transient { retry_after: None, .. } => None,
        Ended::Transient { retry_after: Some(wish), .. } => match wish.earliest(now) {
            Some(time) => Some(time),
            None => return Verdict::GiveUp(GiveUp::Refused),
        },
    };
    let failed = Failed { attempts, first_at: accepted, now, retry_after };
    match table.next(&failed, seed) {
        Retry::At(time) => Verdict::RetryAt(time),
        Retry::Exhausted(exhausted) => Verdict::GiveUp(exhausted.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(retry_after: Option<RetryAfter>) -> Ended {
        Ended::Transient { why: "it is down".to_owned(), retry_after }
    }

    #[test]
    fn every_end_of_an_attempt_has_its_verdict() {
        let table = RetryTable::sns_http().with_age_max(Some(100_000));
        let after =
            |attempts, now, ended: &Ended| after_attempt(&table, attempts, 0, now, ended, 7);
        let refused = Ended::Permanent { why: "gone".to_owned() };
        for (attempts, now, ended, verdict) in [
            (1, 0, &Ended::Delivered, Verdict::Delete),
            (9, 0, &Ended::Delivered, Verdict::Delete),
            (1, 0, &refused, Verdict::GiveUp(GiveUp::Refused)),
            (1, 5, &failed(None), Verdict::RetryAt(20_005)),
            (1, 5, &failed(Some(RetryAfter::In(30_000))), Verdict::RetryAt(30_005)),
            (1, 5, &failed(Some(RetryAfter::At(1_000))), Verdict::RetryAt(20_005)),
            (1, 5, &failed(Some(RetryAfter::Never)), Verdict::GiveUp(GiveUp::Refused)),
            (1, 5, &failed(Some(RetryAfter::In(200_000))), Verdict::GiveUp(GiveUp::Age)),
            (4, 5, &failed(None), Verdict::GiveUp(GiveUp::Attempts)),
            (1, 90_000, &failed(None), Verdict::GiveUp(GiveUp::Age)),
        ] {
            assert_eq!(after(attempts, now, ended), verdict, "{attempts} {now} {ended:?}");
        }
    }

    #[test]
    fn a_delivery_is_given_up_before_an_attempt_that_the_table_does_not_have() {
        let table = RetryTable::sns_http().with_age_max(Some(1_000));
        for (begun, now, expected) in [
            (0, 0, None),
            (3, 1_000, None),
            (4, 0, Some(GiveUp::Attempts)),
            (0, 1_001, Some(GiveUp::Age)),
        ] {
            assert_eq!(before_attempt(&table, begun, 0, now), expected, "{begun} {now}");
        }
    }
}
