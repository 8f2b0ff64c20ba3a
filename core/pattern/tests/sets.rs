//! Rule sets through the public API: concurrent readers, snapshots, splits, drawings, and bounds.

use std::sync::atomic::{AtomicBool, Ordering};

use trunkline_pattern::{Dialect, Event, Format, Limits, Pattern, RuleSet, Scratch};

fn pattern(text: &str) -> Pattern {
    Pattern::compile(text.as_bytes(), Dialect::EventPattern, &Limits::default()).expect(text)
}

fn matched(rules: &RuleSet, event: &str) -> Vec<u32> {
    let mut out = Vec::new();
    rules.matches(Event::new(event.as_bytes()), &mut Scratch::default(), &mut out).expect(event);
    out
}

#[test]
fn readers_see_whole_versions_while_a_writer_churns() {
    let rules = RuleSet::new();
    // Rules are added in pairs atomically, so a reader sees both of a pair or none.
    let (one, two) = (pattern(r#"{"a":["x"]}"#), pattern(r#"{"a":[{"prefix":"x"}]}"#));
    let others: Vec<Pattern> =
        (0..500).map(|at| pattern(&format!(r#"{{"a":["y{at}"],"b":[{at}]}}"#))).collect();
    rules.add(1_000_000, &pattern(r#"{"a":[{"exists":true}]}"#));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut scratch, mut out, mut seen) = (Scratch::default(), Vec::new(), [0; 2]);
                    while !is_over.load(Ordering::Relaxed) {
                        out.clear();
                        let event = Event::new(br#"{"a":"x","b":3}"#);
                        rules.matches(event, &mut scratch, &mut out).expect("an event");
                        assert_eq!(out.pop(), Some(1_000_000));
                        assert_eq!(out.len() % 2, 0, "half of a version: {out:?}");
                        seen[usize::from(!out.is_empty())] += 1;
                    }
                    seen
                })
            })
            .collect();
        for round in 0..2000_u32 {
            rules.add_many([(2 * round, &one), (2 * round + 1, &two)]);
            rules.add(500_000 + round % 500, &others[round as usize % 500]);
            // `remove` takes one rule, so the pair is replaced by rules that do not match.
            let gone = &others[7];
            rules.add_many([(2 * round, gone), (2 * round + 1, gone)]);
            if round % 100 == 0 {
                std::thread::yield_now();
            }
        }
        is_over.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().expect("a reader").iter().sum::<u32>() > 0);
        }
    });
    assert_eq!(matched(&rules, r#"{"a":"x"}"#), [1_000_000]);
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let rules = RuleSet::new();
    rules.add(1, &pattern(r#"{"a":[1]}"#));
    let before = rules.snapshot();
    rules.add(2, &pattern(r#"{"a":[1]}"#));
    assert!(rules.remove(1));
    let mut out = Vec::new();
    before.matches(Event::new(br#"{"a":1}"#), &mut Scratch::default(), &mut out).expect("valid");
    assert_eq!((out, before.len()), (vec![1], 1));
    assert_eq!(matched(&rules, r#"{"a":1.0}"#), [2]);
}

#[test]
fn many_rules_with_one_pattern_are_one_branch() {
    let rules = RuleSet::new();
    let same = pattern(r#"{"a":["x"],"b":[{"wildcard":"*mid*"}]}"#);
    (0..1000).for_each(|id| rules.add(id, &same));
    assert_eq!(matched(&rules, r#"{"a":"x","b":"amidst"}"#).len(), 1000);
    let drawn = rules.snapshot().draw(Format::Text, |id| id.to_string());
    assert_eq!(drawn.matches("-> #").count(), 1, "{drawn}");
    (0..999).for_each(|id| assert!(rules.remove(id)));
    assert_eq!(matched(&rules, r#"{"a":"x","b":"amidst"}"#), [999]);
}

#[test]
fn rules_that_share_a_value_part_by_their_others() {
    let rules = RuleSet::new();
    for id in 0..3000 {
        let text = format!(r#"{{"source":["app"],"kind":["k{}"],"n":[{}]}}"#, id % 30, id / 30);
        rules.add(id, &pattern(&text));
    }
    for id in [0, 17, 1234, 2999] {
        let event = format!(r#"{{"source":"app","kind":"k{}","n":{}.0}}"#, id % 30, id / 30);
        assert_eq!(matched(&rules, &event), [id]);
    }
    assert!(matched(&rules, r#"{"source":"app","kind":"k1"}"#).is_empty());
    (0..3000).step_by(2).for_each(|id| assert!(rules.remove(id)));
    for id in [0, 17, 1234, 2999] {
        let event = format!(r#"{{"source":"app","kind":"k{}","n":{}}}"#, id % 30, id / 30);
        assert_eq!(matched(&rules, &event), if id % 2 == 0 { vec![] } else { vec![id] });
    }
    (1..3000).step_by(2).for_each(|id| assert!(rules.remove(id)));
    assert_eq!(rules.snapshot().draw(Format::Text, |id| id.to_string()), "");
    assert!(rules.is_empty());
}

#[test]
fn values_in_all_combinations_part_more_than_once() {
    let rules = RuleSet::new();
    let text = |id: u32| {
        let (a, b, c) = (id % 12, id / 12 % 12, id / 144);
        format!(r#"{{"a":["{a}"],"b":["{b}",null],"c":[{c}]}}"#)
    };
    (0..1728).for_each(|id| rules.add(id, &pattern(&text(id))));
    let event = |id: u32, b: &str| format!(r#"{{"a":"{}","b":{b},"c":{}}}"#, id % 12, id / 144);
    for id in [0, 99, 1727] {
        assert_eq!(matched(&rules, &event(id, &format!("\"{}\"", id / 12 % 12))), [id]);
        assert_eq!(matched(&rules, &event(id, "null")).len(), 12);
    }
    (0..1728).filter(|id| id % 7 != 0).for_each(|id| assert!(rules.remove(id)));
    assert_eq!(matched(&rules, &event(7, "null")), [7, 91]);
    (0..1728).step_by(7).for_each(|id| assert!(rules.remove(id)));
    assert!(matched(&rules, &event(7, "null")).is_empty() && rules.is_empty());
}

#[test]
fn a_drawing_shows_fields_questions_and_rules() {
    let rules = RuleSet::new();
    rules.add(1, &pattern(r#"{"a":[{"prefix":"ab"}],"b":[{"exists":false}]}"#));
    rules.add(2, &pattern(r#"{"a":["x","y"]}"#));
    let drawn = rules.snapshot().draw(Format::Text, |id| format!("rule {id}"));
    let expected = "a\n  is \"x\" or \"y\" -> #1 {\"a\": \"x\" or \"y\"} = rule 2\n";
    assert!(drawn.starts_with(expected), "{drawn}");
    assert!(drawn.contains("  begins with 2 bytes -> #0 {"), "{drawn}");
    let dot = rules.snapshot().draw(Format::Dot, |id| format!("rule {id}"));
    assert!(dot.starts_with("digraph rules {") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("label=\"begins with 2 bytes\""), "{dot}");
}

#[test]
fn large_arrays_and_many_values_stay_linear() {
    let rules = RuleSet::new();
    for id in 0..200 {
        rules.add(id, &pattern(&format!(r#"{{"a":{{"b":["x{id}"],"c":["y"],"d":[1]}}}}"#)));
        rules.add(1000 + id, &pattern(&format!(r#"{{"a":{{"b":[{{"anything-but":"z{id}"}}]}}}}"#)));
    }
    let elements: Vec<String> = (0..20_000)
        .map(|at| format!(r#"{{"b":"x{}","c":"n"}},{{"c":"y","d":1}}"#, at % 300))
        .collect();
    let event = format!(r#"{{"a":[{}]}}"#, elements.join(","));
    let started = std::time::Instant::now();
    assert_eq!(matched(&rules, &event).len(), 200);
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

#[test]
fn deep_events_are_refused_with_an_error() {
    let text = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let rules = RuleSet::new();
    for name in ["a", "b"] {
        rules.add(1, &pattern(&format!(r#"{{"{name}":[1]}}"#)));
        for is_trusted in [false, true] {
            let answer = |depth, limit| {
                let text = text(depth);
                let bytes = text.as_bytes();
                let event = if is_trusted { Event::trusted(bytes) } else { Event::new(bytes) };
                let event = event.depth(limit);
                rules.matches(event, &mut Scratch::default(), &mut Vec::new()).is_ok()
            };
            assert!(answer(998, 1000) && answer(19, 20));
            assert!(!answer(1000, 1000) && !answer(100_000, 1000) && !answer(20, 20));
        }
    }
}

#[test]
fn field_names_that_were_once_there_do_not_slow_changes() {
    let rules = RuleSet::new();
    let kept: Vec<Pattern> = (0..100).map(|at| pattern(&format!(r#"{{"a":[{at}]}}"#))).collect();
    rules.add_many(kept.iter().enumerate().map(|(at, kept)| (at as u32, kept)));
    let named = |at: u32| pattern(&format!(r#"{{"name-{at}":["x"],"a":[1]}}"#));
    let change = || {
        let mut times: Vec<_> = (0..400)
            .map(|at| {
                let pattern = named(1_000_000 + at);
                let started = std::time::Instant::now();
                rules.add(500, &pattern);
                assert!(rules.remove(500));
                started.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[times.len() / 4]
    };
    let before = change();
    let many: Vec<Pattern> = (0..20_000).map(named).collect();
    rules.add_many(many.iter().enumerate().map(|(at, named)| (1000 + at as u32, named)));
    (1000..21_000).for_each(|id| assert!(rules.remove(id)));
    let after = change();
    // Names left behind would make it 26 times as slow.
    assert!(after < before * 5, "{before:?} before, {after:?} after");
}
