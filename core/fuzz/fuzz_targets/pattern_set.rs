//! Lines of a script: a pattern adds a rule, a number removes one, any other line is an event.
//! A set matches what its rules match alone.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleSet, Scratch};

fuzz_target!(|script: &[u8]| {
    let (rules, mut alone) = (RuleSet::new(), BTreeMap::<u32, Pattern>::new());
    let mut scratch = Scratch::default();
    for line in script.split(|&byte| byte == b'\n') {
        let number = std::str::from_utf8(line).ok().and_then(|line| line.parse::<u32>().ok());
        if let Some(gone) = number {
            assert_eq!(rules.remove(gone), alone.remove(&gone).is_some());
        } else if let Ok(pattern) =
            Pattern::compile(line, Dialect::EventPattern, &Limits::default())
        {
            let id = alone.len() as u32 % 8;
            rules.add(id, &pattern);
            alone.insert(id, pattern);
        }
        assert_eq!(rules.len(), alone.len());
        let mut out = Vec::new();
        if rules.matches(Event::new(line), &mut scratch, &mut out).is_err() {
            continue;
        }
        let matches = |pattern: &Pattern| pattern.matches(Event::trusted(line)).expect("valid");
        let expected: Vec<u32> =
            alone.iter().filter(|(_, pattern)| matches(pattern)).map(|(&id, _)| id).collect();
        assert_eq!(out, expected);
    }
});
