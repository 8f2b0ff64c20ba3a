//! Points in time as AWS writes them: seconds, ISO 8601, and the date of HTTP headers.

use crate::model::TimeFormat;

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
// Years 0001 to 9999: what four digits can write.
const SECONDS_MIN: i64 = -62_135_596_800;
const SECONDS_MAX: i64 = 253_402_300_799;

/// A moment as text; numbers outside of four-digit years are clamped to them.
pub fn write(seconds: f64, format: TimeFormat) -> String {
    let whole = (seconds.floor() as i64).clamp(SECONDS_MIN, SECONDS_MAX);
    let (year, month, day) = civil(whole.div_euclid(DAY));
    let clock = whole.rem_euclid(DAY);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    match format {
        TimeFormat::Epoch => epoch(seconds),
        TimeFormat::Iso => {
            let millis = ((seconds - seconds.floor()) * 1000.0).round() as i64;
            let fraction = match millis.min(999) {
                0 => String::new(),
                millis => format!(".{millis:03}"),
            };
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
        }
        TimeFormat::Http => {
            let weekday = WEEKDAYS[whole.div_euclid(DAY).rem_euclid(7) as usize];
            let month = MONTHS[month as usize - 1];
            format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
        }
    }
}

fn epoch(seconds: f64) -> String {
    let millis = (seconds * 1000.0).round() as i64;
    if millis % 1000 == 0 {
        return (millis / 1000).to_string();
    }
    let text = format!("{:.3}", millis as f64 / 1000.0);
    text.trim_end_matches('0').to_owned()
}

/// Reads a moment in any of the three forms; `None` for anything else.
pub fn read(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    if text.as_bytes().get(3) == Some(&b',') { read_http(text) } else { read_iso(text) }
}

/// Reads the compact form of signatures: `20260102T030405Z`.
pub fn read_compact(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| digits(text.get(from..to)?);
    let date = days(number(0, 4)?, number(4, 6)?, number(6, 8)?)?;
    Some(date * DAY + clock(number(9, 11)?, number(11, 13)?, number(13, 15)?)?)
}

fn read_iso(text: &str) -> Option<f64> {
    let number = |from: usize, to: usize| digits(text.get(from..to)?);
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let date = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)? * DAY;
    if bytes.len() == 10 {
        return Some(date as f64);
    }
    if bytes.len() < 19 || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let seconds = date + clock(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
    let rest = text.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        None => (0.0, rest),
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            (format!("0.{}", rest.get(..end)?).parse().ok()?, rest.get(end..)?)
        }
    };
    Some(seconds as f64 + fraction - zone_offset(zone)? as f64)
}

fn zone_offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(zone.get(1..3)?)?;
    let minutes = digits(zone.get(3..)?.strip_prefix(':').or(zone.get(3..))?)?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(sign * (hours * 3600 + minutes * 60))
}

fn read_http(text: &str) -> Option<f64> {
    let mut parts = text.get(4..)?.split_ascii_whitespace();
    let day = digits(parts.next()?)?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as i64 + 1;
    let year = digits(parts.next()?)?;
    let mut time = parts.next()?.split(':');
    let mut next = || digits(time.next()?);
    let seconds = days(year, month, day)? * DAY + clock(next()?, next()?, next()?)?;
    matches!(parts.next()?, "GMT" | "UTC").then_some(seconds as f64)
}

fn digits(text: &str) -> Option<i64> {
    (text.len() <= 4 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

fn clock(hour: i64, minute: i64, second: i64) -> Option<i64> {
    // 60 is a leap second, which counts as the first of the next minute.
    (hour < 24 && minute < 60 && second < 61).then_some(hour * 3600 + minute * 60 + second)
}

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, counted in years that start
// in March, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if year < 1 || !(1..=12).contains(&month) {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTHS[month as usize - 1] + i64::from(is_leap && month == 2);
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_name_the_same_moment() {
        let moment = 1_767_323_045.0; // 2026-01-02T03:04:05Z
        for format in [TimeFormat::Epoch, TimeFormat::Iso, TimeFormat::Http] {
            assert_eq!(read(&write(moment, format)), Some(moment), "{format:?}");
        }
        assert_eq!(write(moment, TimeFormat::Http), "Fri, 02 Jan 2026 03:04:05 GMT");
        assert_eq!(read_compact("20260102T030405Z"), Some(moment as i64));
    }

    #[test]
    fn every_day_of_four_centuries_is_read_back() {
        for day in -146_097 / 2..146_097 / 2 {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), Some(day));
        }
    }

    #[test]
    fn fractions_and_zones_count() {
        assert_eq!(read("2026-01-02T04:04:05.25+01:00"), Some(1_767_323_045.25));
        assert_eq!(write(0.5, TimeFormat::Iso), "1970-01-01T00:00:00.500Z");
        assert_eq!(write(1.25, TimeFormat::Epoch), "1.25");
    }

    #[test]
    fn a_day_that_no_year_or_not_this_one_has_is_refused() {
        for text in ["2024-02-29", "2000-02-29T00:00:00Z", "Thu, 29 Feb 2024 00:00:00 GMT"] {
            assert!(read(text).is_some(), "{text}");
        }
        assert_eq!(read("2024-02-29"), read("2024-02-28").map(|seconds| seconds + DAY as f64));
        for text in [
            "2023-02-29",
            "1900-02-29T00:00:00Z",
            "2024-02-30",
            "2026-04-31",
            "2026-01-00",
            "2026-00-01",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "2026-01-02T03:04:05+24:00",
            "2026-01-02T03:04:05+01:60",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read_compact("20230229T000000Z"), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "2026", "x", "2026-13-01", "2026-01-02T25:00:00Z", "é-01-02T", "nan"] {
            assert!(!matches!(read(text), Some(t) if text != "2026" && t != 2026.0), "{text}");
        }
    }
}
