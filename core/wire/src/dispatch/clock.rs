//! `/_trunkline/clock`: how far a virtual clock is to go.

use serde_json::Value;
use trunkline_types::{Clock, Millis};

use super::read_object;
use crate::codec::time;
use crate::error::{Result, WireError};

/// The furthest that a clock may go: the year 2096. A message keeps its times in 42 bits.
const CLOCK_MAX: Millis = 4_000_000_000_000;

/// The units of a time as text, in milliseconds.
const UNITS: [(&str, f64); 5] =
    [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];

/// By how many milliseconds `clock` is to be advanced: `{"advance": seconds}`, the same as text
/// with a unit, or `{"to": time}`.
pub(super) fn read(body: &[u8], clock: &Clock) -> Result<Millis> {
    let object = read_object(body, &["advance", "to"])?;
    let by = match (object.get("advance"), object.get("to")) {
        (Some(by), None) => span(by).ok_or_else(|| {
            let message = "advance must be a number of seconds that is not negative, or text \
                with a unit, like '10m'.";
            refused(message.to_owned())
        })?,
        (None, Some(to)) => {
            let wanted = moment(to).ok_or_else(|| {
                let message = "to must be a time like '2030-01-01T00:00:00Z', or seconds since \
                    1970.";
                refused(message.to_owned())
            })?;
            let by = wanted - clock.now() as f64;
            if by < 0.0 {
                return Err(refused("to is in the past: the clock only moves forward.".to_owned()));
            }
            by
        }
        _ => return Err(refused("The body must have 'advance' or 'to'.".to_owned())),
    };
    let left = CLOCK_MAX.saturating_sub(clock.now());
    if by > left as f64 {
        return Err(refused(format!(
            "The clock may go to the year 2096 at most, which is {} seconds from now.",
            left / 1_000
        )));
    }
    if !clock.is_virtual() {
        let message = "The engine follows the system's clock, which cannot be advanced; start the \
            server with --virtual-clock.";
        return Err(WireError::new("UnsupportedOperation", 400, message));
    }
    Ok(by.round() as Millis)
}

fn span(value: &Value) -> Option<f64> {
    let millis = match value {
        Value::Number(seconds) => seconds.as_f64()? * 1_000.0,
        Value::String(text) => {
            let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
            let unit = if end == text.len() { "s" } else { text[end..].trim() };
            let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
            text[..end].trim().parse::<f64>().ok()? * factor
        }
        _ => return None,
    };
    (millis.is_finite() && millis >= 0.0).then_some(millis)
}

fn moment(value: &Value) -> Option<f64> {
    let seconds = match value {
        Value::Number(seconds) => seconds.as_f64()?,
        Value::String(text) => time::read(text).or_else(|| time::read(&with_seconds(text)?))?,
        _ => return None,
    };
    seconds.is_finite().then_some(seconds * 1_000.0)
}

/// A time to the minute as one to the second: AWS's forms always have seconds, people often not.
fn with_seconds(text: &str) -> Option<String> {
    const MINUTE: usize = "2030-01-01T00:00".len();
    let (minute, zone) = (text.get(..MINUTE)?, text.get(MINUTE..)?);
    minute.contains('T').then(|| format!("{minute}:00{zone}"))
}

fn refused(message: String) -> WireError {
    WireError::new("InvalidRequest", 400, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(body: &str) -> std::result::Result<Millis, String> {
        let clock = Clock::virtual_at(1_700_000_000_000);
        read(body.as_bytes(), &clock).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_time_is_seconds_text_with_a_unit_or_a_moment() {
        for (body, millis) in [
            (r#"{"advance":1.5}"#, 1_500),
            (r#"{"advance":"10m"}"#, 600_000),
            (r#"{"advance":"2 h"}"#, 7_200_000),
            (r#"{"advance":"250ms"}"#, 250),
            (r#"{"advance":"7"}"#, 7_000),
            (r#"{"to":1700000001}"#, 1_000),
            (r#"{"to":"2023-11-14T22:13:21Z"}"#, 1_000),
            (r#"{"to":"2023-11-14T22:14Z"}"#, 40_000),
            (r#"{"to":"2023-11-14T23:14+01:00"}"#, 40_000),
        ] {
            assert_eq!(by(body), Ok(millis), "{body}");
        }
    }

    #[test]
    fn a_clock_that_is_the_systems_is_not_advanced() {
        let error = read(br#"{"advance":1}"#, &Clock::system()).unwrap_err();
        assert_eq!((error.name(), error.status()), ("UnsupportedOperation", 400));
        assert!(error.message().contains("--virtual-clock"));
    }

    #[test]
    fn what_is_no_time_or_beyond_the_last_one_is_told_in_plain_words() {
        for (body, why) in [
            ("", "The body must be a JSON object."),
            ("[1]", "The body must be a JSON object."),
            ("{}", "The body must have 'advance' or 'to'."),
            (r#"{"advance":1,"to":2}"#, "The body must have 'advance' or 'to'."),
            (r#"{"advanse":1}"#, "The body has no member 'advanse'; there are: advance, to."),
            (r#"{"advance":"soon"}"#, "advance must be a number of seconds"),
            (r#"{"advance":"10y"}"#, "advance must be a number of seconds"),
            (r#"{"advance":-1}"#, "advance must be a number of seconds"),
            (r#"{"advance":null}"#, "advance must be a number of seconds"),
            (r#"{"to":"tomorrow"}"#, "to must be a time like"),
            (r#"{"to":"2030-01-01T0000"}"#, "to must be a time like"),
            (r#"{"to":1}"#, "to is in the past"),
            (r#"{"to":"2110-01-01T00:00:00Z"}"#, "The clock may go to the year 2096 at most"),
            (r#"{"advance":1e300}"#, "The clock may go to the year 2096 at most"),
            (r#"{"advance":"99999d"}"#, "The clock may go to the year 2096 at most"),
        ] {
            let found = by(body).unwrap_err();
            assert!(found.starts_with(why), "{body}: {found}");
        }
    }
}
