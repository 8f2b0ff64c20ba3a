//! A schedule expression: `cron(...)`, `rate(...)` or `at(...)`.

use jiff::civil::DateTime;

use crate::cron::{Cron, YEARS};
use crate::dialect::Dialect;
use crate::error::InvalidSchedule;
use crate::rate::Rate;

/// When a schedule falls due, apart from its time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Moments of the calendar.
    Cron(Cron),
    /// A fixed interval.
    Rate(Rate),
    /// One moment, as a local time.
    At(DateTime),
}

/// The longest expression that is looked at: AWS's limit.
const BYTES_MAX: usize = 256;

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, InvalidSchedule> {
        if text.len() > BYTES_MAX {
            return Err(InvalidSchedule::new(
                "expression",
                format!("it has {} bytes.", text.len()),
                format!("Write at most {BYTES_MAX}."),
            ));
        }
        let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(fields) = inside("cron") {
            Cron::parse(fields).map(Self::Cron)
        } else if let Some(rate) = inside("rate") {
            Rate::parse(rate, dialect).map(Self::Rate)
        } else if let (Some(time), Dialect::Scheduler) = (inside("at"), dialect) {
            parse_time(time).map(Self::At)
        } else {
            Err(unknown_form(dialect))
        }
    }

    /// Whether the schedule falls due once.
    pub fn is_one_time(&self) -> bool {
        matches!(self, Self::At(_))
    }
}

#[cold]
fn unknown_form(dialect: Dialect) -> InvalidSchedule {
    let (problem, remedy) = match dialect {
        Dialect::Scheduler => (
            "it is none of cron(...), rate(...) and at(...).",
            "Write cron(minutes hours day-of-month month day-of-week year), rate(5 minutes) or \
             at(2030-12-31T23:59:00).",
        ),
        Dialect::Rule => (
            "it is neither cron(...) nor rate(...).",
            "Write cron(minutes hours day-of-month month day-of-week year) or rate(5 minutes).",
        ),
    };
    InvalidSchedule::new("expression", problem, remedy)
}

/// Reads `yyyy-mm-ddThh:mm:ss`.
fn parse_time(text: &str) -> Result<DateTime, InvalidSchedule> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == shape,
    };
    let remedy = "Write at(yyyy-mm-ddThh:mm:ss), without a zone; the zone is a field of its own.";
    if bytes.len() != SHAPE.len() || !bytes.iter().zip(SHAPE).all(fits) {
        return Err(InvalidSchedule::new("at", "the time has another form.", remedy));
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i16>().unwrap_or(-1);
    let small = |from: usize| number(from, from + 2) as i8;
    let year = number(0, 4);
    if !YEARS.contains(&(year as u16)) {
        return Err(InvalidSchedule::new(
            "at",
            format!("the year is {year}."),
            format!("Years go from {} to {}.", YEARS.start(), YEARS.end()),
        ));
    }
    DateTime::new(year, small(5), small(8), small(11), small(14), small(17), 0).map_err(|_| {
        InvalidSchedule::new("at", "there is no such day or no such time of day.", remedy)
    })
}
