//! Checks an input against its model, and says what is wrong in AWS's words.

use crate::error::WireError;
use crate::limits::{QUOTE_CHARS_MAX, VIOLATIONS_MAX};
use crate::model::{Kind, Model, Shape};
use crate::quotation::quote;
use crate::value::Value;

/// Everything that `value` violates, as one `ValidationException`; nothing when it is valid.
pub fn check(model: &Model, shape: &Shape, value: &Value) -> Result<(), WireError> {
    let mut walk = Walk { model, violations: Vec::new(), path: String::new() };
    walk.value(shape, value);
    let found = walk.violations;
    if found.is_empty() {
        return Ok(());
    }
    let plural = if found.len() == 1 { "error" } else { "errors" };
    let message = format!("{} validation {plural} detected: {}", found.len(), found.join("; "));
    Err(WireError::new("ValidationException", 400, message).with_query_code("ValidationError"))
}

struct Walk<'a> {
    model: &'a Model,
    violations: Vec<String>,
    path: String,
}

impl Walk<'_> {
    fn at(&mut self, part: &str, inside: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        // Paths are written in lower camel case whatever the model has.
        let mut letters = part.chars();
        self.path.extend(letters.next().map(|first| first.to_ascii_lowercase()));
        self.path.extend(letters);
        inside(self);
        self.path.truncate(length);
    }

    fn report(&mut self, value: &str, constraint: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            let path = &self.path;
            self.violations.push(format!(
                "Value {value} at '{path}' failed to satisfy constraint: {constraint}"
            ));
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value) {
        match (&shape.kind, value) {
            (Kind::Structure(members), Value::Map(entries)) => {
                for member in members {
                    match entries.iter().find(|(name, _)| **name == *member.name) {
                        Some((_, value)) => {
                            let shape = self.model.shape(member.shape);
                            self.at(&member.name, |walk| walk.value(shape, value));
                        }
                        None if member.required => self.at(&member.name, |walk| {
                            walk.report("null", "Member must not be null".to_owned());
                        }),
                        None => {}
                    }
                }
            }
            (Kind::List(member), Value::List(items)) => {
                self.size(shape, items.len(), value);
                let element = self.model.shape(member.shape);
                for (place, item) in items.iter().enumerate() {
                    self.at(&(place + 1).to_string(), |walk| {
                        walk.at("member", |walk| walk.value(element, item));
                    });
                }
            }
            (Kind::Map(key, member), Value::Map(entries)) => {
                self.size(shape, entries.len(), value);
                let (keys, values) = (self.model.shape(key.shape), self.model.shape(member.shape));
                for (key, value) in entries {
                    self.text(keys, key);
                    self.at(key, |walk| walk.at("member", |walk| walk.value(values, value)));
                }
            }
            (Kind::Text, Value::Text(text)) => self.text(shape, text),
            (Kind::Blob, Value::Blob(bytes)) => {
                self.bounded(shape, bytes.len(), || format!("'[a blob of {}]'", bytes.len()));
            }
            (Kind::Int | Kind::Long, Value::Int(number)) => self.number(shape, *number as f64),
            (Kind::Float, Value::Float(number)) => self.number(shape, *number),
            _ => {}
        }
    }

    fn number(&mut self, shape: &Shape, number: f64) {
        let value = format!("'{number}'");
        if let Some(min) = shape.constraints.min.filter(|min| number < *min) {
            let text = format!("Member must have value greater than or equal to {min}");
            self.report(&value, text);
        }
        if let Some(max) = shape.constraints.max.filter(|max| number > *max) {
            self.report(&value, format!("Member must have value less than or equal to {max}"));
        }
    }

    /// The length of a list or map.
    fn size(&mut self, shape: &Shape, length: usize, value: &Value) {
        let model = self.model;
        self.bounded(shape, length, || format!("'{}'", quote(model, shape, value)));
    }

    fn bounded(&mut self, shape: &Shape, length: usize, value: impl Fn() -> String) {
        if let Some(min) = shape.constraints.min.filter(|min| (length as f64) < *min) {
            let text = format!("Member must have length greater than or equal to {min}");
            self.report(&value(), text);
        }
        if let Some(max) = shape.constraints.max.filter(|max| length as f64 > *max) {
            self.report(&value(), format!("Member must have length less than or equal to {max}"));
        }
    }

    fn text(&mut self, shape: &Shape, text: &str) {
        let quoted: String = text.chars().take(QUOTE_CHARS_MAX).collect();
        let value = format!("'{quoted}'");
        let constraints = &shape.constraints;
        if !constraints.matches(text) {
            let pattern = constraints.pattern.as_deref().unwrap_or_default();
            let text = format!("Member must satisfy regular expression pattern: {pattern}");
            self.report(&value, text);
        }
        self.bounded(shape, text.chars().count(), || value.clone());
        if !constraints.values.is_empty() && !constraints.values.iter().any(|v| **v == *text) {
            let allowed = constraints.values.join(", ");
            self.report(&value, format!("Member must satisfy enum value set: [{allowed}]"));
        }
    }
}
