//! Runs the cases of tests/vectors/patterns; the Python tests run them too.

use std::path::Path;

use serde::Deserialize;
use trunkline_pattern::{Attribute, AttributeKind, Dialect, Event, Limits, Pattern};
use trunkline_pattern::{RuleSet, Scratch};

#[derive(Deserialize)]
struct Vectors {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    pattern: String,
    #[serde(default)]
    dialect: Option<String>,
    #[serde(default)]
    limits: Vec<(String, usize)>,
    #[serde(default)]
    matches: Vec<String>,
    #[serde(default)]
    differs: Vec<String>,
    #[serde(default)]
    refused: Vec<String>,
    error: Option<String>,
    message: Option<String>,
    #[serde(default)]
    line: u32,
    #[serde(default)]
    column: u32,
    #[serde(default)]
    doubled: bool,
}

#[test]
fn every_vector_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/patterns");
    let mut cases = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the vectors are beside the crates") {
        let path = entry.expect("a readable folder").path();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let vectors: Vectors =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in &vectors.case {
            cases += 1;
            for problem in problems(case) {
                wrong.push(format!("{}: {}: {problem}", path.display(), case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > 300, "only {cases} cases were found");
}

fn problems(case: &Case) -> Vec<String> {
    let dialect = match case.dialect.as_deref() {
        None | Some("event") => Dialect::EventPattern,
        Some("attributes") => Dialect::FilterAttributes,
        Some("body") => Dialect::FilterBody,
        Some(other) => return vec![format!("no dialect {other}")],
    };
    let compiled = Pattern::compile(case.pattern.as_bytes(), dialect, &limits(case));
    let pattern = match (compiled, &case.error) {
        (Ok(pattern), None) if case.message.is_none() => pattern,
        (Ok(_), None) => return vec!["was not refused".to_owned()],
        (Ok(_), Some(reason)) => return vec![format!("was not refused with {reason:?}")],
        (Err(error), reason) => {
            let found = (&error.reason, error.line, error.column, error.doubled);
            let expected = (case.line, case.column, case.doubled);
            let is_right = match reason {
                Some(reason) => found == (reason, expected.0, expected.1, expected.2),
                None => case.message.is_some(),
            };
            let is_worded = case.message.as_ref().is_none_or(|message| message == error.message());
            let wrong = !is_right || !is_worded;
            return if wrong { vec![format!("refused with {found:?}: {error}")] } else { vec![] };
        }
    };
    let rules = RuleSet::new();
    rules.add(1, &pattern);
    let mut wrong = Vec::new();
    let expected =
        [(&case.matches, Some(true)), (&case.differs, Some(false)), (&case.refused, None)];
    for (events, answer) in expected {
        for event in events {
            let (alone, in_set) = if dialect == Dialect::FilterAttributes {
                with_attributes(event, &pattern, &rules)
            } else {
                (pattern.matches(Event::new(event.as_bytes())).ok(), in_set(&rules, event))
            };
            if (alone, in_set) != (answer, answer) {
                wrong.push(format!("{event} is {alone:?} alone, {in_set:?} in a set"));
            }
        }
    }
    wrong
}

fn limits(case: &Case) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in &case.limits {
        match name.as_str() {
            "pattern_bytes" => limits.pattern_bytes = *value,
            "or_combinations" => limits.or_combinations = *value,
            "wildcard_complexity" => limits.wildcard_complexity = *value,
            "filter_keys" => limits.filter_keys = *value,
            "filter_combinations" => limits.filter_combinations = *value,
            "depth" => limits.depth = *value,
            other => panic!("no limit {other}"),
        }
    }
    limits
}

fn in_set(rules: &RuleSet, event: &str) -> Option<bool> {
    let mut out = Vec::new();
    rules.matches(Event::new(event.as_bytes()), &mut Scratch::default(), &mut out).ok()?;
    Some(out == [1])
}

fn with_attributes(
    event: &str,
    pattern: &Pattern,
    rules: &RuleSet,
) -> (Option<bool>, Option<bool>) {
    let document: serde_json::Value = serde_json::from_str(event).expect("attributes are JSON");
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or("").to_owned();
    let attributes: Vec<(String, String, String)> = document
        .as_object()
        .expect("attributes are an object")
        .iter()
        .map(|(name, value)| (name.clone(), text(value, "Type"), text(value, "Value")))
        .collect();
    let borrowed: Vec<Attribute<'_>> = attributes
        .iter()
        .map(|(name, kind, value)| Attribute { name, kind: kind_of(kind), value })
        .collect();
    let mut out = Vec::new();
    let answer = rules.match_attributes(&borrowed, &mut Scratch::default(), &mut out);
    (pattern.matches_attributes(&borrowed).ok(), answer.ok().map(|()| out == [1]))
}

fn kind_of(name: &str) -> AttributeKind {
    match name {
        _ if name.starts_with("String.Array") => AttributeKind::StringArray,
        _ if name.starts_with("String") => AttributeKind::String,
        _ if name.starts_with("Number") => AttributeKind::Number,
        _ => AttributeKind::Binary,
    }
}
