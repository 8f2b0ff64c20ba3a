//! The functions that AWS adds to JSONata, and those that it takes away or that must not differ
//! between two evaluations.

use std::cell::Cell;
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::{Bindings, convert};
use crate::intrinsic;
use crate::value;

type Result = std::result::Result<JValue, EvaluatorError>;

fn error<T>(message: impl Into<String>) -> std::result::Result<T, EvaluatorError> {
    Err(EvaluatorError::EvaluationError(message.into()))
}

/// Random numbers from a seed (splitmix64).
#[derive(Clone)]
struct Random(Rc<Cell<u64>>);

impl Random {
    fn next(&self) -> u64 {
        let seed = self.0.get();
        self.0.set(seed.wrapping_add(0x9e37_79b9_7f4a_7c15));
        intrinsic::seeded(seed)
    }
}

/// A float, at least 0 and less than 1.
fn unit(bits: u64) -> JValue {
    JValue::Number((bits >> 11) as f64 / (1_u64 << 53) as f64)
}

pub(super) fn register(
    evaluator: &mut Evaluator,
    bindings: &Bindings<'_>,
) -> std::result::Result<(), EvaluatorError> {
    let random = Random(Rc::new(Cell::new(bindings.seed)));
    let now = bindings.now_ms as f64;
    let most = bindings.limits.jsonata_items;
    evaluator.register_fn_override("eval", |_: &[JValue]| {
        error("T1006: Attempted to invoke a non-function")
    })?;
    evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(JValue::Number(now)))?;
    evaluator.register_fn_override("now", move |arguments: &[JValue]| now_text(now, arguments))?;
    let own = random.clone();
    evaluator.register_fn_override("random", move |arguments: &[JValue]| {
        match arguments.first().and_then(JValue::as_f64) {
            Some(seed) => Ok(unit(intrinsic::seeded(seed.to_bits()))),
            None => Ok(unit(own.next())),
        }
    })?;
    let own = random.clone();
    evaluator.register_fn_override("shuffle", move |arguments: &[JValue]| {
        let Some(items) = arguments.first().and_then(JValue::as_array) else {
            return Ok(arguments.first().cloned().unwrap_or(JValue::Undefined));
        };
        let mut items = items.clone();
        for at in (1..items.len()).rev() {
            items.swap(at, (own.next() % (at as u64 + 1)) as usize);
        }
        Ok(JValue::array(items))
    })?;
    let bytes = bindings.limits.jsonata_bytes;
    evaluator.register_fn_override("pad", move |arguments: &[JValue]| pad(arguments, bytes))?;
    evaluator.register_fn("uuid", move |_: &[JValue]| Ok(uuid(&random)))?;
    evaluator.register_fn("parse", parse)?;
    evaluator.register_fn("hash", hash)?;
    evaluator.register_fn("partition", partition)?;
    evaluator.register_fn("range", move |arguments: &[JValue]| range(arguments, most))
}

fn uuid(random: &Random) -> JValue {
    let high = (random.next() & !0xf000) | 0x4000;
    let low = (random.next() & !(0b11 << 62)) | (0b10 << 62);
    JValue::string(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    ))
}

/// `$now(picture, zone)`: the time of the step, in the words of `$fromMillis`.
fn now_text(now: f64, arguments: &[JValue]) -> Result {
    let mut evaluator = Evaluator::new();
    let call = match arguments.len() {
        0 => "$fromMillis(now)",
        1 => "$fromMillis(now, picture)",
        _ => "$fromMillis(now, picture, zone)",
    };
    let ast = jsonata_core::parser::parse(call)
        .map_err(|error| EvaluatorError::EvaluationError(error.to_string()))?;
    let names = ["picture", "zone"];
    let given =
        names.into_iter().zip(arguments).map(|(name, value)| (name.to_owned(), value.clone()));
    let now = std::iter::once(("now".to_owned(), JValue::Number(now)));
    evaluator.evaluate(&ast, &JValue::object(now.chain(given).collect()))
}

