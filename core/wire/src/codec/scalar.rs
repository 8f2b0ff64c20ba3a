//! Scalars in text: what query, XML, headers and query strings have in common.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::time;
use crate::error::{Result, WireError};
use crate::model::{Kind, Shape, TimeFormat};
use crate::value::Value;

// Decodes with and without padding: SDKs differ.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// Bytes as base64.
pub fn encode_blob(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

/// Bytes from base64.
pub fn decode_blob(text: impl AsRef<[u8]> + Copy) -> Result<Vec<u8>> {
    // The wide decoder takes whole padding alone. The lenient one decides about the rest.
    base64_simd::STANDARD
        .decode_to_vec(text.as_ref())
        .or_else(|_| LENIENT.decode(text))
        .map_err(|_| WireError::serialization("Blob is not valid base64."))
}

/// Appends the bytes that are base64 in `text`.
pub fn append_decoded(text: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    if base64_simd::STANDARD.decode_append(text, out).is_err() {
        out.truncate(start);
        out.extend_from_slice(&decode_blob(text)?);
    }
    Ok(())
}

/// Appends bytes as base64.
pub fn append_blob(bytes: &[u8], out: &mut Vec<u8>) {
    base64_simd::STANDARD.encode_append(bytes, out);
}

/// A scalar of `shape` from its text.
pub fn read(shape: &Shape, text: &str) -> Result<Value> {
    let refuse = |what: &str| {
        let quoted: String = text.chars().take(crate::limits::QUOTE_CHARS_MAX).collect();
        Err(WireError::serialization(format!("Value '{quoted}' can not be converted to {what}.")))
    };
    match &shape.kind {
        Kind::Text | Kind::Document => Ok(text.into()),
        Kind::Blob => decode_blob(text).map(Value::Blob),
        Kind::Bool => match text {
            "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
            _ => refuse("a Boolean"),
        },
        Kind::Int => match text.trim().parse::<i32>() {
            Ok(number) => Ok(Value::Int(number.into())),
            Err(_) => refuse("an Integer"),
        },
        Kind::Long => match text.trim().parse() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => refuse("a Long"),
        },
        Kind::Float => match read_float(text.trim()) {
            Some(number) => Ok(Value::Float(number)),
            None => refuse("a Double"),
        },
        Kind::Time => match time::read(text) {
            Some(seconds) => Ok(Value::Time(seconds)),
            None => refuse("a Timestamp"),
        },
        Kind::Structure(_) | Kind::List(_) | Kind::Map(..) => refuse("a structure"),
    }
}

/// A float from its text, with the three words that JSON has no number for.
pub fn read_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust also reads "inf" and "nan", which no AWS service does.
        _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
            text.parse::<f64>().ok().filter(|number| number.is_finite())
        }
        _ => None,
    }
}

/// A float as text.
pub fn write_float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // `{:?}` keeps the point of a whole number, as AWS does.
    format!("{number:?}")
}

/// A scalar as text. Lenient in what it takes: operations return plain numbers and strings.
pub fn write(shape: &Shape, value: &Value, time_format: TimeFormat) -> String {
    match value {
        Value::Null | Value::List(_) | Value::Map(_) => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Text(text) if matches!(shape.kind, Kind::Blob) => encode_blob(text.as_bytes()),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => encode_blob(bytes),
        Value::Int(number) if matches!(shape.kind, Kind::Time) => {
            time::write(*number as f64, time_format)
        }
        Value::Int(number) => number.to_string(),
        Value::Float(number) if matches!(shape.kind, Kind::Time) => {
            time::write(*number, time_format)
        }
        Value::Float(number) => write_float(*number),
        Value::Time(seconds) => time::write(*seconds, time_format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wide decoder takes nothing that the lenient one refuses, and reads the same.
    #[test]
    fn blobs_are_read_as_the_lenient_decoder_reads_them() {
        let letters = ['A', 'B', 'w', '/', '-', '='];
        let mut texts = vec![String::new()];
        for start in 0.. {
            if texts[start].len() == 5 {
                break;
            }
            for letter in letters {
                texts.push(format!("{}{letter}", texts[start]));
            }
        }
        // Whole blocks in front bring the wide registers in.
        for front in ["", &"QUJD".repeat(24)] {
            for text in &texts {
                let text = format!("{front}{text}");
                assert_eq!(decode_blob(&text).ok(), LENIENT.decode(&text).ok(), "{text}");
                let mut out = b"x".to_vec();
                let appended =
                    append_decoded(text.as_bytes(), &mut out).ok().map(|()| out[1..].to_vec());
                assert_eq!(appended, LENIENT.decode(&text).ok(), "{text}");
            }
        }
    }

    #[test]
    fn blobs_of_all_lengths_come_back() {
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).map(|place| (place * 37 + length) as u8).collect();
            let mut out = b"x".to_vec();
            append_blob(&bytes, &mut out);
            assert_eq!(out[1..], *encode_blob(&bytes).as_bytes());
            assert_eq!(decode_blob(&encode_blob(&bytes)).unwrap(), bytes);
        }
    }
}
