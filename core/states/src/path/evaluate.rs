//! The value that a path names in a document.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Function, Path, Step, normal};
use crate::value::{Number, Value};

/// Values that one evaluation may look at: scans of scans are bounded.
const VISITS_MAX: usize = 4_000_000;

/// A path names nothing in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotFound {
    /// Why, in the words of AWS's library.
    pub reason: String,
}

/// The document, and what the evaluation may still look at.
pub(super) struct Walk<'v> {
    pub root: &'v Value,
    visits: usize,
}

impl Walk<'_> {
    fn visit(&mut self) -> Result<(), NotFound> {
        self.visits += 1;
        if self.visits > VISITS_MAX {
            return Err(NotFound { reason: "The path visits too many values".to_owned() });
        }
        Ok(())
    }
}

impl Path {
    /// The value that this path names in `root`.
    pub fn evaluate(&self, root: &Value) -> Result<Value, NotFound> {
        self.evaluate_at(root, &mut Walk { root, visits: 0 })
    }

    pub(super) fn evaluate_at(
        &self,
        start: &Value,
        walk: &mut Walk<'_>,
    ) -> Result<Value, NotFound> {
        if self.definite {
            return self.definite(start).map(Cow::into_owned);
        }
        let mut found = vec![start.clone()];
        for step in &self.steps {
            if let Step::Function(function) = step {
                return function.apply(&Value::array(found));
            }
            let mut next = Vec::new();
            for value in &found {
                select(step, value, walk, &mut next)?;
            }
            found = next;
        }
        Ok(Value::array(found))
    }

    fn definite<'v>(&self, start: &'v Value) -> Result<Cow<'v, Value>, NotFound> {
        let mut value = start;
        for (index, step) in self.steps.iter().enumerate() {
            value = match step {
                Step::Key(key) => match value {
                    Value::Object(members) => {
                        members.get(key).ok_or_else(|| self.missing(index))?
                    }
                    other => return Err(self.no_object(index, key, other)),
                },
                Step::Index(at) => match value {
                    Value::Array(items) => item(items, *at).ok_or_else(|| self.missing(index))?,
                    _ => return Err(self.missing(index)),
                },
                Step::Keys(keys) => {
                    let Value::Object(members) = value else {
                        return Err(self.missing(index));
                    };
                    let known = keys
                        .iter()
                        .filter_map(|key| Some((Arc::clone(key), members.get(key)?.clone())));
                    return Ok(Cow::Owned(Value::Object(Arc::new(known.collect()))));
                }
                Step::Function(function) => return function.apply(value).map(Cow::Owned),
                _ => return Err(self.missing(index)),
            };
        }
        Ok(Cow::Borrowed(value))
    }

    fn missing(&self, at: usize) -> NotFound {
        let path = normal(&self.steps[..=at]);
        let last = at + 1 == self.steps.len();
        NotFound {
            reason: if last {
                format!("No results for path: {path}")
            } else {
                format!("Missing property in path {path}")
            },
        }
    }

    fn no_object(&self, at: usize, key: &str, found: &Value) -> NotFound {
        let path = normal(&self.steps[..at]);
        NotFound {
            reason: format!(
                "Expected to find an object with property ['{key}'] in path {path} but found \
                 '{}'. This is not a json object according to the JsonProvider: \
                 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
                java_type(found)
            ),
        }
    }
}

fn java_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "com.fasterxml.jackson.databind.node.BooleanNode",
        Value::Number(Number::Float(_)) => "com.fasterxml.jackson.databind.node.DoubleNode",
        Value::Number(_) => "com.fasterxml.jackson.databind.node.IntNode",
        Value::String(_) => "com.fasterxml.jackson.databind.node.TextNode",
        Value::Array(_) => "com.fasterxml.jackson.databind.node.ArrayNode",
        Value::Object(_) => "com.fasterxml.jackson.databind.node.ObjectNode",
    }
}

fn item(items: &[Value], at: i64) -> Option<&Value> {
    let at = if at < 0 { at.checked_add(items.len() as i64)? } else { at };
    items.get(usize::try_from(at).ok()?)
}

