//! The variables that the fields of a state name, for `variableReferences` of DescribeStateMachine.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::jsonata;
use crate::program::Language;
use crate::value::{Members, Value};

/// Fields that hold other states.
const INNER: [&str; 3] = ["Branches", "ItemProcessor", "Iterator"];

/// The variables that the fields of a state name, in order.
pub(super) fn variables(members: &Members, language: Language) -> Vec<Arc<str>> {
    let mut found = BTreeSet::new();
    for (key, value) in members {
        if !INNER.contains(&&**key) {
            collect(key, value, language, &mut found);
        }
    }
    found.into_iter().collect()
}

fn collect(key: &str, value: &Value, language: Language, found: &mut BTreeSet<Arc<str>>) {
    match value {
        Value::String(text) => match language {
            Language::JsonPath => {
                if key.ends_with(".$") || key.ends_with("Path") || key == "Variable" {
                    in_path(text, found);
                }
            }
            Language::Jsonata => {
                if let Some(source) = jsonata::expression(text) {
                    in_query(source, found);
                }
            }
        },
        Value::Array(items) => {
            for item in items.iter() {
                collect(key, item, language, found);
            }
        }
        Value::Object(members) => {
            for (key, value) in members.iter() {
                collect(key, value, language, found);
            }
        }
        _ => {}
    }
}

/// The names after a dollar sign, each with the text that follows it.
fn names(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('$').skip(1).filter_map(|rest| {
        let ends = |letter: char| !(letter.is_alphanumeric() || letter == '_');
        let (name, rest) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        let first = name.chars().next()?;
        (first.is_alphabetic() || first == '_').then_some((name, rest.trim_start()))
    })
}

fn in_path(text: &str, found: &mut BTreeSet<Arc<str>>) {
    // What stands in quotes is text.
    for part in text.split('\'').step_by(2) {
        found.extend(names(part).map(|(name, _)| Arc::from(name)));
    }
}

fn in_query(source: &str, found: &mut BTreeSet<Arc<str>>) {
    let mut own: Vec<&str> = vec!["states"];
    own.extend(names(source).filter(|(_, rest)| rest.starts_with(":=")).map(|(name, _)| name));
    for rest in source.split("function").skip(1) {
        let parameters = rest.split(')').next().unwrap_or_default();
        own.extend(names(parameters).map(|(name, _)| name));
    }
    let free = names(source)
        .filter(|(name, rest)| !rest.starts_with('(') && !own.contains(name))
        .map(|(name, _)| Arc::from(name));
    found.extend(free);
}
