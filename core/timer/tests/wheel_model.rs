//! The wheel against a sorted map: what fires, when, and in which order.
#![cfg(not(loom))]

use std::collections::BTreeMap;

use proptest::prelude::*;
use trunkline_timer::Wheel;

/// The obvious timer: keys by time, those of one time in no order.
#[derive(Default)]
struct Model {
    entries: BTreeMap<u64, Vec<u32>>,
}

impl Model {
    fn insert(&mut self, key: u32, at: u64) {
        self.entries.entry(at).or_default().push(key);
    }

    fn expire(&mut self, now: u64) -> Vec<(u64, Vec<u32>)> {
        let later = self.entries.split_off(&(now + 1));
        std::mem::replace(&mut self.entries, later).into_iter().collect()
    }

    fn next_due(&self) -> Option<u64> {
        self.entries.keys().next().copied()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert { ahead: i64 },
    Advance { by: u64 },
    AdvanceInPortions { by: u64, limit: usize },
    Next,
}

fn span() -> impl Strategy<Value = u64> {
    // Every level is met: spans are spread over their number of digits.
    (0u32..40, any::<u64>()).prop_map(|(bits, value)| value & ((1 << bits) - 1))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => span().prop_map(|ahead| Step::Insert { ahead: ahead as i64 }),
        1 => (0i64..5_000).prop_map(|behind| Step::Insert { ahead: -behind }),
        2 => span().prop_map(|by| Step::Advance { by }),
        2 => (span(), 1usize..6).prop_map(|(by, limit)| Step::AdvanceInPortions { by, limit }),
        2 => Just(Step::Next),
    ]
}

/// Checks that `fired` is what the model says, in order of time, ties in any order.
fn check(fired: &[u32], mut expected: Vec<(u64, Vec<u32>)>) -> Result<(), TestCaseError> {
    let mut rest = fired;
    for (_, keys) in &mut expected {
        prop_assert!(rest.len() >= keys.len(), "too few fired: {fired:?}");
        let (mut now, later) = (rest[..keys.len()].to_vec(), &rest[keys.len()..]);
        now.sort_unstable();
        keys.sort_unstable();
        prop_assert_eq!(&now, keys);
        rest = later;
    }
    prop_assert!(rest.is_empty(), "too many fired: {rest:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_wheel_fires_what_a_sorted_map_would_in_order_of_time(
        start in prop_oneof![Just(0u64), Just(1_766_000_000_000), span()],
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let (mut wheel, mut model) = (Wheel::new(start), Model::default());
        let (mut now, mut key) = (start, 0);
        for step in steps {
            match step {
                Step::Insert { ahead } => {
                    let at = now.saturating_add_signed(ahead);
                    wheel.insert(key, at);
                    model.insert(key, at);
                    key += 1;
                }
                Step::Advance { by } => {
                    now += by;
                    let mut fired = Vec::new();
                    wheel.expire(now, |key| { fired.push(key); None });
                    check(&fired, model.expire(now))?;
                }
                Step::AdvanceInPortions { by, limit } => {
                    now += by;
                    let mut fired = Vec::new();
                    loop {
                        let before = fired.len();
                        let swept = wheel.expire_some(now, limit, |key| { fired.push(key); None });
                        prop_assert_eq!(swept.0, fired.len() - before);
                        prop_assert!(swept.0 <= limit);
                        if !swept.1 { break; }
                    }
                    check(&fired, model.expire(now))?;
                }
                Step::Next => {
                    // As a virtual clock does it: only ever to the next time, firing nothing late.
                    let Some(next) = wheel.next_due() else { continue };
                    now = now.max(next);
                    let mut fired = Vec::new();
                    wheel.expire(now, |key| { fired.push(key); None });
                    check(&fired, model.expire(now))?;
                }
            }
            prop_assert_eq!(wheel.len(), model.entries.values().map(Vec::len).sum::<usize>());
            match (wheel.next_due(), model.next_due()) {
                (None, None) => {}
                (Some(bound), Some(exact)) => {
                    prop_assert!(bound <= exact.max(now), "{bound} is after {exact}");
                    prop_assert!(bound >= now, "{bound} is before now, {now}");
                    if exact > now && exact >> 6 == now >> 6 {
                        prop_assert_eq!(bound, exact);
                    }
                }
                (bound, exact) => prop_assert!(false, "{bound:?} for {exact:?}"),
            }
        }
    }

    #[test]
    fn a_callback_that_names_a_time_is_called_again_then(
        periods in prop::collection::vec(1u64..5_000, 1..20),
        until in 1u64..40_000,
    ) {
        let mut wheel = Wheel::new(0);
        for (key, period) in periods.iter().enumerate() {
            wheel.insert(key, *period);
        }
        let mut calls = vec![0u64; periods.len()];
        wheel.expire(until, |key| {
            calls[key] += 1;
            Some((calls[key] + 1) * periods[key])
        });
        let expected: Vec<u64> = periods.iter().map(|period| until / period).collect();
        prop_assert_eq!(calls, expected);
    }
}

#[test]
fn a_time_at_the_end_of_the_world_waits_for_it() {
    let mut wheel = Wheel::new(0);
    wheel.insert("never", u64::MAX);
    assert_eq!(wheel.expire(1 << 47, |_| panic!("fired")), 0);
    assert_eq!(wheel.len(), 1);
}

#[test]
fn a_virtual_clock_reaches_a_far_entry_in_a_few_steps() {
    let mut wheel = Wheel::new(1_766_000_000_123);
    let at = 1_766_000_000_123 + 14 * 86_400_000;
    wheel.insert((), at);
    let mut steps = 0;
    let mut fired_at = None;
    while let Some(next) = wheel.next_due() {
        wheel.expire(next, |()| {
            fired_at = Some(next);
            None
        });
        steps += 1;
    }
    assert_eq!(fired_at, Some(at));
    assert!(steps <= 8, "{steps} steps");
}
