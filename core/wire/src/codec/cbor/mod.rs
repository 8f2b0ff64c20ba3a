//! CBOR bodies (RFC 8949): the part that AWS uses, definite and indefinite lengths.

mod typed;

pub use typed::from_slice;

use crate::error::{Result, WireError};
use crate::limits::{CBOR_VALUES_MAX, DEPTH_MAX};
use crate::model::{Kind, Model, Shape};
use crate::value::Value;

/// How a protocol counts time under tag 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// rpc-v2-cbor: seconds, with a fraction.
    Seconds,
    /// The older Kinesis form: whole milliseconds.
    Millis,
}

/// Reads a body of `shape`.
pub fn read(model: &Model, shape: &Shape, unit: TimeUnit, body: &[u8]) -> Result<Value> {
    if body.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    let mut reader = Reader { rest: body, values: 0 };
    let value = reader.value(0)?;
    if !reader.rest.is_empty() {
        return Err(malformed());
    }
    typed(model, shape, unit, value)
}

fn malformed() -> WireError {
    WireError::serialization("The body is not valid CBOR.")
}

// Raw values use `Value`, with one exception: a tagged time stays in the unit of the sender until
// the shape is known to be a time.
fn typed(model: &Model, shape: &Shape, unit: TimeUnit, value: Value) -> Result<Value> {
    let refuse = || WireError::serialization("A value of the body has the wrong type.");
    Ok(match (&shape.kind, value) {
        (Kind::Document, value) => value,
        (Kind::Structure(members), Value::Map(entries)) => {
            let mut values = Vec::new();
            for (key, value) in entries {
                let Some(member) = members.iter().find(|member| *member.name == key) else {
                    continue;
                };
                if !matches!(value, Value::Null) {
                    values.push((key, typed(model, model.shape(member.shape), unit, value)?));
                }
            }
            Value::Map(values)
        }
        (Kind::List(member), Value::List(items)) => {
            let element = model.shape(member.shape);
            let items = items.into_iter().map(|item| value_in(model, shape, element, unit, item));
            Value::List(items.collect::<Result<_>>()?)
        }
        (Kind::Map(_, member), Value::Map(entries)) => {
            let element = model.shape(member.shape);
            let entries = entries
                .into_iter()
                .map(|(key, value)| value_in(model, shape, element, unit, value).map(|v| (key, v)));
            Value::Map(entries.collect::<Result<_>>()?)
        }
        (Kind::Time, Value::Time(raw) | Value::Float(raw)) => Value::Time(scale(raw, unit)),
        (Kind::Time, Value::Int(raw)) => Value::Time(scale(raw as f64, unit)),
        (Kind::Float, Value::Int(number)) => Value::Float(number as f64),
        (Kind::Int | Kind::Long, Value::Float(n)) if n.fract() == 0.0 && n.abs() < 9e15 => {
            Value::Int(n as i64)
        }
        (Kind::Int, Value::Int(number)) if i32::try_from(number).is_err() => return Err(refuse()),
        (Kind::Text, value @ Value::Text(_))
        | (Kind::Blob, value @ Value::Blob(_))
        | (Kind::Bool, value @ Value::Bool(_))
        | (Kind::Int | Kind::Long, value @ Value::Int(_))
        | (Kind::Float, value @ Value::Float(_)) => value,
        _ => return Err(refuse()),
    })
}

// A value of the list or map `outer`, which may be null only if the model says so.
fn value_in(
    model: &Model,
    outer: &Shape,
    shape: &Shape,
    unit: TimeUnit,
    value: Value,
) -> Result<Value> {
    let may_be_null = outer.sparse || matches!(shape.kind, Kind::Document);
    if may_be_null && matches!(value, Value::Null) {
        return Ok(value);
    }
    typed(model, shape, unit, value)
}

