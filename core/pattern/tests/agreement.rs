//! Property tests: a set matches what its rules match alone, and a pattern what a simple reference
//! matcher matches.

mod common;

use common::generators::{self, Choices};
use common::json::Json;
use common::reference;
use proptest::prelude::*;
use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleId, RuleSet, Scratch};

fn some_pattern(choices: &mut Choices) -> Pattern {
    // Most are valid; only a few exceed the complexity limit.
    loop {
        let text = generators::pattern(choices, 0);
        let limits = Limits { wildcard_complexity: 1000, ..Limits::default() };
        if let Ok(pattern) = Pattern::compile(text.as_bytes(), Dialect::EventPattern, &limits) {
            return pattern;
        }
    }
}

/// Whether the reference matcher supports a pattern: no lone surrogate, and no duplicate path.
fn is_supported(text: &str, document: &Json) -> bool {
    let members = |text: &str| text.matches("\":").count();
    let is_twice = members(text) != members(&document.to_string());
    !text.contains("ud83d") && !text.contains("$or") && !text.contains("a.b") && !is_twice
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(300, |cases| cases.parse().unwrap_or(300)),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_set_is_its_rules(seed: u64) {
        let mut choices = Choices::new(seed);
        let rules = RuleSet::new();
        let mut alone: Vec<(RuleId, Pattern)> = Vec::new();
        let mut scratch = Scratch::default();
        let pool: Vec<Pattern> = (0..12).map(|_| some_pattern(&mut choices)).collect();
        for id in 0..2 + choices.below(60) as RuleId {
            let pattern = pool[choices.below(pool.len())].clone();
            let pattern = if choices.below(2) == 0 { pattern } else { some_pattern(&mut choices) };
            rules.add(id, &pattern);
            alone.push((id, pattern));
            if choices.below(3) == 0 {
                let (gone, _) = alone.swap_remove(choices.below(alone.len()));
                prop_assert!(rules.remove(gone));
            }
        }
        alone.sort_by_key(|(id, _)| *id);
        prop_assert_eq!(rules.len(), alone.len());
        for _ in 0..6 {
            let text = generators::event(&mut choices, 0);
            let mut expected = Vec::new();
            for (id, pattern) in &alone {
                let strict = pattern.matches(Event::new(text.as_bytes())).expect("valid");
                let trusted = pattern.matches(Event::trusted(text.as_bytes())).expect("valid");
                prop_assert_eq!(strict, trusted, "{} {}", pattern.text(), text);
                if generators::is_plain(&text) {
                    let plain = pattern.matches(Event::plain(text.as_bytes())).expect("valid");
                    prop_assert_eq!(strict, plain, "{} {}", pattern.text(), text);
                }
                let why = pattern.explain(Event::new(text.as_bytes())).expect("valid");
                prop_assert_eq!(strict, why.matched, "{} {}", pattern.text(), text);
                expected.extend(strict.then_some(*id));
            }
            let mut found = Vec::new();
            rules.matches(Event::trusted(text.as_bytes()), &mut scratch, &mut found)
                .expect("valid");
            prop_assert_eq!(&found, &expected, "{}", text);
        }
        for (id, _) in &alone {
            prop_assert!(rules.remove(*id));
        }
        prop_assert!(rules.is_empty());
    }

    #[test]
    fn a_pattern_matches_what_the_reference_matches(seed: u64) {
        let mut choices = Choices::new(seed);
        for _ in 0..20 {
            let pattern = some_pattern(&mut choices);
            let Ok(document) = serde_json::from_str(pattern.text()) else {
                continue;
            };
            if !is_supported(pattern.text(), &document) {
                continue;
            }
            for _ in 0..4 {
                let text = generators::event(&mut choices, 0);
                let Ok(event) = serde_json::from_str(&text) else {
                    continue;
                };
                prop_assert_eq!(
                    pattern.matches(Event::new(text.as_bytes())).expect("valid"),
                    reference::matches(&document, &event),
                    "{} {}", pattern.text(), text
                );
            }
        }
    }
}
