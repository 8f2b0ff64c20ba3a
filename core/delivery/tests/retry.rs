//! The retry tables: the vectors that every language runs, and properties of any table.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;
use trunkline_delivery::{Curve, Delay, Exhausted, Failed, Jitter, Phase, Retry, RetryTable};

#[derive(Deserialize)]
struct Vectors {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    table: Option<String>,
    #[serde(default)]
    phases: Vec<PhaseOf>,
    age_max: Option<u64>,
    retries_max: Option<u32>,
    /// Delays after the first, second, ... failed attempt, each attempt failing at once.
    #[serde(default)]
    delays: Vec<u64>,
    /// What follows the delays: "attempts" or "age".
    then: Option<String>,
    #[serde(default)]
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct PhaseOf {
    retries: u32,
    fixed: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
    curve: Option<String>,
    factor_permille: Option<u32>,
}

#[derive(Deserialize)]
struct Check {
    attempts: u32,
    #[serde(default)]
    now: u64,
    retry_after: Option<u64>,
    at: Option<u64>,
    exhausted: Option<String>,
}

impl Case {
    fn table(&self) -> RetryTable {
        let mut table = match self.table.as_deref() {
            Some("none") => RetryTable::none(),
            Some("sns-managed") => RetryTable::sns_managed(),
            Some("sns-customer") => RetryTable::sns_customer(),
            Some("sns-http") => RetryTable::sns_http(),
            Some("lambda-failed") => RetryTable::lambda_failed(),
            Some(other) => panic!("{}: no table {other}", self.name),
            None => {
                let phases = self.phases.iter().map(PhaseOf::phase).collect();
                RetryTable::new(phases, None, Jitter::None).unwrap()
            }
        };
        if let Some(age) = self.age_max {
            table = table.with_age_max(Some(age));
        }
        match self.retries_max {
            Some(retries) => table.with_retries_max(retries),
            None => table,
        }
    }
}

impl PhaseOf {
    fn phase(&self) -> Phase {
        let (from, to) = (self.from.unwrap_or(0), self.to.unwrap_or(0));
        let delay = match (self.fixed, self.factor_permille, self.curve.as_deref()) {
            (Some(delay), ..) => Delay::Fixed(delay),
            (_, Some(factor_permille), _) => {
                Delay::Exponential { base: from, factor_permille, cap: to }
            }
            (_, _, Some(curve)) => Delay::Ramp { from, to, curve: curve_named(curve) },
            _ => panic!("a phase without a delay"),
        };
        Phase { retries: self.retries, delay }
    }
}

fn curve_named(name: &str) -> Curve {
    match name {
        "linear" => Curve::Linear,
        "arithmetic" => Curve::Arithmetic,
        "geometric" => Curve::Geometric,
        "exponential" => Curve::Exponential,
        other => panic!("no curve {other}"),
    }
}

fn exhausted(name: &str) -> Retry {
    Retry::Exhausted(match name {
        "attempts" => Exhausted::Attempts,
        "age" => Exhausted::Age,
        other => panic!("no reason {other}"),
    })
}

#[test]
fn every_vector_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/retry/tables.toml");
    let vectors: Vectors = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(vectors.case.len() > 8);
    for case in &vectors.case {
        let (table, mut now) = (case.table(), 0);
        for (failed, delay) in case.delays.iter().enumerate() {
            let failed =
                Failed { attempts: failed as u32 + 1, first_at: 0, now, retry_after: None };
            now += delay;
            assert_eq!(table.next(&failed, 0), Retry::At(now), "{}: {failed:?}", case.name);
        }
        if let Some(reason) = &case.then {
            let attempts = case.delays.len() as u32 + 1;
            let failed = Failed { attempts, first_at: 0, now, retry_after: None };
            assert_eq!(table.next(&failed, 0), exhausted(reason), "{}", case.name);
        }
        for check in &case.checks {
            let Check { attempts, now, retry_after, .. } = *check;
            let failed = Failed { attempts, first_at: 0, now, retry_after };
            let expected = match (check.at, &check.exhausted) {
                (Some(at), None) => Retry::At(at),
                (None, Some(reason)) => exhausted(reason),
                _ => panic!("{}: a check with one expectation", case.name),
            };
            assert_eq!(table.next(&failed, 0), expected, "{}: {failed:?}", case.name);
        }
    }
}

const DELAY_MAX: u64 = 43_200_000;

fn delay() -> impl Strategy<Value = Delay> {
    let ends = (0..=DELAY_MAX, 0..=DELAY_MAX).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let curve = prop_oneof![
        Just(Curve::Linear),
        Just(Curve::Arithmetic),
        Just(Curve::Geometric),
        Just(Curve::Exponential)
    ];
    prop_oneof![
        (0..=DELAY_MAX).prop_map(Delay::Fixed),
        (ends.clone(), curve).prop_map(|((from, to), curve)| Delay::Ramp { from, to, curve }),
        (ends, 1_000..=u32::MAX).prop_map(|((base, cap), factor_permille)| {
            Delay::Exponential { base, factor_permille, cap }
        }),
    ]
}

