//! What a caller may write: numbers and ids, with AWS's words for what may not. The rules for
//! names and ids are the engine's.

use trunkline_engine::{Code, Durability, Error, Limits, Millis, Result, check_id};

use crate::options::{UNSET, level};

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

/// A group, deduplication or attempt id; `None` if there is none.
pub(crate) fn id<'a>(id: Option<&'a str>, field: &str, limits: &Limits) -> Result<Option<&'a str>> {
    id.map_or(Ok(()), |text| check_id(text, field, limits))?;
    Ok(id)
}

/// The level of a call, which may be lower than `engine`'s and not higher.
pub(crate) fn call_level(engine: Durability, asked: i64) -> Result<Durability> {
    match level(asked)? {
        Some(level) if level > engine => {
            let reason = "A call can lower the engine's level, not raise it; open the engine with \
                          the higher level.";
            Err(invalid(&asked.to_string(), "durability", reason))
        }
        asked => Ok(asked.unwrap_or(engine)),
    }
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
    fn numbers_are_unset_or_in_their_range() {
        assert_eq!(number(-1, "delay_ms", 0, 5), Ok(None));
        assert_eq!(number(5, "delay_ms", 0, 5), Ok(Some(5)));
        for bad in [-2, 6, i64::MIN, i64::MAX] {
            assert!(number(bad, "delay_ms", 0, 5).is_err());
        }
        assert!(required(-1, "visibility_ms", 0, 5).is_err());
    }
}
