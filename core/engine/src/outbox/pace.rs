//! The rates at which endpoints may be called. Each has a token bucket on the engine's clock, which
//! all destinations with the same key share.
//!
//! The bucket keeps the time at which it is full again instead of a number of tokens: taking one
//! moves that time on by the time that one token needs. It holds a tenth of a second's tokens, at
//! least one, so calls are spread over the second. A destination that finds it empty leaves its
//! turn, and a timer brings it back; other destinations take their turns meanwhile.

use std::collections::HashMap;

use trunkline_host::{Ticker, TimerKey};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, ResourceId};

use super::destination::Destination;
use super::request::Rate;
use super::{OUTBOX, Outbox};

const MICROS: u64 = 1_000_000;
/// The part of a second's tokens that a bucket holds.
const HELD_PART: u32 = 10;
/// Buckets that are kept although they are full.
const FULL_MAX: usize = 1_024;

/// The buckets, by the keys of their endpoints: when each is full, in microseconds.
#[derive(Default)]
pub(super) struct Buckets(Mutex<HashMap<String, u64>>);

impl Buckets {
    /// Takes up to `wanted` tokens; how many, and when there is another if there were too few.
    fn take(&self, rate: &Rate, wanted: u32, now: Millis) -> (u32, Millis) {
        let now = now.saturating_mul(1_000);
        let (each, held) = costs(rate);
        let mut buckets = lock(&self.0);
        if buckets.len() > FULL_MAX {
            buckets.retain(|_, full| *full > now);
        }
        let full = buckets.entry(rate.key.clone()).or_insert(now);
        *full = (*full).max(now);
        let free = (now + held - *full) / each;
        let taken = u64::from(wanted).min(free);
        *full += taken * each;
        // At this time one token is there.
        let next = (*full + each).saturating_sub(held).div_ceil(1_000);
        (taken as u32, next)
    }

    /// Gives tokens back that were not used.
    fn give_back(&self, rate: &Rate, unused: u32) {
        if let Some(full) = lock(&self.0).get_mut(&rate.key) {
            *full = full.saturating_sub(u64::from(unused) * costs(rate).0);
        }
    }
}

/// The time that one token needs, and that all do which a bucket holds, in microseconds.
fn costs(rate: &Rate) -> (u64, u64) {
    let each = (MICROS / u64::from(rate.per_second.max(1))).max(1);
    (each, each * u64::from((rate.per_second / HELD_PART).max(1)))
}

impl Outbox {
    /// How many of `wanted` attempts may begin now. A destination that may begin none is brought
    /// back by a timer.
    pub(super) fn paced(&self, destination: &Destination, rate: &Rate, wanted: u32) -> u32 {
        let (taken, next) = self.buckets.take(rate, wanted, self.host.now());
        if taken == 0 && !destination.is_paced.swap(true, Ordering::AcqRel) {
            Ticker::enter(&self.host);
            let key = TimerKey { owner: OUTBOX.owner(), slot: destination.id.0 };
            self.host.arm(key, next);
        }
        taken
    }

    /// Attempts that did not begin.
    pub(super) fn unpaced(&self, rate: &Rate, unused: u32) {
        if unused > 0 {
            self.buckets.give_back(rate, unused);
        }
    }

    /// The timer fired that was armed for a destination.
    pub(super) fn paced_again(&self, id: ResourceId) {
        if let Some(destination) = self.destination(id) {
            destination.is_paced.store(false, Ordering::Release);
            self.notify(id);
        }
        Ticker::leave(&self.host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32) -> Rate {
        Rate { key: "endpoint".to_owned(), per_second }
    }

    #[test]
    fn no_second_has_more_calls_than_its_rate_and_what_the_bucket_holds() {
        for per_second in [1, 2, 7, 10, 100, 300] {
            let (buckets, rate) = (Buckets::default(), rate(per_second));
            let mut calls = Vec::new();
            let mut now = 1_000_000;
            while now < 1_005_000 {
                let (taken, next) = buckets.take(&rate, 16, now);
                calls.extend(std::iter::repeat_n(now, taken as usize));
                if taken == 0 {
                    assert!(next > now, "{per_second}: {next} is not later than {now}");
                    now = next;
                }
            }
            let all = u64::from(per_second) * 5;
            let (least, most) = (all - all / 50, all + u64::from(per_second / HELD_PART) + 1);
            assert!((least..=most).contains(&(calls.len() as u64)), "{per_second}: {calls:?}");
            for (place, start) in calls.iter().enumerate() {
                let within = calls[place..].iter().filter(|call| **call < start + 1_000).count();
                assert!(within as u32 <= per_second + per_second / HELD_PART + 1, "{per_second}");
            }
        }
    }

    #[test]
    fn tokens_that_are_given_back_are_there_again() {
        let (buckets, rate) = (Buckets::default(), rate(100));
        assert_eq!(buckets.take(&rate, 16, 5_000).0, 10);
        assert_eq!(buckets.take(&rate, 16, 5_000).0, 0);
        buckets.give_back(&rate, 4);
        assert_eq!(buckets.take(&rate, 16, 5_000).0, 4);
    }

    #[test]
    fn an_idle_bucket_holds_no_more_than_its_part() {
        let (buckets, rate) = (Buckets::default(), rate(20));
        assert_eq!(buckets.take(&rate, 16, 1_000).0, 2);
        assert_eq!(buckets.take(&rate, 16, 100_000).0, 2);
        assert_eq!(buckets.take(&rate, 16, 100_000), (0, 100_050));
    }
}
