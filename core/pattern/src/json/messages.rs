//! Messages of AWS's JSON parser that the reader and the string decoder share.

use crate::error::ParseError;

/// The error for an unexpected character at `at`.
pub(crate) fn unexpected_at(source: &str, at: usize, comment: &str) -> ParseError {
    let found = source[at..].chars().next().map_or_else(String::new, shown_char);
    ParseError::json(format!("Unexpected character ({found}): {comment}"), at)
}

/// A character in the form that AWS's parser prints.
pub(crate) fn shown_char(c: char) -> String {
    let mut units = [0; 2];
    let unit = u32::from(c.encode_utf16(&mut units)[0]);
    match unit {
        0..0x20 => format!("(CTRL-CHAR, code {unit})"),
        0x20..=255 => format!("'{c}' (code {unit})"),
        _ => format!("'{c}' (code {unit} / {unit:#x})"),
    }
}
