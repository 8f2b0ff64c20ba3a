//! Scanning of event JSON: finds the ends of strings, numbers, literals and nested values.

use crate::error::InvalidEvent;
use crate::json::skip_simd;
use crate::json::string_ends::quotes_and_backslashes;

/// The text of an event and its nesting limit.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) depth_max: usize,
}

impl Text<'_> {
    #[inline]
    pub(crate) fn check_depth(&self, depth: usize, at: usize) -> Result<(), InvalidEvent> {
        if depth > self.depth_max {
            let message = format!("it is nested deeper than {}", self.depth_max);
            return Err(InvalidEvent::new(message, at));
        }
        Ok(())
    }
}

/// How carefully a text is scanned: `Strict` or `Trusted`.
pub(crate) trait Scan {
    const IS_STRICT: bool;

    /// Scans a string from after its opening quote; returns the position of its closing quote, and
    /// whether it has escapes.
    fn string(bytes: &[u8], at: usize) -> Result<(usize, bool), InvalidEvent>;

    /// Returns the end of the number at `at`.
    fn number(bytes: &[u8], at: usize) -> Result<usize, InvalidEvent>;

    /// Returns the end of the value at `at`, which is nested `depth` levels deep.
    fn skip(text: &Text<'_>, at: usize, depth: usize) -> Result<usize, InvalidEvent>;
}

/// Validates every byte.
pub(crate) struct Strict;

/// Trusts the caller that the text is valid JSON; looks only for the ends of values.
pub(crate) struct Trusted;

#[inline]
pub(crate) fn skip_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Returns the end of the `true`, `false` or `null` at `at`.
pub(crate) fn literal(bytes: &[u8], at: usize) -> Result<usize, InvalidEvent> {
    let rest = &bytes[at..];
    for word in [&b"true"[..], b"false", b"null"] {
        if rest.starts_with(word) {
            return Ok(at + word.len());
        }
    }
    Err(InvalidEvent::new("a JSON value is missing", at))
}

fn unclosed(at: usize) -> InvalidEvent {
    InvalidEvent::new("a string is not closed", at)
}

impl Scan for Strict {
    const IS_STRICT: bool = true;

    fn string(bytes: &[u8], from: usize) -> Result<(usize, bool), InvalidEvent> {
        let mut at = from;
        let mut has_escapes = false;
        loop {
            while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
                let word = u64::from_le_bytes(*word);
                // Bytes above 127 stop the loop as well; this costs one step and is rare.
                let found = byte_mask(word, b'"') | byte_mask(word, b'\\') | control_mask(word);
                if found != 0 {
                    at += found.trailing_zeros() as usize / 8;
                    break;
                }
                at += 8;
            }
            match bytes.get(at) {
                None => return Err(unclosed(from)),
                Some(b'"') => return Ok((at, has_escapes)),
                Some(b'\\') => {
                    has_escapes = true;
                    at = escape(bytes, at + 1)?;
                }
                Some(0..0x20) => {
                    return Err(InvalidEvent::new("a control character is not escaped", at));
                }
                Some(_) => at += 1,
            }
        }
    }

    fn number(bytes: &[u8], at: usize) -> Result<usize, InvalidEvent> {
        let wrong = |at| InvalidEvent::new("a number is not as JSON writes it", at);
        let first = at + usize::from(bytes.get(at) == Some(&b'-'));
        let mut end = digits(bytes, first);
        if end == first || (bytes[first] == b'0' && end > first + 1) {
            return Err(wrong(at));
        }
        if bytes.get(end) == Some(&b'.') {
            let fraction = digits(bytes, end + 1);
            if fraction == end + 1 {
                return Err(wrong(at));
            }
            end = fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            let from = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = digits(bytes, from);
            if end == from {
                return Err(wrong(at));
            }
        }
        Ok(end)
    }

    fn skip(text: &Text<'_>, at: usize, depth: usize) -> Result<usize, InvalidEvent> {
        skip_strictly(text, at, depth)
    }
}

/// Returns the end of an escape; `at` is behind its backslash.
fn escape(bytes: &[u8], at: usize) -> Result<usize, InvalidEvent> {
    let is_hex = |byte: &u8| byte.is_ascii_hexdigit();
    match bytes.get(at) {
        Some(b'u') => match bytes.get(at + 1..at + 5) {
            Some(hex) if hex.iter().all(is_hex) => Ok(at + 5),
            _ => Err(InvalidEvent::new("four hexadecimal digits are missing", at)),
        },
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        _ => Err(InvalidEvent::new("an escape is none of JSON's", at)),
    }
}

fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Sets the high bit of each byte that equals `byte`. Bits above the first match may be wrong.
#[inline]
fn byte_mask(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let zeros = word ^ (ONES * byte as u64);
    zeros.wrapping_sub(ONES) & !zeros & (ONES << 7)
}

/// Sets the high bit of each byte that may be a control character, without false negatives.
#[inline]
fn control_mask(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    (word.wrapping_sub(ONES * 0x20) | word) & (ONES << 7)
}

