//! The rules for names of queues and for ids in messages, which every surface in the process reads.

use trunkline_types::{Code, Error, Limits, QueueKind, Result};

/// The longest part of a refused value that an error shows, in characters.
const SHOWN_CHARS_MAX: usize = 256;

/// The kind of queue that `name`, which must be the name of a queue, stands for.
pub fn check_queue_name(name: &str, field: &str, limits: &Limits) -> Result<QueueKind> {
    let (stem, kind) = match name.strip_suffix(".fifo") {
        Some(stem) => (stem, QueueKind::Fifo),
        None => (name, QueueKind::Standard),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let max = limits.name_chars_max;
    if !stem.is_empty() && name.len() <= max as usize && stem.bytes().all(plain) {
        return Ok(kind);
    }
    Err(invalid(
        name,
        field,
        &format!(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to {max} in \
             length; a FIFO queue's name ends in .fifo."
        ),
    ))
}

/// Whether `text` may be a group, deduplication or attempt id.
pub fn is_id(text: &str, limits: &Limits) -> bool {
    // Visible ASCII is exactly AWS's alphanumeric and punctuation characters.
    (1..=limits.id_chars_max as usize).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Fails unless `text` may be a group, deduplication or attempt id.
pub fn check_id(text: &str, field: &str, limits: &Limits) -> Result<()> {
    if is_id(text, limits) {
        return Ok(());
    }
    let max = limits.id_chars_max;
    Err(invalid(
        text,
        field,
        &format!(
            "{field} can only include alphanumeric and punctuation characters. 1 to {max} in \
             length."
        ),
    ))
}

#[cold]
fn invalid(value: &str, field: &str, reason: &str) -> Error {
    let shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    let shown = shown.escape_debug();
    let text = format!("Value '{shown}' for parameter {field} is invalid. Reason: {reason}");
    Error::new(Code::InvalidParameterValue, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_say_their_kind() {
        let limits = Limits::default();
        let kind = |name: &str| check_queue_name(name, "name", &limits).ok();
        assert_eq!(kind("orders-1_b"), Some(QueueKind::Standard));
        assert_eq!(kind("orders.fifo"), Some(QueueKind::Fifo));
        assert_eq!(kind(&"x".repeat(80)), Some(QueueKind::Standard));
        for bad in ["", ".fifo", "a b", "a.b", "é", &"x".repeat(81), "a.fifo.fifo"] {
            assert_eq!(kind(bad), None, "{bad:?}");
        }
        let error = check_queue_name("a\nb", "dead_letter", &limits).unwrap_err();
        let start = "Value 'a\\nb' for parameter dead_letter is invalid.";
        assert!(error.message().starts_with(start), "{error}");
    }

    #[test]
    fn ids_are_short_and_visible() {
        let limits = Limits::default();
        let fits = |text: &str| check_id(text, "group", &limits).is_ok();
        assert!(fits("!aZ9~") && fits(&"x".repeat(128)));
        for bad in ["", " ", "a\n", "é", &"x".repeat(129)] {
            assert!(!fits(bad), "{bad:?}");
        }
    }
}
