//! JSON bodies, both ways.

use serde_json::Value as Json;

use super::{scalar, time};
use crate::error::{Result, WireError};
use crate::limits::DEPTH_MAX;
use crate::model::{Kind, Member, Model, Shape, TimeFormat};
use crate::value::Value;

/// Reads a body of `shape`. An empty body is an empty structure.
pub fn read(model: &Model, shape: &Shape, body: &[u8]) -> Result<Value> {
    if body.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    let json: Json = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    from_json(model, shape, json, 0)
}

/// Why a body cannot be read, or has a value of another type than is wanted.
#[cold]
pub(crate) fn unreadable(error: &serde_json::Error) -> WireError {
    let why = error.to_string();
    if error.is_data() {
        return WireError::serialization(why);
    }
    // The two errors of the parser about halves: "unexpected end of hex escape" and "lone leading
    // surrogate in hex escape".
    if why.contains("hex escape") {
        return WireError::serialization(format!(
            "Could not parse the body: an escape is half of a surrogate pair, which is no \
             character, in front of line {} column {}. Write both halves, or the character itself.",
            error.line(),
            error.column()
        ));
    }
    WireError::serialization(format!("Could not parse the body: {why}"))
}

/// A JSON value as a value of `shape`. Members that the shape lacks are left out, as AWS does.
pub fn from_json(model: &Model, shape: &Shape, json: Json, depth: usize) -> Result<Value> {
    if depth > DEPTH_MAX {
        return Err(WireError::serialization("The body is nested too deeply."));
    }
    match (&shape.kind, json) {
        (Kind::Document, json) => Ok(document(json)),
        (Kind::Structure(members), Json::Object(mut object)) => {
            let mut values = Vec::new();
            for member in members {
                let Some(json) = object.remove(member.wire()) else { continue };
                if !json.is_null() {
                    let value = from_json(model, model.shape(member.shape), json, depth + 1)?;
                    values.push((member.name.to_string(), value));
                }
            }
            Ok(Value::Map(values))
        }
        (Kind::List(member), Json::Array(items)) => {
            let element = model.shape(member.shape);
            let items =
                items.into_iter().map(|json| value_in(model, shape, element, json, depth + 1));
            Ok(Value::List(items.collect::<Result<_>>()?))
        }
        (Kind::Map(_, member), Json::Object(object)) => {
            let element = model.shape(member.shape);
            let entries = object.into_iter().map(|(key, json)| {
                value_in(model, shape, element, json, depth + 1).map(|value| (key, value))
            });
            Ok(Value::Map(entries.collect::<Result<_>>()?))
        }
        (_, json) => scalar_from_json(shape, json),
    }
}

// A value of the list or map `outer`, which may be null only if the model says so.
fn value_in(
    model: &Model,
    outer: &Shape,
    shape: &Shape,
    json: Json,
    depth: usize,
) -> Result<Value> {
    if json.is_null() && (outer.sparse || matches!(shape.kind, Kind::Document)) {
        return Ok(Value::Null);
    }
    from_json(model, shape, json, depth)
}

fn scalar_from_json(shape: &Shape, json: Json) -> Result<Value> {
    match (&shape.kind, &json) {
        (Kind::Text, Json::String(_)) => {
            let Json::String(text) = json else { return Err(mismatch(shape, &json)) };
            Ok(Value::Text(text))
        }
        (Kind::Blob, Json::String(text)) => scalar::decode_blob(text).map(Value::Blob),
        (Kind::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        (Kind::Int | Kind::Long, Json::Number(number)) => {
            let whole = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15);
            let number = number.as_i64().or(whole.map(|n| n as i64));
            let fits = |n: &i64| matches!(shape.kind, Kind::Long) || i32::try_from(*n).is_ok();
            number.filter(fits).map(Value::Int).ok_or_else(|| mismatch(shape, &json))
        }
        (Kind::Float, Json::Number(number)) => {
            number.as_f64().map(Value::Float).ok_or_else(|| mismatch(shape, &json))
        }
        (Kind::Float, Json::String(text)) => match scalar::read_float(text) {
            Some(number) => Ok(Value::Float(number)),
            None => Err(mismatch(shape, &json)),
        },
        (Kind::Time, Json::Number(number)) => {
            number.as_f64().map(Value::Time).ok_or_else(|| mismatch(shape, &json))
        }
        (Kind::Time, Json::String(text)) => match time::read(text) {
            Some(seconds) => Ok(Value::Time(seconds)),
            None => Err(mismatch(shape, &json)),
        },
        _ => Err(mismatch(shape, &json)),
    }
}

