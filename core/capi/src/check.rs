//! What a caller may write: numbers, names and ids, with AWS's words for what may not.

use trunkline_engine::{Code, Error, Limits, Millis, Result};

use crate::options::UNSET;

/// The longest wait of one call: a year. AWS's 20 seconds bind only its surface.
pub(crate) const WAIT_MAX: Millis = 365 * 86_400_000;
/// The most messages one call may ask for: what still fits every list.
pub(crate) const COUNT_MAX: u64 = i32::MAX as u64;

/// A number in its range; `None` if it is unset.
pub(crate) fn number(value: i64, field: &str, low: u64, high: u64) -> Result<Option<u64>> {
    if value == UNSET {
        return Ok(None);
    }
    required(value, field, low, high).map(Some)
}

/// A number in its range, unset being none.
pub(crate) fn required(value: i64, field: &str, low: u64, high: u64) -> Result<u64> {
    match u64::try_from(value) {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err(invalid(
            &value.to_string(),
            field,
            &format!("Must be between {low} and {high} both inclusive."),
        )),
    }
}

/// A truth value; `None` if it is unset.
pub(crate) fn flag(value: i64, field: &str) -> Result<Option<bool>> {
    Ok(number(value, field, 0, 1)?.map(|flag| flag == 1))
}

/// Whether `name`, which must be a queue name, is a FIFO queue's.
pub(crate) fn queue_name(name: &str, field: &str, limits: &Limits) -> Result<bool> {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let fits = !stem.is_empty() && name.len() <= limits.name_chars_max as usize;
    if fits && stem.bytes().all(plain) {
        return Ok(stem.len() < name.len());
    }
    let max = limits.name_chars_max;
    let reason = format!(
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to {max} in length; \
         a FIFO queue's name ends in .fifo."
    );
    Err(invalid(name, field, &reason))
}

/// A group, deduplication or attempt id.
pub(crate) fn id<'a>(id: Option<&'a str>, field: &str, limits: &Limits) -> Result<Option<&'a str>> {
    let Some(text) = id else { return Ok(None) };
    let max = limits.id_chars_max;
    // Visible ASCII is exactly AWS's alphanumeric and punctuation characters.
    if (1..=max as usize).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Ok(id);
    }
    let reason = format!(
        "{field} can only include alphanumeric and punctuation characters. 1 to {max} in length."
    );
    Err(invalid(text, field, &reason))
}

/// The error for a value that is not allowed; a long one is cut.
#[cold]
pub(crate) fn invalid(value: &str, field: &str, reason: &str) -> Error {
    const SHOWN_CHARS_MAX: usize = 256;
    let shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    let text = format!("Value {shown} for parameter {field} is invalid. Reason: {reason}");
    Error::new(Code::InvalidParameterValue, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_say_their_kind() {
        let limits = Limits::default();
        let kind = |name: &str| queue_name(name, "name", &limits).ok();
        assert_eq!(kind("orders-1_b"), Some(false));
        assert_eq!(kind("orders.fifo"), Some(true));
        assert_eq!(kind(&"x".repeat(80)), Some(false));
        for bad in ["", ".fifo", "a b", "a.b", "é", &"x".repeat(81), "a.fifo.fifo"] {
            assert_eq!(kind(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn ids_are_short_and_visible() {
        let limits = Limits::default();
        let fits = |text: &str| id(Some(text), "group", &limits).is_ok();
        assert!(fits("!aZ9~") && fits(&"x".repeat(128)));
        for bad in ["", " ", "a\n", "é", &"x".repeat(129)] {
            assert!(!fits(bad), "{bad:?}");
        }
    }

    #[test]
    fn numbers_are_unset_or_in_their_range() {
        assert_eq!(number(-1, "delay_ms", 0, 5), Ok(None));
        assert_eq!(number(5, "delay_ms", 0, 5), Ok(Some(5)));
        for bad in [-2, 6, i64::MIN, i64::MAX] {
            assert!(number(bad, "delay_ms", 0, 5).is_err());
        }
        assert!(required(-1, "visibility_ms", 0, 5).is_err());
    }
}
