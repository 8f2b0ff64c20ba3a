//! The header Retry-After: when an endpoint wants the next attempt.

use std::time::UNIX_EPOCH;

use trunkline_types::Millis;

/// What an endpoint said of the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so many milliseconds.
    In(Millis),
    /// At this time, in milliseconds since the Unix epoch.
    At(Millis),
    /// Never: a negative number of seconds.
    Never,
}

impl RetryAfter {
    /// Reads the header's value; `None` for what is neither a number of seconds nor a date.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if let Ok(seconds) = value.parse::<i64>() {
            return Some(match u64::try_from(seconds) {
                Ok(seconds) => Self::In(seconds.saturating_mul(1_000)),
                Err(_) => Self::Never,
            });
        }
        let date = httpdate::parse_http_date(value).ok()?;
        let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Self::At(since.as_millis() as Millis))
    }

    /// The time before which nothing should be sent; `None` for never.
    pub fn earliest(self, now: Millis) -> Option<Millis> {
        match self {
            Self::In(delay) => Some(now.saturating_add(delay)),
            Self::At(time) => Some(time),
            Self::Never => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_dates_and_never_are_read_and_the_rest_is_ignored() {
        for (value, expected) in [
            ("120", Some(RetryAfter::In(120_000))),
            (" 0 ", Some(RetryAfter::In(0))),
            ("-1", Some(RetryAfter::Never)),
            ("9223372036854775807", Some(RetryAfter::In(u64::MAX))),
            ("Thu, 01 Jan 1970 00:01:00 GMT", Some(RetryAfter::At(60_000))),
            ("soon", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(RetryAfter::parse(value), expected, "{value}");
        }
    }
}
