//! Decoding of JSON strings to WTF-8: a lone surrogate is kept, as in Java.

use crate::error::ParseError;
use crate::json::messages::{shown_char, unexpected_at};

/// Decodes a string of a pattern from after its opening quote; advances `at` past its end.
pub(crate) fn decode_pattern(
    source: &str,
    at: &mut usize,
    missing: &str,
    place: &str,
) -> Result<Vec<u8>, ParseError> {
    let text = source.as_bytes();
    let mut out = Vec::new();
    loop {
        let Some(&byte) = text.get(*at) else {
            let reason = match missing.strip_prefix(' ') {
                Some(_) => format!("Unexpected end-of-input{missing}"),
                None => format!("Unexpected end-of-input: was expecting {missing}"),
            };
            return Err(ParseError::json(reason, *at));
        };
        *at += 1;
        match byte {
            b'"' => return Ok(out),
            b'\\' => decode_escape(source, at, &mut out)?,
            0..0x20 => {
                let found = shown_char(char::from(byte));
                let reason = format!(
                    "Illegal unquoted character ({found}): has to be escaped using backslash to be \
                     included in {place}"
                );
                return Err(ParseError::json(reason, *at - 1));
            }
            _ => out.push(byte),
        }
    }
}

fn decode_escape(source: &str, at: &mut usize, out: &mut Vec<u8>) -> Result<(), ParseError> {
    let text = source.as_bytes();
    let ended = |at| ParseError::json("Unexpected end-of-input in character escape sequence", at);
    let byte = *text.get(*at).ok_or_else(|| ended(*at))?;
    *at += 1;
    if byte == b'u' {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = *text.get(*at).ok_or_else(|| ended(*at))?;
            let Some(value) = char::from(digit).to_digit(16) else {
                let comment = "expected a hex-digit for character escape sequence";
                return Err(unexpected_at(source, *at, comment));
            };
            unit = unit * 16 + value;
            *at += 1;
        }
        push_unit(out, unit);
        return Ok(());
    }
    match plain_escape(byte) {
        Some(plain) => out.push(plain),
        None => {
            let c = source[*at - 1..].chars().next().unwrap_or_default();
            let reason = format!("Unrecognized character escape {}", shown_char(c));
            return Err(ParseError::json(reason, *at - 1));
        }
    }
    Ok(())
}

/// The byte that a backslash and `byte` encode; none for `u` and for invalid escapes.
pub(crate) fn plain_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' | b'/' => byte,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// Appends a UTF-16 code unit. A low surrogate joins a high surrogate before it.
pub(crate) fn push_unit(out: &mut Vec<u8>, unit: u32) {
    if let 0xdc00..0xe000 = unit
        && let Some(&[0xed, second @ 0xa0..=0xaf, third]) = out.last_chunk::<3>()
    {
        let high = (u32::from(second & 0x0f) << 6) | u32::from(third & 0x3f);
        let scalar = 0x1_0000 + (high << 10) + (unit - 0xdc00);
        out.truncate(out.len() - 3);
        let c = char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    match char::from_u32(unit) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xe0 | (unit >> 12) as u8,
            0x80 | ((unit >> 6) & 0x3f) as u8,
            0x80 | (unit & 0x3f) as u8,
        ]),
    }
}

/// Decodes the contents of a string whose escapes were already validated.
pub(crate) fn decode_valid(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    let from = out.len();
    while at < text.len() {
        let plain = memchr::memchr(b'\\', &text[at..]).map_or(text.len(), |found| at + found);
        out.extend_from_slice(&text[at..plain]);
        at = plain + 1;
        match text.get(at) {
            Some(b'u') => {
                let digits = text.get(at + 1..at + 5).unwrap_or_default();
                let unit = digits.iter().fold(0, |unit, &digit| {
                    unit << 4 | char::from(digit).to_digit(16).unwrap_or(0)
                });
                // Only surrogates of this string may join, not one that `out` ended with.
                let mut own = out.split_off(from);
                push_unit(&mut own, unit);
                out.append(&mut own);
                at += 5;
            }
            Some(&byte) => {
                out.push(plain_escape(byte).unwrap_or(byte));
                at += 1;
            }
            None => {}
        }
    }
}
