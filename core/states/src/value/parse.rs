//! JSON text to a value: strict, and with a bound on the depth.

use std::sync::Arc;

use super::{Members, Number, Value};

/// Deeper text is refused, so that no walk over a value can exhaust the stack.
pub(crate) const DEPTH_MAX: usize = 256;

/// Text that is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedJson {
    /// What is wrong, in the words of AWS's parser.
    pub message: String,
    /// The line of the first wrong character, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
}

impl std::fmt::Display for MalformedJson {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let MalformedJson { message, line, column } = self;
        write!(out, "{message}\n at [Source: (String); line: {line}, column: {column}]")
    }
}

impl std::error::Error for MalformedJson {}

/// Parses text that is one JSON value. Of members with one name, the last one stays.
pub fn parse(text: &str) -> Result<Value, MalformedJson> {
    let mut parser = Parser { text, bytes: text.as_bytes(), at: 0, depth: 0 };
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at < parser.bytes.len() {
        return Err(parser.unexpected("expected end of input"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn error(&self, message: String) -> MalformedJson {
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        MalformedJson { message, line, column: self.at - start + 1 }
    }

    fn unexpected(&self, expected: &str) -> MalformedJson {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(letter) => self.error(format!(
                "Unexpected character ('{letter}' (code {})): {expected}",
                u32::from(letter)
            )),
            None => self.error(format!("Unexpected end-of-input: {expected}")),
        }
    }

    fn value(&mut self) -> Result<Value, MalformedJson> {
        match self.peek() {
            Some(b'{') => self.nested(Parser::object),
            Some(b'[') => self.nested(Parser::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(byte) if byte.is_ascii_alphabetic() => self.word(),
            Some(_) => Err(self.unexpected(
                "expected a valid value (JSON String, Number, Array, Object or token 'null', \
                 'true' or 'false')",
            )),
            None => Err(self.error("No content to map due to end-of-input".to_owned())),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, MalformedJson>,
    ) -> Result<Value, MalformedJson> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("Document nesting depth exceeds {DEPTH_MAX}")));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self) -> Result<Value, MalformedJson> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            other => Err(self.error(format!(
                "Unrecognized token '{other}': was expecting (JSON String, Number, Array, Object \
                 or token 'null', 'true' or 'false')"
            ))),
        }
    }

    fn object(&mut self) -> Result<Value, MalformedJson> {
        self.at += 1;
        let mut members = Members::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Arc::new(members)));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("was expecting double-quote to start field name"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(
                    self.unexpected("was expecting a colon to separate field name and value")
                );
            }
            self.at += 1;
            self.space();
            let value = self.value()?;
            members.insert(key, value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(Arc::new(members)));
                }
                _ => {
                    return Err(self.unexpected("was expecting comma to separate Object entries"));
                }
            }
        }
    }

    fn array(&mut self) -> Result<Value, MalformedJson> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::array(items));
        }
        loop {
            self.space();
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::array(items));
                }
                _ => return Err(self.unexpected("was expecting comma to separate Array entries")),
            }
        }
    }

    fn string(&mut self) -> Result<Arc<str>, MalformedJson> {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let text = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Arc::from(text));
                }
                b'\\' => return self.escaped_string(start),
                0..=0x1f => return Err(self.control(byte)),
                _ => self.at += 1,
            }
        }
        Err(self.error("Unexpected end-of-input: was expecting closing quote for a string".into()))
    }

    fn control(&self, byte: u8) -> MalformedJson {
        self.error(format!(
            "Illegal unquoted character ((CTRL-CHAR, code {byte})): has to be escaped using \
             backslash to be included in string value"
        ))
    }

    fn escaped_string(&mut self, start: usize) -> Result<Arc<str>, MalformedJson> {
        let mut out = String::from(&self.text[start..self.at]);
        loop {
            let from = self.at;
            while self.peek().is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            out.push_str(&self.text[from..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Arc::from(out));
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(byte) => return Err(self.control(byte)),
                None => {
                    return Err(self.error(
                        "Unexpected end-of-input: was expecting closing quote for a string".into(),
                    ));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, MalformedJson> {
        let letter = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.unexpected("unrecognized character escape")),
        };
        self.at += 1;
        Ok(letter)
    }

    /// The four digits of `\uXXXX`, and its low surrogate when it has one. A lone surrogate has no
    /// character; it becomes U+FFFD.
    fn unicode(&mut self) -> Result<char, MalformedJson> {
        let high = self.hex()?;
        if (0xd800..0xdc00).contains(&high) && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            self.at = back;
        }
        Ok(char::from_u32(high).unwrap_or('\u{fffd}'))
    }

    fn hex(&mut self) -> Result<u32, MalformedJson> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(code) = code else {
            return Err(self.unexpected("expected a hex-digit for character escape sequence"));
        };
        self.at += 4;
        Ok(code)
    }

    fn digits(&mut self) -> Result<(), MalformedJson> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("expected digit (0-9) in a numeric value"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, MalformedJson> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(
                    self.error("Invalid numeric value: Leading zeroes not allowed".to_owned())
                );
            }
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if !whole {
            let value: f64 = text.parse().unwrap_or(f64::NAN);
            if !value.is_finite() {
                return Err(self.error(format!("Number out of range: {text}")));
            }
            return Ok(Value::Number(Number::Float(value)));
        }
        Ok(Value::Number(match text.parse() {
            Ok(value) => Number::Int(value),
            Err(_) => Number::Big(Arc::from(text)),
        }))
    }
}
