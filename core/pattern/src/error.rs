//! Errors for invalid patterns and events, with AWS's texts where AWS has them.

use std::fmt;

/// The language of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Event patterns of EventBridge, Pipes, and Lambda event filters.
    EventPattern,
    /// Filter policies of SNS over message attributes.
    FilterAttributes,
    /// Filter policies of SNS over message bodies.
    FilterBody,
}

/// The error for an invalid pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPattern {
    /// AWS's error code: `InvalidEventPatternException` or `InvalidParameter`.
    pub code: &'static str,
    /// AWS's reason, without the position.
    pub reason: String,
    /// The line that AWS reports, from 1; 0 if AWS reports no position.
    pub line: u32,
    /// The column that AWS reports, from 1, in UTF-16 units; 0 if AWS reports no position.
    pub column: u32,
    /// Whether AWS's message has the position twice, as inside lists of `anything-but`.
    pub doubled: bool,
    message: String,
}

impl InvalidPattern {
    /// AWS's full message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Formats an error as AWS does for `source`.
    pub(crate) fn new(error: ParseError, source: &str, dialect: Dialect) -> Self {
        let (line, column) = error.at.map_or((0, 0), |at| position(source.as_bytes(), at));
        let (code, head) = match dialect {
            Dialect::EventPattern => {
                ("InvalidEventPatternException", "Event pattern is not valid. Reason: ")
            }
            _ if error.kind == ParseErrorKind::NoParameter => {
                ("InvalidParameter", "Invalid parameter: ")
            }
            _ => ("InvalidParameter", "Invalid parameter: FilterPolicy: "),
        };
        let is_filter = dialect != Dialect::EventPattern;
        let (middle, shown) = match error.kind {
            ParseErrorKind::Json if is_filter => ("failed to parse JSON. ", REDACTED.to_owned()),
            _ => ("", format!("(String){}", quoted(source))),
        };
        let suffix = match error.at {
            Some(_) => format!("\n at [Source: {shown}; line: {line}, column: {column}]"),
            None => String::new(),
        };
        let again = if error.doubled { suffix.as_str() } else { "" };
        let message = format!("{head}{middle}{}{suffix}{again}", error.reason);
        Self { code, reason: error.reason, line, column, doubled: error.doubled, message }
    }
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidPattern {}

/// The error for an event that is not valid; it is not the same as no match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEvent {
    /// What is wrong, and what was expected.
    pub message: String,
    /// The byte offset of the problem.
    pub offset: usize,
}

impl InvalidEvent {
    pub(crate) fn new(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset }
    }
}

impl fmt::Display for InvalidEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The event is not valid: {}, at byte {}.", self.message, self.offset)
    }
}

impl std::error::Error for InvalidEvent {}

/// An error in a pattern, before it is formatted for a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseError {
    pub(crate) reason: String,
    /// The byte offset whose position AWS reports; none if AWS reports no position.
    pub(crate) at: Option<usize>,
    pub(crate) doubled: bool,
    pub(crate) kind: ParseErrorKind,
}

/// Which of AWS's message formats applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParseErrorKind {
    Json,
    Pattern,
    /// AWS does not name the parameter.
    NoParameter,
}

impl ParseError {
    pub(crate) fn pattern(reason: impl Into<String>, at: usize) -> Self {
        Self { reason: reason.into(), at: Some(at), doubled: false, kind: ParseErrorKind::Pattern }
    }

    pub(crate) fn json(reason: impl Into<String>, at: usize) -> Self {
        Self { kind: ParseErrorKind::Json, ..Self::pattern(reason, at) }
    }

    /// An error for which AWS reports no position.
    pub(crate) fn without_position(reason: impl Into<String>) -> Self {
        Self { at: None, ..Self::pattern(reason, 0) }
    }

    pub(crate) fn without_parameter(reason: impl Into<String>) -> Self {
        Self { kind: ParseErrorKind::NoParameter, ..Self::without_position(reason) }
    }

    pub(crate) fn doubled(self) -> Self {
        Self { doubled: true, ..self }
    }
}

/// The text that AWS's parser prints instead of the source.
pub(crate) const REDACTED: &str =
    "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";

/// The number of characters of the source in a message.
const SHOWN_CHARS_MAX: usize = 500;

/// The source as AWS's parser prints it: truncated, with control characters escaped.
pub(crate) fn quoted(source: &str) -> String {
    let units: usize = source.chars().map(char::len_utf16).sum();
    let mut shown = String::from("\"");
    let mut taken = 0;
    for c in source.chars() {
        taken += c.len_utf16();
        if taken > SHOWN_CHARS_MAX {
            break;
        }
        match c {
            '\n' | '\r' => shown.push(c),
            c if c.is_control() => shown.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown.push('"');
    if units > SHOWN_CHARS_MAX {
        shown.push_str(&format!("[truncated {} chars]", units - SHOWN_CHARS_MAX));
    }
    shown
}

/// Line and column of the byte at `at`, as AWS's parser counts them: from 1, in UTF-16 units.
pub(crate) fn position(text: &[u8], at: usize) -> (u32, u32) {
    let before = &text[..at.min(text.len())];
    let mut line = 1;
    let mut column = 1 + (at - before.len()) as u32;
    let mut previous = 0;
    for &byte in before {
        match byte {
            // A carriage return and a newline end one line.
            b'\n' if previous == b'\r' => column = 1,
            b'\n' | b'\r' => (line, column) = (line + 1, 1),
            // Continuation bytes do not count; a four-byte character is two UTF-16 units.
            0x80..=0xbf => {}
            0xf0.. => column += 2,
            _ => column += 1,
        }
        previous = byte;
    }
    (line, column)
}