/// Skips a value and validates all of it. A bit stack holds the open objects and arrays, so depth
/// uses no call stack.
fn skip_strictly(text: &Text<'_>, mut at: usize, depth: usize) -> Result<usize, InvalidEvent> {
    let bytes = text.bytes;
    let mut open = Open::default();
    loop {
        // A value begins here.
        match bytes.get(at) {
            Some(&byte @ (b'{' | b'[')) => {
                open.push(byte == b'{');
                text.check_depth(depth + open.len, at)?;
                at = skip_whitespace(bytes, at + 1);
                let close = if byte == b'{' { b'}' } else { b']' };
                if bytes.get(at) != Some(&close) {
                    if byte == b'{' {
                        at = key(bytes, at)?;
                    }
                    continue;
                }
                open.pop();
                at += 1;
            }
            Some(b'"') => at = Strict::string(bytes, at + 1)?.0 + 1,
            Some(b'-' | b'0'..=b'9') => at = Strict::number(bytes, at)?,
            Some(_) => at = literal(bytes, at)?,
            None => return Err(InvalidEvent::new("a value is missing", at)),
        }
        // A value ended here.
        loop {
            let Some(is_object) = open.last() else {
                return Ok(at);
            };
            at = skip_whitespace(bytes, at);
            match bytes.get(at) {
                Some(b',') => {
                    at = skip_whitespace(bytes, at + 1);
                    if is_object {
                        at = key(bytes, at)?;
                    }
                    break;
                }
                Some(b'}') if is_object => at += 1,
                Some(b']') if !is_object => at += 1,
                _ => return Err(InvalidEvent::new("a comma or an end is missing", at)),
            }
            open.pop();
        }
    }
}

/// Scans a key and its colon; returns the start of the value.
fn key(bytes: &[u8], at: usize) -> Result<usize, InvalidEvent> {
    if bytes.get(at) != Some(&b'"') {
        return Err(InvalidEvent::new("a key in quotes is missing", at));
    }
    let at = skip_whitespace(bytes, Strict::string(bytes, at + 1)?.0 + 1);
    if bytes.get(at) != Some(&b':') {
        return Err(InvalidEvent::new("a colon is missing", at));
    }
    Ok(skip_whitespace(bytes, at + 1))
}

/// A stack of open objects (1) and arrays (0), one bit each.
#[derive(Default)]
struct Open {
    len: usize,
    top: u64,
    below: Vec<u64>,
}

impl Open {
    fn push(&mut self, is_object: bool) {
        if self.len > 0 && self.len.is_multiple_of(64) {
            self.below.push(self.top);
        }
        self.top = self.top << 1 | u64::from(is_object);
        self.len += 1;
    }

    fn pop(&mut self) {
        self.len -= 1;
        self.top >>= 1;
        if self.len > 0 && self.len.is_multiple_of(64) {
            self.top = self.below.pop().unwrap_or_default();
        }
    }

    fn last(&self) -> Option<bool> {
        (self.len > 0).then_some(self.top & 1 == 1)
    }
}

impl Scan for Trusted {
    const IS_STRICT: bool = false;

    #[inline]
    fn string(bytes: &[u8], from: usize) -> Result<(usize, bool), InvalidEvent> {
        let mut at = from;
        let mut has_escapes = false;
        while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
            let found = quotes_and_backslashes(block);
            if found == 0 {
                at += 16;
                continue;
            }
            at += found.trailing_zeros() as usize;
            if bytes[at] == b'"' {
                return Ok((at, has_escapes));
            }
            has_escapes = true;
            at += 2;
        }
        loop {
            match bytes.get(at) {
                Some(b'"') => return Ok((at, has_escapes)),
                Some(b'\\') => {
                    has_escapes = true;
                    at += 2;
                }
                Some(_) => at += 1,
                None => return Err(unclosed(from)),
            }
        }
    }

    #[inline]
    fn number(bytes: &[u8], mut at: usize) -> Result<usize, InvalidEvent> {
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = bytes.get(at) {
            at += 1;
        }
        Ok(at)
    }

    fn skip(text: &Text<'_>, at: usize, depth: usize) -> Result<usize, InvalidEvent> {
        let bytes = text.bytes;
        match bytes.get(at) {
            Some(b'"') => Ok(Self::string(bytes, at + 1)?.0 + 1),
            Some(b'{' | b'[') => skip_nested(text, at, depth),
            Some(b',' | b'}' | b']') | None => Err(InvalidEvent::new("a value is missing", at)),
            Some(_) => {
                let is_end =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r');
                Ok(bytes[at..].iter().position(is_end).map_or(bytes.len(), |end| at + end))
            }
        }
    }
}

/// Skips an object or an array by counting brackets outside of strings.
fn skip_nested(text: &Text<'_>, at: usize, depth: usize) -> Result<usize, InvalidEvent> {
    let Some((end, deepest)) = skip_simd::skip(text.bytes, at) else {
        return Err(InvalidEvent::new("the event ends too early", text.bytes.len()));
    };
    // `deepest` may overestimate, so a suspected violation is checked exactly.
    if depth + deepest > text.depth_max {
        skip_strictly(text, at, depth)?;
    }
    Ok(end)
}
