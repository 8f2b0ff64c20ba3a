//! Durations and priorities, as texts: seconds or `NONE`, and an integer.

use crate::Millis;
use crate::fault::Fault;

/// The seconds of a duration; `None` for `NONE`.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// Whether a text is a duration: seconds, or `NONE`.
pub(crate) fn check_duration(text: Option<&str>, at: &str) -> Result<(), Fault> {
    match text {
        Some(text) if text != "NONE" && !is_number(text) => Err(Fault::invalid(format!(
            "Value '{text}' at '{at}' failed to satisfy constraint: Member must be a number of \
             seconds, or NONE"
        ))),
        _ => Ok(()),
    }
}

/// Whether a text is the duration of a whole execution, which has an end: seconds, not too many.
pub(crate) fn check_end(text: Option<&str>, at: &str, most: u64) -> Result<(), Fault> {
    check_duration(text, at)?;
    match text {
        Some(text) if seconds(text).is_none_or(|seconds| seconds > most) => {
            Err(Fault::invalid(format!(
                "Value '{text}' at '{at}' failed to satisfy constraint: Member must be a number of \
                 seconds less than or equal to {most}"
            )))
        }
        _ => Ok(()),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a priority.
pub(crate) fn check_priority(text: Option<&str>, at: &str) -> Result<(), Fault> {
    match text {
        Some(text) if text.parse::<i32>().is_err() => Err(Fault::invalid(format!(
            "Value '{text}' at '{at}' failed to satisfy constraint: Member must be an integer from \
             -2147483648 to 2147483647"
        ))),
        _ => Ok(()),
    }
}

/// The time `duration` after `at`; `None` if it never comes.
pub(crate) fn after(at: Millis, duration: &str) -> Option<Millis> {
    Some(at.saturating_add(span(duration)?))
}

/// The milliseconds of a duration.
pub(crate) fn span(duration: &str) -> Option<Millis> {
    Some(seconds(duration)?.saturating_mul(1_000))
}

/// The priority in a text; 0 without one.
pub(crate) fn priority_of(text: Option<&str>) -> i32 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
