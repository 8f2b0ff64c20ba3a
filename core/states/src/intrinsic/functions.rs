//! What the intrinsic functions do.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Function;
use super::hash::hash;
use crate::entropy::Entropy;
use crate::limits::Limits;
use crate::value::{Members, Number, Value, parse};

/// A function failed: the cause of `States.IntrinsicFailure`.
pub(crate) struct Failed(pub String);

type Result = std::result::Result<Value, Failed>;

fn failed<T>(message: impl Into<String>) -> std::result::Result<T, Failed> {
    Err(Failed(message.into()))
}

/// Calls a function; the number of its arguments was checked.
pub(crate) fn call(
    function: Function,
    arguments: &[Value],
    limits: &Limits,
    entropy: &mut dyn Entropy,
) -> Result {
    match (function, arguments) {
        (Function::Array, items) => Ok(Value::array(items.to_vec())),
        (Function::ArrayContains, [list, value]) => {
            Ok(array("ArrayContains", list)?.contains(value).into())
        }
        (Function::ArrayGetItem, [list, at]) => get_item(array("ArrayGetItem", list)?, at),
        (Function::ArrayLength, [list]) => Ok((array("ArrayLength", list)?.len() as i64).into()),
        (Function::ArrayPartition, [list, size]) => partition(array("ArrayPartition", list)?, size),
        (Function::ArrayRange, [from, to, step]) => range(from, to, step, limits),
        (Function::ArrayUnique, [list]) => Ok(unique(array("ArrayUnique", list)?)),
        (Function::Base64Decode, [text]) => {
            let text = short_text("Base64Decode", text, limits)?;
            match STANDARD.decode(text).map(String::from_utf8) {
                Ok(Ok(text)) => Ok(Value::string(text)),
                _ => failed(format!("Invalid arguments in States.Base64Decode: '{text}'")),
            }
        }
        (Function::Base64Encode, [text]) => {
            Ok(Value::string(STANDARD.encode(short_text("Base64Encode", text, limits)?)))
        }
        (Function::Format, [template, values @ ..]) => {
            format_text(text("Format", template)?, values)
        }
        (Function::Hash, [data, algorithm]) => hash_of(data, algorithm, limits),
        (Function::JsonMerge, [first, second, deep]) => merge(first, second, deep),
        (Function::JsonToString, [value]) => Ok(Value::string(value.to_string())),
        (Function::MathAdd, [first, second]) => {
            let sum = rounded("MathAdd", first)? + rounded("MathAdd", second)?;
            Ok(sum.into())
        }
        (Function::MathRandom, [from, to, seed @ ..]) => random(from, to, seed, entropy),
        (Function::StringSplit, [whole, splitters]) => {
            let splitters = text("StringSplit", splitters)?;
            let whole = text("StringSplit", whole)?;
            let parts = whole.split(|letter| splitters.contains(letter));
            let parts = parts.filter(|part| !part.is_empty()).map(Value::string);
            Ok(Value::array(parts.collect()))
        }
        (Function::StringToJson, [document]) => {
            let document = text("StringToJson", document)?;
            if document.trim().is_empty() {
                return Ok(Value::Null);
            }
            parse(document).or_else(|error| {
                failed(format!("Invalid JSON in States.StringToJson: {}", error.message))
            })
        }
        (Function::Uuid, []) => Ok(Value::string(entropy.uuid())),
        _ => failed(format!("Wrong number of arguments for States.{function:?}")),
    }
}

fn array<'v>(name: &str, value: &'v Value) -> std::result::Result<&'v [Value], Failed> {
    match value {
        Value::Array(items) => Ok(items),
        other => failed(format!("Invalid arguments in States.{name}: {other} is not an array")),
    }
}

fn text<'v>(name: &str, value: &'v Value) -> std::result::Result<&'v str, Failed> {
    match value {
        Value::String(text) => Ok(text),
        other => failed(format!("Invalid arguments in States.{name}: {other} is not a string")),
    }
}

fn short_text<'v>(
    name: &str,
    value: &'v Value,
    limits: &Limits,
) -> std::result::Result<&'v str, Failed> {
    let text = text(name, value)?;
    if text.chars().count() > limits.intrinsic_chars {
        let most = limits.intrinsic_chars;
        return failed(format!("States.{name} takes at most {most} characters"));
    }
    Ok(text)
}

/// A number, rounded half up, of 32 bits as AWS has it.
fn rounded(name: &str, value: &Value) -> std::result::Result<i64, Failed> {
    let Some(number) = value.as_f64() else {
        return failed(format!("Invalid arguments in States.{name}: {value} is not a number"));
    };
    let whole = (number + 0.5).floor();
    if whole.abs() > f64::from(i32::MAX) + 1.0 {
        return failed(format!("Invalid arguments in States.{name}: {value} is out of range"));
    }
    Ok(whole as i64)
}