/// `$parse(text)`: the value of JSON text.
fn parse(arguments: &[JValue]) -> Result {
    match arguments.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Undefined),
        Some(JValue::String(text)) => match value::parse(text) {
            Ok(value) => Ok(convert::to_jsonata(&value)),
            Err(malformed) => error(format!("D3137: {}", malformed.message)),
        },
        Some(_) => {
            error("T0410: Argument 1 of function \"parse\" does not match function signature")
        }
    }
}

/// `$hash(text, algorithm)`.
fn hash(arguments: &[JValue]) -> Result {
    match arguments {
        [JValue::Undefined, ..] => Ok(JValue::Undefined),
        [JValue::String(text), JValue::String(algorithm)] => {
            match intrinsic::hash(text, algorithm) {
                Some(hash) => Ok(JValue::string(hash)),
                None => error(format!("D3137: There is no hash algorithm '{algorithm}'")),
            }
        }
        _ => error("T0410: Argument 1 of function \"hash\" does not match function signature"),
    }
}

fn whole(
    value: Option<&JValue>,
    name: &str,
    at: usize,
) -> std::result::Result<i64, EvaluatorError> {
    match value.and_then(JValue::as_f64) {
        Some(number) if number.abs() < 9e15 => Ok((number + 0.5).floor() as i64),
        _ => error(format!(
            "T0410: Argument {at} of function \"{name}\" does not match function signature"
        )),
    }
}

/// `$partition(items, size)`: the items in arrays of that size.
fn partition(arguments: &[JValue]) -> Result {
    let items = match arguments.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(value) => match value.as_array() {
            Some(items) => items.clone(),
            None => vec![value.clone()],
        },
    };
    let size = whole(arguments.get(1), "partition", 2)?;
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        return error("D3137: The size of the parts has to be a positive integer");
    };
    let parts = items.chunks(size).map(|part| JValue::array(part.to_vec()));
    Ok(JValue::array(parts.collect()))
}

/// `$range(from, to, step)`: both ends are in it.
fn range(arguments: &[JValue], most: usize) -> Result {
    let from = whole(arguments.first(), "range", 1)?;
    let to = whole(arguments.get(1), "range", 2)?;
    let step = whole(arguments.get(2), "range", 3)?;
    if step == 0 {
        return error("D3137: The step of a range must not be 0");
    }
    let count = if (to - from).signum() * step.signum() < 0 { 0 } else { (to - from) / step + 1 };
    if count as u64 > most as u64 {
        return error(format!("D2015: A range has at most {most} items"));
    }
    let items: Vec<JValue> =
        (0..count).map(|index| JValue::Number((from + index * step) as f64)).collect();
    // A sequence of one item is that item.
    match <[JValue; 1]>::try_from(items) {
        Ok([item]) => Ok(item),
        Err(items) => Ok(JValue::array(items)),
    }
}

/// `$pad(text, width, letters)`, up to a size.
fn pad(arguments: &[JValue], most: usize) -> Result {
    let text = match arguments.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(text)) => text,
        Some(_) => {
            return error(
                "T0410: Argument 1 of function \"pad\" does not match function signature",
            );
        }
    };
    let width = match arguments.get(1).and_then(JValue::as_f64) {
        Some(width) => width as i64,
        None => whole(arguments.get(1), "pad", 2)?,
    };
    let letters = match arguments.get(2) {
        None | Some(JValue::Undefined) => " ",
        Some(JValue::String(letters)) if letters.is_empty() => " ",
        Some(JValue::String(letters)) => letters,
        Some(_) => {
            return error(
                "T0410: Argument 3 of function \"pad\" does not match function signature",
            );
        }
    };
    if width.unsigned_abs() > most as u64 / 4 {
        return error(format!("D2015: The value takes more than {most} bytes"));
    }
    let missing = (width.unsigned_abs() as usize).saturating_sub(text.chars().count());
    let filling: String = letters.chars().cycle().take(missing).collect();
    Ok(JValue::string(if width < 0 { filling + text } else { format!("{text}{filling}") }))
}
