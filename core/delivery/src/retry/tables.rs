//! The retry tables of the AWS services, and SNS's delivery policy of HTTP endpoints.

use trunkline_types::{Millis, Result};

use super::{Curve, Delay, Jitter, Phase, RetryTable, invalid};

const SECOND: Millis = 1_000;
const HOUR: Millis = 3_600 * SECOND;

impl RetryTable {
    /// Gives up after the first failure.
    pub fn none() -> Self {
        Self { phases: Vec::new(), age_max: None, jitter: Jitter::None }
    }

    /// SNS to SQS, Lambda and Firehose: 100,015 retries over 23 days.
    pub fn sns_managed() -> Self {
        Self::four_phases(3, (2, SECOND), (10, 20 * SECOND), 100_000)
    }

    /// SNS to mail, text messages and mobile push: 50 retries over more than 6 hours.
    pub fn sns_customer() -> Self {
        Self::four_phases(0, (2, 10 * SECOND), (10, 600 * SECOND), 38)
    }

    /// SNS to HTTP endpoints without a policy of their own: 3 retries, 20 seconds apart.
    pub fn sns_http() -> Self {
        let phase = Phase { retries: 3, delay: Delay::Fixed(20 * SECOND) };
        Self { phases: vec![phase], age_max: None, jitter: Jitter::None }
    }

    /// EventBridge: exponential back-off with jitter, at most 185 retries and 24 hours. AWS does
    /// not publish the delays; with these, 185 retries take about 23 hours.
    pub fn event_bridge() -> Self {
        let delay = Delay::Exponential { base: SECOND, factor_permille: 2_000, cap: 600 * SECOND };
        Self {
            phases: vec![Phase { retries: 185, delay }],
            age_max: Some(24 * HOUR),
            jitter: Jitter::Equal,
        }
    }

    /// Asynchronous Lambda invocations whose function failed: after one minute, then after two.
    pub fn lambda_failed() -> Self {
        let phase = |delay| Phase { retries: 1, delay: Delay::Fixed(delay) };
        Self {
            phases: vec![phase(60 * SECOND), phase(120 * SECOND)],
            age_max: Some(6 * HOUR),
            jitter: Jitter::None,
        }
    }

    /// Asynchronous Lambda invocations that were throttled: from one second to five minutes, for
    /// six hours.
    pub fn lambda_throttled() -> Self {
        let delay = Delay::Exponential { base: SECOND, factor_permille: 2_000, cap: 300 * SECOND };
        Self {
            phases: vec![Phase { retries: u32::MAX, delay }],
            age_max: Some(6 * HOUR),
            jitter: Jitter::Equal,
        }
    }

    /// SNS's phases: immediate, pre-backoff at the shortest delay, exponential backoff from the
    /// shortest to the longest, post-backoff at the longest.
    fn four_phases(
        immediate: u32,
        (pre, shortest): (u32, Millis),
        (backoff, longest): (u32, Millis),
        post: u32,
    ) -> Self {
        let ramp = Delay::Ramp { from: shortest, to: longest, curve: Curve::Exponential };
        let phases = [
            Phase { retries: immediate, delay: Delay::Fixed(0) },
            Phase { retries: pre, delay: Delay::Fixed(shortest) },
            Phase { retries: backoff, delay: ramp },
            Phase { retries: post, delay: Delay::Fixed(longest) },
        ];
        let phases = phases.into_iter().filter(|phase| phase.retries > 0).collect();
        // No jitter: AWS publishes these delays, and what one endpoint gets at a time is bounded.
        Self { phases, age_max: None, jitter: Jitter::None }
    }
}

/// SNS's delivery policy of an HTTP endpoint. The fields have AWS's names; times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpPolicy {
    /// Delay of the pre-backoff phase and of the first retry of the backoff phase.
    pub min_delay_target: u32,
    /// Delay of the post-backoff phase and of the last retry of the backoff phase.
    pub max_delay_target: u32,
    /// All retries.
    pub num_retries: u32,
    /// Retries without a delay.
    pub num_no_delay_retries: u32,
    /// Retries of the pre-backoff phase.
    pub num_min_delay_retries: u32,
    /// Retries of the post-backoff phase.
    pub num_max_delay_retries: u32,
    /// How the delay grows in the backoff phase.
    pub backoff_function: Curve,
}

impl Default for HttpPolicy {
    fn default() -> Self {
        Self {
            min_delay_target: 20,
            max_delay_target: 20,
            num_retries: 3,
            num_no_delay_retries: 0,
            num_min_delay_retries: 0,
            num_max_delay_retries: 0,
            backoff_function: Curve::Linear,
        }
    }
}

/// Longest delay of a policy, and longest time that all its retries may take (AWS: one hour).
const POLICY_SECONDS_MAX: u32 = 3_600;
/// Most retries of a policy (AWS: 100).
const POLICY_RETRIES_MAX: u32 = 100;