fn scale(raw: f64, unit: TimeUnit) -> f64 {
    match unit {
        TimeUnit::Seconds => raw,
        TimeUnit::Millis => raw / 1000.0,
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    values: usize,
}

const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8]> {
        let count = usize::try_from(count).map_err(|_| malformed())?;
        let (head, rest) = self.rest.split_at_checked(count).ok_or_else(malformed)?;
        self.rest = rest;
        Ok(head)
    }

    fn number(&mut self, info: u8) -> Result<u64> {
        let width = match info {
            0..=23 => return Ok(info.into()),
            24..=27 => 1u64 << (info - 24),
            _ => return Err(malformed()),
        };
        Ok(self.take(width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn at_break(&mut self) -> bool {
        match self.rest.split_first() {
            Some((&BREAK, rest)) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    // Counts down a definite length, or looks for the break of an indefinite one.
    fn more(&mut self, left: &mut Option<u64>) -> bool {
        match left {
            None => !self.at_break(),
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn length(&mut self, info: u8) -> Result<Option<u64>> {
        if info == INDEFINITE { Ok(None) } else { self.number(info).map(Some) }
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > CBOR_VALUES_MAX {
            return Err(malformed());
        }
        let head = self.take(1)?[0];
        let (major, info) = (head >> 5, head & 31);
        Ok(match major {
            0 => Value::Int(i64::try_from(self.number(info)?).map_err(|_| malformed())?),
            1 => Value::Int(-1 - i64::try_from(self.number(info)?).map_err(|_| malformed())?),
            2 => Value::Blob(self.bytes(info, 2)?),
            3 => Value::Text(self.text(info)?),
            4 => {
                let mut left = self.length(info)?;
                let mut items = Vec::new();
                while self.more(&mut left) {
                    items.push(self.value(depth + 1)?);
                }
                Value::List(items)
            }
            5 => {
                let mut left = self.length(info)?;
                let mut entries = Vec::new();
                while self.more(&mut left) {
                    let Value::Text(key) = self.value(depth + 1)? else { return Err(malformed()) };
                    entries.push((key, self.value(depth + 1)?));
                }
                Value::Map(entries)
            }
            6 => match (self.number(info)?, self.value(depth + 1)?) {
                (1, Value::Int(number)) => Value::Time(number as f64),
                (1, Value::Float(number)) => Value::Time(number),
                (_, value) => value,
            },
            _ => self.simple(info)?,
        })
    }

    fn simple(&mut self, info: u8) -> Result<Value> {
        Ok(match info {
            20 => Value::Bool(false),
            21 => Value::Bool(true),
            22 | 23 => Value::Null,
            25 => Value::Float(half(self.number(25)? as u16)),
            26 => Value::Float(f32::from_bits(self.number(26)? as u32).into()),
            27 => Value::Float(f64::from_bits(self.number(27)?)),
            _ => return Err(malformed()),
        })
    }

    fn bytes(&mut self, info: u8, major: u8) -> Result<Vec<u8>> {
        if info != INDEFINITE {
            let length = self.number(info)?;
            return self.take(length).map(<[u8]>::to_vec);
        }
        let mut all = Vec::new();
        while !self.at_break() {
            let head = self.take(1)?[0];
            if head >> 5 != major || head & 31 == INDEFINITE {
                return Err(malformed());
            }
            let length = self.number(head & 31)?;
            all.extend_from_slice(self.take(length)?);
        }
        Ok(all)
    }

    fn text(&mut self, info: u8) -> Result<String> {
        String::from_utf8(self.bytes(info, 3)?).map_err(|_| malformed())
    }
}

fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Writes `value` as `shape`, with indefinite lengths as AWS does.
pub fn write(model: &Model, shape: &Shape, unit: TimeUnit, value: &Value, out: &mut Vec<u8>) {
    match (&shape.kind, value) {
        (Kind::Structure(members), Value::Map(_)) => {
            out.push(0xbf);
            for member in members {
                match value.get(&member.name) {
                    None | Some(Value::Null) => {}
                    Some(value) => {
                        head(3, member.name.len() as u64, out);
                        out.extend_from_slice(member.name.as_bytes());
                        write(model, model.shape(member.shape), unit, value, out);
                    }
                }
            }
            out.push(BREAK);
        }
        (Kind::Map(_, member), Value::Map(entries)) => {
            out.push(0xbf);
            for (key, value) in entries {
                head(3, key.len() as u64, out);
                out.extend_from_slice(key.as_bytes());
                write(model, model.shape(member.shape), unit, value, out);
            }
            out.push(BREAK);
        }
        (Kind::List(member), Value::List(items)) => {
            out.push(0x9f);
            for item in items {
                write(model, model.shape(member.shape), unit, item, out);
            }
            out.push(BREAK);
        }
        (Kind::Time, Value::Int(number)) => write_time(*number as f64, unit, out),
        (Kind::Time, Value::Float(number) | Value::Time(number)) => write_time(*number, unit, out),
        (Kind::Float, Value::Int(number)) => write_float(*number as f64, out),
        (Kind::Blob, Value::Text(text)) => write_any(&Value::Blob(text.as_bytes().to_vec()), out),
        (_, value) => write_any(value, out),
    }
}

/// Writes a value without a shape.
pub fn write_any(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(flag) => out.push(if *flag { 0xf5 } else { 0xf4 }),
        Value::Int(number) if *number < 0 => head(1, !*number as u64, out),
        Value::Int(number) => head(0, *number as u64, out),
        Value::Float(number) => write_float(*number, out),
        Value::Time(seconds) => write_time(*seconds, TimeUnit::Seconds, out),
        Value::Text(text) => {
            head(3, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Blob(bytes) => {
            head(2, bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Value::List(items) => {
            out.push(0x9f);
            items.iter().for_each(|item| write_any(item, out));
            out.push(BREAK);
        }
        Value::Map(entries) => {
            out.push(0xbf);
            for (key, value) in entries {
                head(3, key.len() as u64, out);
                out.extend_from_slice(key.as_bytes());
                write_any(value, out);
            }
            out.push(BREAK);
        }
    }
}

fn write_float(number: f64, out: &mut Vec<u8>) {
    out.push(0xfb);
    out.extend_from_slice(&number.to_bits().to_be_bytes());
}

fn write_time(seconds: f64, unit: TimeUnit, out: &mut Vec<u8>) {
    out.push(0xc1);
    match unit {
        TimeUnit::Seconds => write_float(seconds, out),
        TimeUnit::Millis => write_any(&Value::Int((seconds * 1000.0).round() as i64), out),
    }
}

fn head(major: u8, number: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match number {
        0..=23 => out.push(major | number as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, number as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}
