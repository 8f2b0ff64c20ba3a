//! The paths by which input is taken from an event: `$.detail.items[0]['odd-key']`.
//!
//! EventBridge knows a small part of JSONPath: members by a dot or in brackets, and elements by
//! their index. A value is taken as it is written in the event; of members with the same name the
//! last one counts.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use trunkline_types::{Code, Error, Result};

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl Path {
    /// Parses a path; `field` names the parameter in an error.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let refused = |why: &str| {
            Error::new(
                Code::InvalidParameterValue,
                format!(
                    "{field} {text:?} is not a path: {why}. A path is $, then members (.name or \
                 ['name']) and elements ([0])."
                ),
            )
        };
        let mut rest = text.strip_prefix('$').ok_or_else(|| refused("it must start with $"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, behind) = step(rest).map_err(refused)?;
            steps.push(step);
            rest = behind;
        }
        Ok(Self { steps })
    }

    /// The value of the path in a JSON text; `None` when the text has none.
    pub fn find<'a>(&self, text: &'a [u8]) -> Option<&'a str> {
        let mut value: &RawValue = serde_json::from_slice(text).ok()?;
        for step in &self.steps {
            value = match step {
                Step::Member(name) => {
                    let members: HashMap<Cow<'_, str>, &RawValue> =
                        serde_json::from_str(value.get()).ok()?;
                    *members.get(name.as_str())?
                }
                Step::Element(index) => {
                    let elements: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                    *elements.get(*index)?
                }
            };
        }
        Some(value.get())
    }
}

/// The first step of `text`, and what follows it.
fn step(text: &str) -> std::result::Result<(Step, &str), &'static str> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        if name.is_empty() || name.contains(['*', '?', '@', '\'', '"', ']', ' ']) {
            return Err("a member has no plain name");
        }
        return Ok((Step::Member(name.to_owned()), behind));
    }
    let rest = text.strip_prefix('[').ok_or("a step starts with . or [")?;
    for quote in ['\'', '"'] {
        let Some(quoted) = rest.strip_prefix(quote) else { continue };
        let (name, behind) = quoted.split_once(quote).ok_or("a quote is not closed")?;
        let behind = behind.strip_prefix(']').ok_or("a bracket is not closed")?;
        return Ok((Step::Member(name.to_owned()), behind));
    }
    let (index, behind) = rest.split_once(']').ok_or("a bracket is not closed")?;
    let index = index.parse().map_err(|_| "an index is not a number")?;
    Ok((Step::Element(index), behind))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<String> {
        let event = br#"{"a":{"b-c":[1, {"d.e":"x"}],"n":1.50}, "a.b":2, "s":"\u0041","z":null}"#;
        Path::parse(path, "input_path").unwrap().find(event).map(str::to_owned)
    }

    #[test]
    fn a_value_is_found_as_it_is_written() {
        for (path, expected) in [
            ("$.a.n", "1.50"),
            ("$['a']['n']", "1.50"),
            ("$.a.b-c[0]", "1"),
            ("$.a['b-c'][1][\"d.e\"]", r#""x""#),
            ("$['a.b']", "2"),
            ("$.s", r#""\u0041""#),
            ("$.z", "null"),
            ("$.a.b-c", r#"[1, {"d.e":"x"}]"#),
        ] {
            assert_eq!(find(path).as_deref(), Some(expected), "{path}");
        }
        assert!(find("$").unwrap().starts_with(r#"{"a":{"#));
    }

    #[test]
    fn what_is_not_there_is_none() {
        for path in ["$.b", "$.a.b-c[2]", "$.a[0]", "$.a.b-c.d", "$.s.t", "$.s[0]", "$.z.y"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn of_members_with_one_name_the_last_counts() {
        let path = Path::parse("$.a", "p").unwrap();
        assert_eq!(path.find(br#"{"a":1,"\u0061":2}"#), Some("2"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "a", "$a", "$.", "$..a", "$.*", "$[", "$[']", "$['a'", "$[-1]", "$.a[?(@.b)]"]
        {
            let error = Path::parse(text, "input_path").unwrap_err();
            assert!(error.message().contains("input_path"), "{text}: {error}");
        }
    }
}
