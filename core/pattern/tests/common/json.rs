//! A JSON document whose numbers keep their text. The feature `arbitrary_precision` of `serde_json`
//! would keep it too, but cargo would then build the engine with it for every Rust test.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A value. Of the members that share a key, an object has the last.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

impl Json {
    pub fn as_object(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn as_number(&self) -> Option<&str> {
        if let Self::Number(digits) = self { Some(digits) } else { None }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let value = match text.as_bytes()[0] {
            b'n' => Ok(Self::Null),
            b't' | b'f' => serde_json::from_str(text).map(Self::Bool),
            b'"' => serde_json::from_str(text).map(Self::Text),
            b'[' => serde_json::from_str(text).map(Self::Array),
            b'{' => serde_json::from_str(text).map(Self::Object),
            _ => Ok(Self::Number(text.to_owned())),
        };
        value.map_err(D::Error::custom)
    }
}

/// The document as JSON, for counts of what it has.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::Value::from(text);
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => write!(f, "{}", quoted(text)),
            Self::Array(elements) => {
                f.write_str("[")?;
                elements.iter().try_for_each(|element| write!(f, "{element},"))?;
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                members
                    .iter()
                    .try_for_each(|(key, value)| write!(f, "{}:{value},", quoted(key)))?;
                f.write_str("}")
            }
        }
    }
}