/// Appends what one step names in one value.
fn select(
    step: &Step,
    value: &Value,
    walk: &mut Walk<'_>,
    out: &mut Vec<Value>,
) -> Result<(), NotFound> {
    walk.visit()?;
    match (step, value) {
        (Step::Key(key), Value::Object(members)) => out.extend(members.get(key).cloned()),
        (Step::Keys(keys), Value::Object(members)) => {
            out.extend(keys.iter().filter_map(|key| members.get(key).cloned()));
        }
        (Step::Index(at), Value::Array(items)) => out.extend(item(items, *at).cloned()),
        (Step::Indexes(indexes), Value::Array(items)) => {
            out.extend(indexes.iter().filter_map(|at| item(items, *at).cloned()));
        }
        (Step::Slice(from, to), Value::Array(items)) => {
            let length = items.len() as i64;
            let bound = |at: i64| (if at < 0 { at + length } else { at }).clamp(0, length);
            let from = bound(from.unwrap_or(0)) as usize;
            let to = bound(to.unwrap_or(length)) as usize;
            if from < to {
                out.extend_from_slice(&items[from..to]);
            }
        }
        (Step::Wildcard, Value::Array(items)) => {
            for item in items.iter() {
                walk.visit()?;
                out.push(item.clone());
            }
        }
        (Step::Wildcard, Value::Object(members)) => {
            for member in members.values() {
                walk.visit()?;
                out.push(member.clone());
            }
        }
        (Step::Descend, _) => descend(value, walk, out)?,
        (Step::Filter(filter), Value::Array(items)) => {
            for item in items.iter() {
                walk.visit()?;
                if filter.accepts(item, walk) {
                    out.push(item.clone());
                }
            }
        }
        (Step::Filter(filter), Value::Object(_)) if filter.accepts(value, walk) => {
            out.push(value.clone());
        }
        _ => {}
    }
    Ok(())
}

/// A value and all values in it, each before its parts.
fn descend(value: &Value, walk: &mut Walk<'_>, out: &mut Vec<Value>) -> Result<(), NotFound> {
    walk.visit()?;
    match value {
        Value::Array(items) => {
            out.push(value.clone());
            for item in items.iter() {
                descend(item, walk, out)?;
            }
        }
        Value::Object(members) => {
            out.push(value.clone());
            for member in members.values() {
                descend(member, walk, out)?;
            }
        }
        _ => {}
    }
    Ok(())
}

impl Function {
    fn apply(self, value: &Value) -> Result<Value, NotFound> {
        let failed = || NotFound {
            reason: format!("Aggregation function attempted to calculate value using {value}"),
        };
        match (self, value) {
            (Function::Length, Value::Array(items)) => return Ok((items.len() as i64).into()),
            (Function::Length, Value::Object(members)) => {
                return Ok((members.len() as i64).into());
            }
            (Function::Length, Value::String(text)) => {
                return Ok((text.encode_utf16().count() as i64).into());
            }
            (Function::Keys, Value::Object(members)) => {
                let keys = members.keys().map(|key| Value::String(Arc::clone(key)));
                return Ok(Value::array(keys.collect()));
            }
            _ => {}
        }
        let Value::Array(items) = value else { return Err(failed()) };
        match self {
            Function::First => return items.first().cloned().ok_or_else(failed),
            Function::Last => return items.last().cloned().ok_or_else(failed),
            _ => {}
        }
        let numbers: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
        if numbers.is_empty() {
            return Err(failed());
        }
        let count = numbers.len() as f64;
        let sum: f64 = numbers.iter().sum();
        let result = match self {
            Function::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Function::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Function::Sum => sum,
            Function::Avg => sum / count,
            Function::StdDev => {
                let squares: f64 = numbers.iter().map(|number| number * number).sum();
                (squares / count - (sum / count) * (sum / count)).sqrt()
            }
            _ => return Err(failed()),
        };
        Ok(Value::Number(Number::Float(result)))
    }
}
