//! What characters SQS takes where.

use trunkline_engine::is_id;
use trunkline_types::{Limits, Millis};

use super::errors;
use crate::error::{Result, WireError};

/// Whether a body holds only characters that SQS carries: tab, line feed, carriage return, and
/// everything from space on but U+FFFE and U+FFFF.
pub(super) fn is_carried(text: &str) -> bool {
    // Written so that the common pass over the bytes is one loop without branches.
    let control = |byte: u8| (byte < 0x20) & (byte != 0x9) & (byte != 0xa) & (byte != 0xd);
    if text.as_bytes().iter().fold(false, |found, byte| found | control(*byte)) {
        return false;
    }
    let mut rest = text.as_bytes();
    while let Some(place) = memchr::memchr(0xef, rest) {
        if matches!(rest.get(place + 1..place + 3), Some([0xbf, 0xbe | 0xbf])) {
            return false;
        }
        rest = &rest[place + 1..];
    }
    true
}

/// The error for a text that is not carried.
pub(super) fn not_carried() -> WireError {
    errors::named(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF \
         | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    )
}

/// The error for an attribute's value with a character that is not carried.
pub(super) fn invalid_character(text: &str, attribute: &str) -> Option<WireError> {
    let is_control = |c: &char| *c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let refused = |c: &char| is_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}');
    let found = u32::from(text.chars().find(refused)?);
    Some(errors::invalid(format!(
        "Invalid binary character '#x{found:X}' was found in the message attribute '{attribute}' \
         value, the set of allowed characters is #x9 | #xA | #xD | [#x20-#xD7FF] | \
         [#xE000-#xFFFD] | [#x10000-#x10FFFF]"
    )))
}

/// Whole seconds in milliseconds, if they are within 0 and `max`.
pub(super) fn millis(seconds: i32, max: Millis) -> Option<Millis> {
    let millis = u64::try_from(seconds).ok()? * 1_000;
    (millis <= max).then_some(millis)
}

/// Checks a group, deduplication or attempt id.
pub(super) fn check_id(id: &str, parameter: &str, limits: &Limits) -> Result<()> {
    if is_id(id, limits) {
        return Ok(());
    }
    let most = limits.id_chars_max;
    let shown: String = id.chars().take(crate::limits::QUOTE_CHARS_MAX).collect();
    let reason = format!(
        "{parameter} can only include alphanumeric and punctuation characters. 1 to {most} in \
         length."
    );
    Err(errors::invalid_value(shown, parameter, &reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_carry_what_xml_carries() {
        assert!(is_carried("a\t\r\n \u{d7ff}\u{e000}\u{fffd}\u{10ffff}\u{efff}"));
        for text in ["\0", "a\u{b}", "\u{1f}", "\u{fffe}", "x\u{ffff}"] {
            assert!(!is_carried(text), "{text:?}");
        }
    }

    #[test]
    fn ids_are_short_and_printable() {
        assert!(check_id("!aZ9~", "MessageGroupId", &Limits::default()).is_ok());
        for id in ["", " ", "\u{e9}", "a\n", &"x".repeat(129)] {
            assert!(check_id(id, "MessageGroupId", &Limits::default()).is_err(), "{id:?}");
        }
    }
}
