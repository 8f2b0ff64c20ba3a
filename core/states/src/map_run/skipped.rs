//! A JSON value that is read past: checked as its bytes come, and not kept but for one number.

use crate::value::{DEPTH_MAX, parse};

/// What may come next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Expected {
    #[default]
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Colon,
    CommaOrEnd,
}

/// What stands in one place of a document: nothing, or one value.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// Those that are open.
    brackets: Vec<u8>,
    expected: Expected,
    /// A number or a word.
    scalar: Vec<u8>,
    string: Option<InString>,
}

type Checked = Result<(), String>;

impl Skipped {
    /// Reads a byte.
    pub fn byte(&mut self, byte: u8) -> Checked {
        if let Some(string) = &mut self.string {
            if string.byte(byte)? {
                self.string = None;
                let is_name = matches!(self.expected, Expected::Name | Expected::NameOrEnd);
                self.expected = if is_name { Expected::Colon } else { Expected::CommaOrEnd };
            }
            return Ok(());
        }
        let is_scalar = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        if !is_scalar {
            self.end_scalar()?;
        }
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'"' if self.expected != Expected::Colon && self.expected != Expected::CommaOrEnd => {
                self.string = Some(InString::default());
            }
            b'{' => self.open(byte, Expected::NameOrEnd)?,
            b'[' => self.open(byte, Expected::ValueOrEnd)?,
            b'}' => self.close(b'{', Expected::NameOrEnd)?,
            b']' => self.close(b'[', Expected::ValueOrEnd)?,
            b',' if self.expected == Expected::CommaOrEnd && !self.brackets.is_empty() => {
                let is_object = self.brackets.last() == Some(&b'{');
                self.expected = if is_object { Expected::Name } else { Expected::Value };
            }
            b':' if self.expected == Expected::Colon => self.expected = Expected::Value,
            _ if is_scalar && self.takes_value() => self.scalar.push(byte),
            _ => return Err(format!("Unexpected character (code {byte})")),
        }
        Ok(())
    }

    /// The place has ended: whether a value stood there.
    pub fn end(&mut self) -> Result<bool, String> {
        self.end_scalar()?;
        if !self.brackets.is_empty() || self.string.is_some() {
            return Err("brackets do not match".to_owned());
        }
        Ok(std::mem::take(&mut self.expected) == Expected::CommaOrEnd)
    }

    /// Whether something stands there so far.
    pub fn has_begun(&self) -> bool {
        self.expected != Expected::Value || !self.scalar.is_empty() || self.string.is_some()
    }

    fn takes_value(&self) -> bool {
        matches!(self.expected, Expected::Value | Expected::ValueOrEnd)
    }

    fn end_scalar(&mut self) -> Checked {
        if self.scalar.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.scalar);
        parse(&text).map_err(|error| error.message)?;
        self.scalar.clear();
        self.expected = Expected::CommaOrEnd;
        Ok(())
    }

    fn open(&mut self, bracket: u8, expected: Expected) -> Checked {
        if !self.takes_value() {
            return Err("expected a comma".to_owned());
        }
        if self.brackets.len() == DEPTH_MAX {
            return Err(format!("Document nesting depth exceeds {DEPTH_MAX}"));
        }
        self.brackets.push(bracket);
        self.expected = expected;
        Ok(())
    }

    fn close(&mut self, bracket: u8, empty: Expected) -> Checked {
        let may_end = self.expected == empty || self.expected == Expected::CommaOrEnd;
        if !may_end || self.brackets.pop() != Some(bracket) {
            return Err("brackets do not match".to_owned());
        }
        self.expected = Expected::CommaOrEnd;
        Ok(())
    }
}

/// A string behind its first quote.
#[derive(Debug, Default)]
struct InString {
    is_escaped: bool,
    /// Digits of `\uXXXX` that are to come.
    digits: u8,
    /// The bytes of a character that is not whole.
    character: Vec<u8>,
}

impl InString {
    /// Whether this byte ends it.
    fn byte(&mut self, byte: u8) -> Result<bool, String> {
        let (is_good, is_end) = match (self.digits, self.is_escaped) {
            (1.., _) => {
                self.digits -= 1;
                (byte.is_ascii_hexdigit(), false)
            }
            (0, true) => {
                self.is_escaped = false;
                self.digits = if byte == b'u' { 4 } else { 0 };
                (b"\"\\/bfnrtu".contains(&byte), false)
            }
            (0, false) if !self.character.is_empty() || !byte.is_ascii() => {
                return self.part(byte).map(|()| false);
            }
            (0, false) => {
                self.is_escaped = byte == b'\\';
                (byte >= b' ', byte == b'"')
            }
        };
        match is_good {
            true => Ok(is_end),
            false => Err(format!("Unexpected character (code {byte}) in a string")),
        }
    }

    /// A byte of a character of several.
    fn part(&mut self, byte: u8) -> Checked {
        self.character.push(byte);
        match std::str::from_utf8(&self.character) {
            Ok(_) => self.character.clear(),
            Err(error) if error.error_len().is_none() => {}
            Err(_) => return Err("a string is not encoded in UTF-8".to_owned()),
        }
        Ok(())
    }
}