fn get_item(items: &[Value], at: &Value) -> Result {
    let index = at.as_i64().and_then(|at| usize::try_from(at).ok());
    match index.and_then(|index| items.get(index)) {
        Some(item) => Ok(item.clone()),
        None => failed(format!(
            "Invalid arguments in States.ArrayGetItem: {at} is no index of an array of {} items",
            items.len()
        )),
    }
}

fn partition(items: &[Value], size: &Value) -> Result {
    let size_of = rounded("ArrayPartition", size)?;
    let Some(size_of) = usize::try_from(size_of).ok().filter(|size| *size > 0) else {
        return failed(format!(
            "Invalid arguments in States.ArrayPartition: {size} is not a positive integer"
        ));
    };
    let parts = items.chunks(size_of).map(|part| Value::array(part.to_vec()));
    Ok(Value::array(parts.collect()))
}

fn range(from: &Value, to: &Value, step: &Value, limits: &Limits) -> Result {
    let (from, to) = (rounded("ArrayRange", from)?, rounded("ArrayRange", to)?);
    let step = rounded("ArrayRange", step)?;
    if step == 0 {
        return failed("Invalid arguments in States.ArrayRange: the step must not be 0");
    }
    let count = if (to - from).signum() * step.signum() < 0 { 0 } else { (to - from) / step + 1 };
    if count > limits.array_range_items as i64 {
        let most = limits.array_range_items;
        return failed(format!("States.ArrayRange makes at most {most} items"));
    }
    Ok(Value::array((0..count).map(|index| (from + index * step).into()).collect()))
}

fn unique(items: &[Value]) -> Value {
    let mut seen = std::collections::HashSet::new();
    let kept = items.iter().filter(|item| seen.insert(item.to_string()));
    Value::array(kept.cloned().collect())
}

fn hash_of(data: &Value, algorithm: &Value, limits: &Limits) -> Result {
    let data = match data {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    };
    if data.chars().count() > limits.intrinsic_chars {
        let most = limits.intrinsic_chars;
        return failed(format!("States.Hash takes at most {most} characters"));
    }
    let algorithm = text("Hash", algorithm)?;
    match hash(&data, algorithm) {
        Some(hash) => Ok(Value::string(hash)),
        None => failed(format!("Invalid arguments in States.Hash: '{algorithm}'")),
    }
}

fn merge(first: &Value, second: &Value, deep: &Value) -> Result {
    if deep != &Value::Bool(false) {
        return failed("States.JsonMerge supports the shallow merge only: pass false");
    }
    let (Value::Object(first), Value::Object(second)) = (first, second) else {
        return failed("Invalid arguments in States.JsonMerge: both have to be objects");
    };
    let mut members: Members = (**first).clone();
    members.extend(second.iter().map(|(key, value)| (Arc::clone(key), value.clone())));
    Ok(Value::Object(Arc::new(members)))
}

fn random(from: &Value, to: &Value, seed: &[Value], entropy: &mut dyn Entropy) -> Result {
    let (from, to) = (rounded("MathRandom", from)?, rounded("MathRandom", to)?);
    if from >= to {
        return failed("Invalid arguments in States.MathRandom: the start is not below the end");
    }
    let bits = match seed {
        [seed] => seeded(rounded("MathRandom", seed)? as u64),
        _ => entropy.random(),
    };
    Ok((from + (bits % (to - from) as u64) as i64).into())
}

/// A number that depends on nothing but its seed (splitmix64).
pub(crate) fn seeded(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn format_text(template: &str, values: &[Value]) -> Result {
    let mut out = String::new();
    let mut values = values.iter();
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if matches!(letters.peek(), Some('\\' | '{' | '}' | '\'')) => {
                out.extend(letters.next());
            }
            '{' if letters.peek() == Some(&'}') => {
                letters.next();
                let Some(value) = values.next() else {
                    return failed("States.Format has fewer arguments than placeholders");
                };
                java_text(value, &mut out);
            }
            letter => out.push(letter),
        }
    }
    if values.next().is_some() {
        return failed("States.Format has more arguments than placeholders");
    }
    Ok(Value::string(out))
}

/// As Java prints a value: strings plain, objects as `{a=1, b=[2, 3]}`.
fn java_text(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                java_text(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                out.push_str(key);
                out.push('=');
                java_text(value, out);
            }
            out.push('}');
        }
        Value::Number(number) => Number::write(number, out),
        plain => plain.write(out),
    }
}
