//! Values to JSONata and back.

use std::sync::Arc;

use jsonata_core::value::JValue;

use crate::value::{Members, Number, Value};

/// A function or a regular expression: no JSON.
pub(super) struct Unsupported;

pub(super) fn to_jsonata(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(value) => JValue::Bool(*value),
        Value::Number(number) => JValue::Number(number.as_f64()),
        Value::String(text) => JValue::string(&**text),
        Value::Array(items) => JValue::array(items.iter().map(to_jsonata).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.to_string(), to_jsonata(value)));
            JValue::object(members.collect())
        }
    }
}

/// The value; none when it is undefined. Undefined members and items are left out.
pub(super) fn from_jsonata(value: &JValue) -> Result<Option<Value>, Unsupported> {
    Ok(Some(match value {
        JValue::Undefined => return Ok(None),
        JValue::Null => Value::Null,
        JValue::Bool(value) => Value::Bool(*value),
        JValue::Number(number) => Value::Number(Number::from_f64(*number)),
        JValue::String(text) => Value::String(Arc::from(&**text)),
        JValue::Array(_) => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            let mut made = Vec::with_capacity(items.len());
            for item in items {
                made.extend(from_jsonata(item)?);
            }
            Value::array(made)
        }
        JValue::Object(_) => {
            let mut made = Members::new();
            for (key, value) in value.as_object().into_iter().flatten() {
                if let Some(value) = from_jsonata(value)? {
                    made.insert(Arc::from(key.as_str()), value);
                }
            }
            Value::Object(Arc::new(made))
        }
        _ => return Err(Unsupported),
    }))
}