fn mismatch(shape: &Shape, json: &Json) -> WireError {
    let found = match json {
        Json::Null => "NULL_VALUE",
        Json::Bool(true) => "TRUE_VALUE",
        Json::Bool(false) => "FALSE_VALUE",
        Json::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Json::Number(_) => "NUMBER_VALUE",
        Json::String(_) => "STRING_VALUE",
        Json::Array(_) => "START_ARRAY",
        Json::Object(_) => "START_OBJECT",
    };
    let wanted = match shape.kind {
        Kind::Structure(_) => "a structure",
        Kind::List(_) => "a list",
        Kind::Map(..) => "a map",
        Kind::Text => "a String",
        Kind::Blob => "a Blob",
        Kind::Bool => "a Boolean",
        Kind::Int => "an Integer",
        Kind::Long => "a Long",
        Kind::Float => "a Double",
        Kind::Time => "a Timestamp",
        Kind::Document => "a document",
    };
    WireError::serialization(format!("{found} can not be converted to {wanted}"))
}

/// Any JSON value without a shape.
pub fn document(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(document).collect()),
        Json::Object(object) => {
            Value::Map(object.into_iter().map(|(key, json)| (key, document(json))).collect())
        }
    }
}

/// Writes `value` as `shape`. Members that the shape lacks are left out.
pub fn write(model: &Model, shape: &Shape, value: &Value, out: &mut Vec<u8>) {
    match (&shape.kind, value) {
        (Kind::Structure(members), Value::Map(_)) => {
            let present = members.iter().filter_map(|m| value.get(&m.name).map(|v| (m, v)));
            let present = present.filter(|(_, value)| !matches!(value, Value::Null));
            write_object(out, present, |out, (member, value)| {
                write_text(member.wire(), out);
                out.push(b':');
                write_member(model, member, value, out);
            });
        }
        (Kind::Map(_, member), Value::Map(entries)) => {
            write_object(out, entries.iter(), |out, (key, value)| {
                write_text(key, out);
                out.push(b':');
                write_member(model, member, value, out);
            });
        }
        (Kind::List(member), Value::List(items)) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_member(model, member, item, out);
            }
            out.push(b']');
        }
        (Kind::Document, value) => write_document(value, out),
        (_, Value::Null) => out.extend_from_slice(b"null"),
        _ => write_scalar(shape, value, TimeFormat::Epoch, out),
    }
}

fn write_object<T>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = T>,
    mut entry: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'{');
    for (place, item) in entries.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        entry(out, item);
    }
    out.push(b'}');
}

fn write_member(model: &Model, member: &Member, value: &Value, out: &mut Vec<u8>) {
    let shape = model.shape(member.shape);
    match (&shape.kind, value) {
        (Kind::Time, value) if !matches!(value, Value::Null) => {
            let format = member.time.or(shape.time).unwrap_or(TimeFormat::Epoch);
            write_scalar(shape, value, format, out);
        }
        _ => write(model, shape, value, out),
    }
}

fn write_scalar(shape: &Shape, value: &Value, format: TimeFormat, out: &mut Vec<u8>) {
    let text = scalar::write(shape, value, format);
    let bare = match (&shape.kind, value) {
        (Kind::Time, _) => format == TimeFormat::Epoch,
        (Kind::Text | Kind::Blob, _) => false,
        (_, Value::Float(number)) => number.is_finite(),
        (_, Value::Int(_) | Value::Bool(_)) => true,
        _ => false,
    };
    if bare { out.extend_from_slice(text.as_bytes()) } else { write_text(&text, out) }
}

fn write_document(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Float(n) if n.is_finite() => out.extend_from_slice(format!("{n:?}").as_bytes()),
        Value::Float(number) => write_text(&scalar::write_float(*number), out),
        Value::Time(seconds) => {
            out.extend_from_slice(time::write(*seconds, TimeFormat::Epoch).as_bytes());
        }
        Value::Text(text) => write_text(text, out),
        Value::Blob(bytes) => write_text(&scalar::encode_blob(bytes), out),
        Value::List(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_document(item, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => write_object(out, entries.iter(), |out, (key, value)| {
            write_text(key, out);
            out.push(b':');
            write_document(value, out);
        }),
    }
}

/// Writes a JSON string.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    // Most texts need no escaping. One pass without branches, which the processor does in wide
    // steps, tells them apart; they are then copied as a whole.
    let is_escaped = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if !text.as_bytes().iter().fold(false, |found, byte| found | is_escaped(*byte)) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    // Writing to memory cannot fail, and every string has a JSON form.
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.extend_from_slice(b"\"\"");
    }
}
