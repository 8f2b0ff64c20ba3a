//! Token buckets of requests to APIs. A request takes a token of each bucket that it is subject to,
//! or of none. All dispatchers of an engine share them; nothing of them is durable.

use std::collections::HashMap;

use trunkline_types::sync::{Mutex, lock};

use crate::limits::TOKEN_BUCKETS_MAX;

/// The buckets of an engine.
#[derive(Debug, Default)]
pub struct TokenBuckets(Mutex<HashMap<String, Bucket>>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    burst: f64,
    rate: f64,
    at: f64,
}

/// A bucket by its name: how many tokens it holds, and how many it gets a second.
pub type Limit = (String, f64, f64);

impl TokenBuckets {
    /// Takes a token of each bucket at `now`, in seconds; of none where one is empty.
    pub fn take(&self, limits: &[Limit], now: f64) -> bool {
        let mut buckets = lock(&self.0);
        for limit in limits {
            if tokens(&mut buckets, limit, now) < 1.0 {
                return false;
            }
        }
        add(&mut buckets, limits, -1.0);
        true
    }

    /// Gives back what was taken for a request that was not carried out.
    pub fn give_back(&self, limits: &[Limit]) {
        add(&mut lock(&self.0), limits, 1.0);
    }

    /// Fills every bucket.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}

impl Bucket {
    fn fill(&mut self, now: f64) {
        let passed = (now - self.at).max(0.0);
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        self.at = now;
    }
}

fn tokens(buckets: &mut HashMap<String, Bucket>, limit: &Limit, now: f64) -> f64 {
    let (name, burst, rate) = limit;
    if let Some(bucket) = buckets.get_mut(name) {
        (bucket.burst, bucket.rate) = (*burst, *rate);
        bucket.fill(now);
        return bucket.tokens;
    }
    if buckets.len() >= TOKEN_BUCKETS_MAX {
        forget_full(buckets, now);
    }
    let bucket = Bucket { tokens: *burst, burst: *burst, rate: *rate, at: now };
    buckets.insert(name.clone(), bucket);
    *burst
}

// A bucket that is forgotten is full again, so those go first that are.
fn forget_full(buckets: &mut HashMap<String, Bucket>, now: f64) {
    buckets.retain(|_, bucket| {
        bucket.fill(now);
        bucket.tokens < bucket.burst
    });
    if buckets.len() >= TOKEN_BUCKETS_MAX {
        buckets.clear();
    }
}

fn add(buckets: &mut HashMap<String, Bucket>, limits: &[Limit], tokens: f64) {
    for (name, burst, _) in limits {
        if let Some(bucket) = buckets.get_mut(name) {
            bucket.tokens = (bucket.tokens + tokens).min(*burst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(name: &str, burst: f64, rate: f64) -> Limit {
        (name.to_owned(), burst, rate)
    }

    #[test]
    fn a_bucket_empties_fills_with_time_and_holds_no_more_than_its_size() {
        let (buckets, limits) = (TokenBuckets::default(), [limit("a", 2.0, 1.0)]);
        assert!(buckets.take(&limits, 0.0) && buckets.take(&limits, 0.0));
        assert!(!buckets.take(&limits, 0.5));
        assert!(buckets.take(&limits, 1.0));
        assert!(!buckets.take(&limits, 1.0));
        assert!(buckets.take(&limits, 99.0) && buckets.take(&limits, 99.0));
        assert!(!buckets.take(&limits, 99.0));
        buckets.clear();
        assert!(buckets.take(&limits, 99.0));
    }

    #[test]
    fn a_request_takes_of_every_bucket_or_of_none() {
        let buckets = TokenBuckets::default();
        let (one, other) = (limit("a", 5.0, 0.0), limit("b", 1.0, 0.0));
        assert!(buckets.take(&[one.clone(), other.clone()], 0.0));
        for _ in 0..9 {
            assert!(!buckets.take(&[one.clone(), other.clone()], 0.0));
        }
        buckets.give_back(std::slice::from_ref(&other));
        assert!(buckets.take(&[one.clone(), other], 0.0));
        for _ in 0..3 {
            assert!(buckets.take(std::slice::from_ref(&one), 0.0));
        }
        assert!(!buckets.take(&[one], 0.0));
    }
}
