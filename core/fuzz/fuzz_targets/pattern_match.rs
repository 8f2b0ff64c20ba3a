//! Any bytes as an event: validated and trusted readings agree on valid events, and every reading
//! ends.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleSet, Scratch};

const PATTERNS: [&str; 8] = [
    r#"{"a":["x",1,true,null]}"#,
    r#"{"a":{"b":[{"prefix":"x"}],"c":[{"exists":false}]}}"#,
    r#"{"a.b":[{"suffix":"x"},{"wildcard":"*x*y"}]}"#,
    r#"{"a":[{"numeric":[">",0,"<=",5]}],"b":[{"anything-but":["x"]}]}"#,
    r#"{"$or":[{"a":[{"equals-ignore-case":"x"}]},{"b":[{"cidr":"10.0.0.0/8"}]}]}"#,
    r#"{"":[{"exists":true}]}"#,
    r#"{"a":{"a":{"a":["x"]}},"a-b":["x"]}"#,
    r#"{"b":[{"wildcard":"*long*gram*"},{"prefix":{"equals-ignore-case":"\u00e9"}}]}"#,
];

static RULES: LazyLock<(RuleSet, Vec<Pattern>)> = LazyLock::new(|| {
    let rules = RuleSet::new();
    let compile = |text: &&str| {
        Pattern::compile(text.as_bytes(), Dialect::EventPattern, &Limits::default())
            .expect("a pattern")
    };
    let patterns: Vec<Pattern> = PATTERNS.iter().map(compile).collect();
    rules.add_many(patterns.iter().enumerate().map(|(id, pattern)| (id as u32, pattern)));
    (rules, patterns)
});

fuzz_target!(|text: &[u8]| {
    let (rules, patterns) = &*RULES;
    let mut scratch = Scratch::default();
    let mut ask = |event| {
        let mut out = Vec::new();
        rules.matches(event, &mut scratch, &mut out).map(|()| out)
    };
    let (strict, trusted) = (ask(Event::new(text)), ask(Event::trusted(text)));
    // The result for invalid JSON is unspecified, but the reading ends.
    let _ = ask(Event::plain(text));
    let Ok(matched) = strict else {
        assert!(patterns.iter().all(|pattern| pattern.matches(Event::new(text)).is_err()));
        return;
    };
    assert_eq!(Ok(&matched), trusted.as_ref());
    for (id, pattern) in patterns.iter().enumerate() {
        let alone = pattern.matches(Event::new(text)).expect("valid");
        assert_eq!(alone, matched.contains(&(id as u32)));
        assert_eq!(alone, pattern.explain(Event::new(text)).expect("valid").matched);
    }
});