fn longest(delay: Delay) -> u64 {
    match delay {
        Delay::Fixed(delay) => delay,
        Delay::Ramp { to, .. } => to,
        Delay::Exponential { cap, .. } => cap,
    }
}

fn table() -> impl Strategy<Value = RetryTable> {
    let retries = prop_oneof![0..20u32, Just(u32::MAX)];
    let phase = (retries, delay()).prop_map(|(retries, delay)| Phase { retries, delay });
    let jitter = prop_oneof![Just(Jitter::None), Just(Jitter::Equal), Just(Jitter::Full)];
    (prop::collection::vec(phase, 0..5), prop::option::of(0..=u64::MAX), jitter)
        .prop_map(|(phases, age_max, jitter)| RetryTable::new(phases, age_max, jitter).unwrap())
}

proptest! {
    #[test]
    fn next_is_total_bounded_and_repeatable(
        table in table(),
        attempts: u32,
        first_at: u64,
        now: u64,
        retry_after: Option<u64>,
        seed: u64,
    ) {
        let failed = Failed { attempts, first_at, now, retry_after };
        let next = table.next(&failed, seed);
        prop_assert_eq!(next, table.next(&failed, seed));
        if let Retry::At(at) = next {
            let longest = table.phases().iter().map(|phase| longest(phase.delay)).max().unwrap();
            prop_assert!(at >= now && at >= retry_after.unwrap_or(0));
            prop_assert!(at <= now.saturating_add(longest).max(retry_after.unwrap_or(0)));
            prop_assert!(table.age_max().is_none_or(|age| at.saturating_sub(first_at) <= age));
        }
    }

    #[test]
    fn delays_grow_within_a_phase(delay in delay(), retries in 1..200u32) {
        let table =
            RetryTable::new(vec![Phase { retries, delay }], None, Jitter::None).unwrap();
        let delays: Vec<_> = (1..=retries).map(|failed| table.delay(failed).unwrap()).collect();
        prop_assert!(delays.is_sorted());
        prop_assert_eq!(table.delay(retries + 1), None);
    }

    #[test]
    fn what_is_exhausted_stays_so(
        table in table(),
        attempts in 1..u32::MAX,
        now in 0..u64::MAX / 2,
        later in 0..DELAY_MAX,
        seed: u64,
    ) {
        let failed = Failed { attempts, first_at: 0, now, retry_after: None };
        if let Retry::Exhausted(Exhausted::Attempts) = table.next(&failed, seed) {
            let more = Failed { attempts: attempts + 1, now: now + later, ..failed };
            prop_assert_eq!(table.next(&more, seed), Retry::Exhausted(Exhausted::Attempts));
        }
        // Age: the same attempt, looked at later, is not younger.
        if let Retry::Exhausted(_) = table.next(&failed, seed) {
            let more = Failed { now: now + later, ..failed };
            prop_assert!(matches!(table.next(&more, seed), Retry::Exhausted(_)));
        }
    }

    #[test]
    fn a_bound_on_retries_keeps_the_first_ones(table in table(), retries in 0..60u32) {
        let bounded = table.clone().with_retries_max(retries);
        let expected = u64::from(retries).min(table.retries());
        prop_assert_eq!(bounded.retries(), expected);
        // The last phase that is kept may be shorter, so its curve is steeper: only fixed and
        // exponential delays stay what they were.
        for failed in 1..=expected as u32 {
            prop_assert!(bounded.delay(failed).is_some());
        }
    }
}

#[test]
fn a_table_out_of_range_names_its_field() {
    let ramp = |from, to| Delay::Ramp { from, to, curve: Curve::Linear };
    let growing = |factor_permille| Delay::Exponential { base: 1, factor_permille, cap: 2 };
    for delay in [Delay::Fixed(DELAY_MAX + 1), ramp(2, 1), ramp(0, DELAY_MAX + 1), growing(999)] {
        let phases =
            vec![Phase { retries: 1, delay: Delay::Fixed(0) }, Phase { retries: 1, delay }];
        let error = RetryTable::new(phases, None, Jitter::None).unwrap_err();
        assert!(error.message().contains("phases[1].delay"), "{error}");
    }
    let many = vec![Phase { retries: 1, delay: Delay::Fixed(0) }; 17];
    let error = RetryTable::new(many, None, Jitter::None).unwrap_err();
    assert!(error.message().contains("phases: 17"), "{error}");
}
