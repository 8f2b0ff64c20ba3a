//! A pull parser for the JSON of patterns, with the messages and positions of AWS's parser
//! (Jackson).
//!
//! AWS reports the position of its parser, not of the mistake, so this reader advances exactly as
//! Jackson does: after a field name it has already consumed a scalar value or the opening quote of
//! a string, and it reads the rest of a string only on request.

use crate::error::{ParseError, position, quoted};
use crate::json::escape;
use crate::json::messages::{shown_char, unexpected_at};

/// A JSON token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Name,
    Text,
    Number,
    True,
    False,
    Null,
    /// The end of the text.
    End,
}

/// An open object or array.
struct Level {
    is_object: bool,
    start: usize,
    has_entries: bool,
}

/// The reader of a text; see the module.
pub(crate) struct Reader<'a> {
    source: &'a str,
    text: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    depth_max: usize,
    /// The token of a value that was read together with its name.
    after_name: Option<Token>,
    /// Whether the opening quote of a string was consumed, but not the rest.
    unread_text: bool,
    /// The start of the last scalar.
    start: usize,
    name: Vec<u8>,
    token: Token,
}

/// An upper bound for the nesting limit: the parser above recurses for each level.
const DEPTH_CEILING: usize = 1000;

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a str, depth_max: usize) -> Self {
        let text = source.as_bytes();
        Self {
            source,
            text,
            at: 0,
            levels: Vec::new(),
            depth_max: depth_max.min(DEPTH_CEILING),
            after_name: None,
            unread_text: false,
            start: 0,
            name: Vec::new(),
            token: Token::End,
        }
    }

    /// The position that AWS reports.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The last field name, decoded.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Reads the current string and decodes it. This advances the position.
    pub(crate) fn text(&mut self) -> Result<Vec<u8>, ParseError> {
        assert!(self.unread_text, "a string is asked for once, when it is reached");
        self.unread_text = false;
        self.string("closing quote for a string value", "string value")
    }

    /// The digits of the last number.
    pub(crate) fn number(&self) -> &'a str {
        &self.source[self.start..self.at]
    }

    /// The text of the last token, for messages.
    pub(crate) fn shown(&mut self) -> Result<String, ParseError> {
        Ok(match self.token {
            Token::ObjectStart => "{".to_owned(),
            Token::ObjectEnd => "}".to_owned(),
            Token::ArrayStart => "[".to_owned(),
            Token::ArrayEnd => "]".to_owned(),
            Token::Name => String::from_utf8_lossy(&self.name).into_owned(),
            Token::Text => String::from_utf8_lossy(&self.text()?).into_owned(),
            Token::Number => self.number().to_owned(),
            Token::True => "true".to_owned(),
            Token::False => "false".to_owned(),
            Token::Null | Token::End => "null".to_owned(),
        })
    }

    /// Returns the next token. Strings are read only by `text`.
    pub(crate) fn next(&mut self) -> Result<Token, ParseError> {
        self.token = self.advance()?;
        Ok(self.token)
    }

    fn advance(&mut self) -> Result<Token, ParseError> {
        if let Some(token) = self.after_name.take() {
            return self.open(token);
        }
        if self.unread_text {
            self.text()?;
        }
        let Some(mut byte) = self.skip_whitespace()? else {
            return self.end();
        };
        if byte == b']' || byte == b'}' {
            return self.close(byte);
        }
        let in_object = self.levels.last().is_some_and(|level| level.is_object);
        if let Some(level) = self.levels.last_mut()
            && std::mem::replace(&mut level.has_entries, true)
        {
            byte = self.comma(byte, in_object)?;
        }
        if !in_object {
            let token = self.value(byte)?;
            return self.open(token);
        }
        if byte != b'"' {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.name = self.string(" in field name", "name")?;
        let byte = self.colon()?;
        self.after_name = Some(self.value(byte)?);
        Ok(Token::Name)
    }

    /// Skips white space and consumes the byte after it.
    fn skip_whitespace(&mut self) -> Result<Option<u8>, ParseError> {
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                b'/' => {
                    return Err(self.unexpected(
                        "maybe a (non-standard) comment? (not recognized as one since Feature \
                         'ALLOW_COMMENTS' not enabled for parser)",
                    ));
                }
                0..0x20 => {
                    let reason = format!(
                        "Illegal character ((CTRL-CHAR, code {byte})): only regular white space \
                         (\\r, \\n, \\t) is allowed between tokens"
                    );
                    return Err(ParseError::json(reason, self.at));
                }
                _ => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    fn end(&mut self) -> Result<Token, ParseError> {
        let Some(level) = self.levels.last() else {
            return Ok(Token::End);
        };
        let kind = if level.is_object { "Object" } else { "Array" };
        let started = self.place(level.start);
        let reason = format!(
            "Unexpected end-of-input: expected close marker for {kind} (start marker at {started})"
        );
        Err(ParseError::json(reason, self.at))
    }

    fn ended_between(&self) -> ParseError {
        let in_object = self.levels.last().is_some_and(|level| level.is_object);
        let kind = if in_object { "Object" } else { "Array" };
        ParseError::json(format!("Unexpected end-of-input within/between {kind} entries"), self.at)
    }

    fn place(&self, at: usize) -> String {
        let (line, column) = position(self.text, at);
        format!("[Source: (String){}; line: {line}, column: {column}]", quoted(self.source))
    }

    fn close(&mut self, byte: u8) -> Result<Token, ParseError> {
        let is_object = byte == b'}';
        match self.levels.last() {
            Some(level) if level.is_object == is_object => {
                self.levels.pop();
                Ok(if is_object { Token::ObjectEnd } else { Token::ArrayEnd })
            }
            Some(level) => {
                let (wanted, kind) = if level.is_object { ('}', "Object") } else { (']', "Array") };
                let started = self.place(level.start);
                let reason = format!(
                    "Unexpected close marker '{}': expected '{wanted}' (for {kind} starting at \
                     {started})",
                    char::from(byte)
                );
                Err(ParseError::json(reason, self.at - 1))
            }
            None => {
                let kind = if is_object { "Object" } else { "Array" };
                let byte = char::from(byte);
                let reason = format!("Unexpected close marker '{byte}': no open {kind} to close");
                Err(ParseError::json(reason, self.at - 1))
            }
        }
    }

    fn comma(&mut self, byte: u8, in_object: bool) -> Result<u8, ParseError> {
        if byte != b',' {
            let kind = if in_object { "Object" } else { "Array" };
            return Err(self.unexpected(&format!("was expecting comma to separate {kind} entries")));
        }
        self.skip_whitespace()?.ok_or_else(|| self.ended_between())
    }

    fn colon(&mut self) -> Result<u8, ParseError> {
        match self.skip_whitespace()? {
            None => Err(self.ended_between()),
            Some(b':') => self.skip_whitespace()?.ok_or_else(|| self.ended_between()),
            Some(_) => {
                Err(self.unexpected("was expecting a colon to separate field name and value"))
            }
        }
    }

    /// Pushes the level of a token that opens an object or an array.
    fn open(&mut self, token: Token) -> Result<Token, ParseError> {
        if matches!(token, Token::ObjectStart | Token::ArrayStart) {
            let is_object = token == Token::ObjectStart;
            self.levels.push(Level { is_object, start: self.at - 1, has_entries: false });
            let depth = self.levels.len();
            if depth > self.depth_max {
                let reason = format!(
                    "Document nesting depth ({depth}) exceeds the maximum allowed ({}, from \
                     `StreamReadConstraints.getMaxNestingDepth()`)",
                    self.depth_max
                );
                return Err(ParseError::json(reason, self.at));
            }
        }
        Ok(token)
    }

    /// Parses the value whose first byte, `byte`, was consumed.
    fn value(&mut self, byte: u8) -> Result<Token, ParseError> {
        self.start = self.at - 1;
        match byte {
            b'"' => {
                self.unread_text = true;
                Ok(Token::Text)
            }
            b'{' => Ok(Token::ObjectStart),
            b'[' => Ok(Token::ArrayStart),
            b'-' | b'0'..=b'9' => self.read_number(),
            b't' => self.literal("true", Token::True),
            b'f' => self.literal("false", Token::False),
            b'n' => self.literal("null", Token::Null),
            b'}' if self.levels.last().is_some_and(|level| level.is_object) => {
                Err(self.unexpected("expected a value"))
            }
            b'+' => Err(self.bad_number(
                Some('+'),
                "JSON spec does not allow numbers to have plus signs: enable \
                 `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
            )),
            b'N' if self.text[self.start..].starts_with(b"NaN") => Err(self.not_a_number(3)),
            b'I' if self.text[self.start..].starts_with(b"Infinity") => Err(self.not_a_number(8)),
            _ if self.char_at(self.start).is_some_and(starts_word) => {
                Err(self.unrecognized_token())
            }
            _ => Err(self.unexpected(&format!("expected a valid value {VALUES}"))),
        }
    }

    fn literal(&mut self, word: &str, token: Token) -> Result<Token, ParseError> {
        let rest = &self.source[self.start..];
        let follows = rest.get(word.len()..).and_then(|rest| rest.chars().next());
        if !rest.starts_with(word) || follows.is_some_and(continues_word) {
            return Err(self.unrecognized_token());
        }
        self.at = self.start + word.len();
        Ok(token)
    }

    fn unrecognized_token(&self) -> ParseError {
        let rest = &self.source[self.start..];
        let word: String = rest.chars().take_while(|&c| continues_word(c)).take(256).collect();
        // AWS names the place behind the token.
        let end = self.start + word.len();
        ParseError::json(format!("Unrecognized token '{word}': was expecting {VALUES}"), end)
    }

    fn not_a_number(&self, length: usize) -> ParseError {
        let end = self.at - 1 + length;
        let word = &self.source[self.start..end];
        let reason = format!(
            "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to \
             allow"
        );
        ParseError::json(reason, end)
    }

    /// Parses the number whose first byte was consumed.
    fn read_number(&mut self) -> Result<Token, ParseError> {
        let is_negative = self.text[self.start] == b'-';
        let first = self.start + usize::from(is_negative);
        let mut end = self.digits_end(first);
        if end == first {
            return Err(self.bad_minus(first));
        }
        if self.text[first] == b'0' && end > first + 1 {
            return Err(ParseError::json(
                "Invalid numeric value: Leading zeroes not allowed",
                first + 1,
            ));
        }
        // From here on, errors are reported behind the integer part.
        self.at = end;
        if self.text.get(end) == Some(&b'.') {
            let fraction = self.digits_end(end + 1);
            if fraction == end + 1 {
                let found = self.char_at(fraction).or(Some('.'));
                return Err(self.bad_number(found, "Decimal point not followed by a digit"));
            }
            end = fraction;
        }
        if matches!(self.text.get(end), Some(b'e' | b'E')) {
            let signed = matches!(self.text.get(end + 1), Some(b'+' | b'-'));
            let from = end + 1 + usize::from(signed);
            let exponent = self.digits_end(from);
            if exponent == from {
                return Err(match self.char_at(from) {
                    None => ParseError::json(
                        "Unexpected end-of-inputexpected a digit for number exponent",
                        from,
                    ),
                    found => self.bad_number(found, "Exponent indicator not followed by a digit"),
                });
            }
            end = exponent;
        }
        self.at = end;
        Ok(Token::Number)
    }

    fn digits_end(&self, from: usize) -> usize {
        let digits = self.text[from.min(self.text.len())..].iter();
        from + digits.take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn bad_minus(&mut self, first: usize) -> ParseError {
        match self.char_at(first) {
            None => ParseError::json("Unexpected end-of-inputNo digit following sign", first),
            Some('.') => {
                self.at = first + 1;
                self.unexpected(&format!("expected a valid value {VALUES}"))
            }
            Some('I') if self.text[first..].starts_with(b"Infinity") => {
                self.at = first + 1;
                self.not_a_number(8)
            }
            found => self.bad_number(
                found,
                "expected digit (0-9) to follow minus sign, for valid numeric value",
            ),
        }
    }

    fn bad_number(&self, found: Option<char>, comment: &str) -> ParseError {
        let found = found.map_or_else(String::new, shown_char);
        let reason = format!("Unexpected character ({found}) in numeric value: {comment}");
        ParseError::json(reason, self.at)
    }

    /// Reads a string from after its opening quote; `missing` and `place` are Jackson's words for
    /// it.
    fn string(&mut self, missing: &str, place: &str) -> Result<Vec<u8>, ParseError> {
        escape::decode_pattern(self.source, &mut self.at, missing, place)
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.source.get(at..)?.chars().next()
    }

    /// The error for the byte that was consumed last.
    fn unexpected(&self, comment: &str) -> ParseError {
        unexpected_at(self.source, self.at - 1, comment)
    }
}

fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