impl HttpPolicy {
    /// The policy as a table; an error names the field that is out of range.
    pub fn table(&self) -> Result<RetryTable> {
        let backoff = self.check()?;
        let seconds = |count: u32| Millis::from(count) * SECOND;
        let (from, to) = (seconds(self.min_delay_target), seconds(self.max_delay_target));
        let ramp = Delay::Ramp { from, to, curve: self.backoff_function };
        let phases = [
            Phase { retries: self.num_no_delay_retries, delay: Delay::Fixed(0) },
            Phase { retries: self.num_min_delay_retries, delay: Delay::Fixed(from) },
            Phase { retries: backoff, delay: ramp },
            Phase { retries: self.num_max_delay_retries, delay: Delay::Fixed(to) },
        ];
        let phases = phases.into_iter().filter(|phase| phase.retries > 0).collect();
        let table = RetryTable::new(phases, None, Jitter::None)?;
        let total: Millis = (1..=self.num_retries).filter_map(|failed| table.delay(failed)).sum();
        if total > seconds(POLICY_SECONDS_MAX) {
            return Err(invalid(format!(
                "The retries of this policy take {} seconds together; at most \
                 {POLICY_SECONDS_MAX}. Lower numRetries or the delays.",
                total / SECOND
            )));
        }
        Ok(table)
    }

    /// Checks the ranges; how many retries the backoff phase has.
    fn check(&self) -> Result<u32> {
        if self.max_delay_target > POLICY_SECONDS_MAX {
            return Err(invalid(format!(
                "maxDelayTarget is {}; at most {POLICY_SECONDS_MAX} seconds.",
                self.max_delay_target
            )));
        }
        if self.min_delay_target == 0 || self.min_delay_target > self.max_delay_target {
            return Err(invalid(format!(
                "minDelayTarget is {}; between 1 and maxDelayTarget ({}).",
                self.min_delay_target, self.max_delay_target
            )));
        }
        if self.num_retries > POLICY_RETRIES_MAX {
            return Err(invalid(format!(
                "numRetries is {}; at most {POLICY_RETRIES_MAX}.",
                self.num_retries
            )));
        }
        let phases =
            [self.num_no_delay_retries, self.num_min_delay_retries, self.num_max_delay_retries];
        let named: u64 = phases.into_iter().map(u64::from).sum();
        u64::from(self.num_retries).checked_sub(named).map(|left| left as u32).ok_or_else(|| {
            invalid(format!(
                "numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries are {named} \
                 together; numRetries is {}, and cannot be less.",
                self.num_retries
            ))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn total(table: &RetryTable) -> Millis {
        (1..=table.retries() as u32).map(|failed| table.delay(failed).unwrap()).sum()
    }

    #[test]
    fn the_tables_of_sns_have_the_retries_and_the_duration_that_aws_publishes() {
        let managed = RetryTable::sns_managed();
        assert_eq!((managed.retries(), total(&managed) / (24 * HOUR)), (100_015, 23));
        let customer = RetryTable::sns_customer();
        assert_eq!((customer.retries(), total(&customer) / HOUR), (50, 6));
        let (fixed, policy) = (RetryTable::sns_http(), HttpPolicy::default().table().unwrap());
        for failed in 1..=4 {
            assert_eq!(fixed.delay(failed), policy.delay(failed));
        }
    }

    #[test]
    fn all_retries_of_event_bridge_fit_into_a_day() {
        let table = RetryTable::event_bridge();
        for seed in 0..20 {
            let mut now = 0;
            for attempts in 1..=185 {
                let failed = super::super::Failed { attempts, first_at: 0, now, retry_after: None };
                match table.next(&failed, seed) {
                    super::super::Retry::At(at) => now = at,
                    gone => panic!("seed {seed}, attempt {attempts}: {gone:?}"),
                }
            }
            assert!((20 * HOUR..24 * HOUR).contains(&now), "{now}");
        }
    }

    #[test]
    fn a_policy_that_is_out_of_range_names_its_field() {
        let fine = HttpPolicy::default();
        for (policy, named) in [
            (HttpPolicy { max_delay_target: 3_601, ..fine }, "maxDelayTarget"),
            (HttpPolicy { min_delay_target: 21, ..fine }, "minDelayTarget"),
            (HttpPolicy { min_delay_target: 0, ..fine }, "minDelayTarget"),
            (HttpPolicy { num_retries: 101, ..fine }, "numRetries"),
            (HttpPolicy { num_no_delay_retries: 4, ..fine }, "numNoDelayRetries"),
            (HttpPolicy { num_max_delay_retries: u32::MAX, ..fine }, "numMaxDelayRetries"),
            (HttpPolicy { max_delay_target: 3_600, num_retries: 5, ..fine }, "together"),
        ] {
            let error = policy.table().unwrap_err();
            assert!(error.message().contains(named), "{policy:?}: {error}");
        }
    }
}
