//! JSON values that share their parts: a clone costs a counter, not a copy.

mod number;
mod parse;
mod write;

use std::sync::Arc;

use indexmap::IndexMap;

pub use number::Number;
pub(crate) use number::write_seconds;
pub(crate) use parse::DEPTH_MAX;
pub use parse::{MalformedJson, parse};
pub(crate) use write::write_string;

/// The members of an object, in the order of their text.
pub type Members = IndexMap<Arc<str>, Value>;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Arc<str>),
    /// An array.
    Array(Arc<Vec<Value>>),
    /// An object.
    Object(Arc<Members>),
}

impl Value {
    /// A string.
    pub fn string(text: impl AsRef<str>) -> Value {
        Value::String(Arc::from(text.as_ref()))
    }

    /// An array of these items.
    pub fn array(items: Vec<Value>) -> Value {
        Value::Array(Arc::new(items))
    }

    /// An object with these members.
    pub fn object<K: AsRef<str>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
        let members = members.into_iter().map(|(key, value)| (Arc::from(key.as_ref()), value));
        Value::Object(Arc::new(members.collect()))
    }

    /// An object without members.
    pub fn empty_object() -> Value {
        Value::Object(Arc::new(Members::new()))
    }

    /// The member of an object with this name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, when it is a whole number of 64 bits (`2.0` is none).
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(Number::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The number, as near as a float of 64 bits comes.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Members> {
        match self {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Whether both are the same value in the same memory; equal values need not be.
    pub(crate) fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::String(a), Value::String(b)) => Arc::ptr_eq(a, b),
            (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
            (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Whether values lie in values more than `levels` deep.
    pub(crate) fn is_deeper_than(&self, levels: usize) -> bool {
        let Some(inner) = levels.checked_sub(1) else {
            return matches!(self, Value::Array(_) | Value::Object(_));
        };
        match self {
            Value::Array(items) => items.iter().any(|item| item.is_deeper_than(inner)),
            Value::Object(members) => members.values().any(|value| value.is_deeper_than(inner)),
            _ => false,
        }
    }

    /// The type as JSON names it: `null`, `boolean`, `number`, `string`, `array` or `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Number(Number::Int(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::string(text)
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        out.write_str(&text)
    }
}
