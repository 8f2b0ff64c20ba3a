//! Day of the month and day of the week: one of them says which days, the other is `?`.

use jiff::civil::Date;

use super::field::{Field, number, shown};
use crate::error::InvalidSchedule;

const DAY_OF_MONTH: Field = Field::new("day-of-month", 1, 31, &[]);
const DAY_OF_WEEK: Field =
    Field::new("day-of-week", 1, 7, &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
        .without_steps();

/// The days of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Days {
    /// These days of the month, as bits 1 to 31.
    OfMonth(u32),
    /// `L`: its last day.
    Last,
    /// `LW`: its last day from Monday to Friday.
    LastWorkday,
    /// `15W`: the day from Monday to Friday that is nearest to this day, in the same month. A
    /// month without this day has none.
    NearestWorkday(u8),
    /// These days of the week, as bits 1 (Sunday) to 7.
    OfWeek(u8),
    /// `6L`: the last of this day of the week.
    LastOfWeek(u8),
    /// `6#3`: this day of the week for this time in the month.
    NthOfWeek(u8, u8),
}

impl Days {
    pub fn parse(day_of_month: &str, day_of_week: &str) -> Result<Self, InvalidSchedule> {
        match (day_of_month, day_of_week) {
            ("?", "?") => Err(InvalidSchedule::new(
                "day-of-week",
                "day-of-month and day-of-week are both \"?\".",
                "Write \"?\" in one of them, and * or days in the other.",
            )),
            (_, "?") => Self::of_month_field(day_of_month),
            ("?", _) => Self::of_week_field(day_of_week),
            _ => Err(InvalidSchedule::new(
                "day-of-week",
                "day-of-month and day-of-week both name days.",
                "Write \"?\" in one of them.",
            )),
        }
    }

    fn of_month_field(text: &str) -> Result<Self, InvalidSchedule> {
        if text.eq_ignore_ascii_case("L") {
            return Ok(Self::Last);
        }
        if text.eq_ignore_ascii_case("LW") {
            return Ok(Self::LastWorkday);
        }
        if let Some(day) = without_last(text, 'W') {
            return match number(day) {
                Some(day) if (1..=31).contains(&day) => Ok(Self::NearestWorkday(day as u8)),
                _ => Err(DAY_OF_MONTH
                    .invalid(format!("\"{}\" is not W behind one day from 1 to 31.", shown(text)))),
            };
        }
        let values = DAY_OF_MONTH.parse(text)?;
        Ok(Self::OfMonth(values.into_iter().fold(0, |bits, day| bits | 1 << day)))
    }

    fn of_week_field(text: &str) -> Result<Self, InvalidSchedule> {
        if text.eq_ignore_ascii_case("L") {
            return Ok(Self::OfWeek(1 << 7));
        }
        if let Some((day, nth)) = text.split_once('#') {
            let day = DAY_OF_WEEK.value(day)? as u8;
            return match number(nth) {
                Some(nth) if (1..=5).contains(&nth) => Ok(Self::NthOfWeek(day, nth as u8)),
                _ => Err(DAY_OF_WEEK.invalid(format!(
                    "\"{}\" is not a day, #, and one number from 1 to 5.",
                    shown(text)
                ))),
            };
        }
        if let Some(day) = without_last(text, 'L') {
            return Ok(Self::LastOfWeek(DAY_OF_WEEK.value(day)? as u8));
        }
        let values = DAY_OF_WEEK.parse(text)?;
        Ok(Self::OfWeek(values.into_iter().fold(0, |bits, day| bits | 1 << day)))
    }

    /// The days of the month that begins on `first`, as bits 1 to 31.
    pub fn of_month(&self, first: Date) -> u32 {
        let last = first.days_in_month() as u8;
        let of_week = |day: u8| weekday(first, day);
        match *self {
            Self::OfMonth(days) => days & up_to(last),
            Self::Last => 1 << last,
            Self::LastWorkday => 1 << nearest_workday(first, last, last),
            Self::NearestWorkday(day) if day > last => 0,
            Self::NearestWorkday(day) => 1 << nearest_workday(first, day, last),
            Self::OfWeek(days) => {
                let is_wanted = |day: &u8| days & 1 << of_week(*day) != 0;
                (1..=last).filter(is_wanted).fold(0, |bits, day| bits | 1 << day)
            }
            Self::LastOfWeek(wanted) => {
                let back = (of_week(last) + 7 - wanted) % 7;
                1 << (last - back)
            }
            Self::NthOfWeek(wanted, nth) => {
                let day = 1 + (wanted + 7 - of_week(1)) % 7 + 7 * (nth - 1);
                if day <= last { 1 << day } else { 0 }
            }
        }
    }
}

/// The text before its last letter, if that is `letter`.
fn without_last(text: &str, letter: char) -> Option<&str> {
    text.strip_suffix(letter).or_else(|| text.strip_suffix(letter.to_ascii_lowercase()))
}

fn up_to(last: u8) -> u32 {
    u32::MAX >> (31 - last)
}

/// The day of the week, 1 for Sunday, of a day of the month that begins on `first`.
fn weekday(first: Date, day: u8) -> u8 {
    let begins = first.weekday().to_sunday_zero_offset() as u8;
    (begins + day - 1) % 7 + 1
}

const SUNDAY: u8 = 1;
const SATURDAY: u8 = 7;

fn nearest_workday(first: Date, day: u8, last: u8) -> u8 {
    match weekday(first, day) {
        SATURDAY if day == 1 => 3,
        SATURDAY => day - 1,
        SUNDAY if day == last => day - 2,
        SUNDAY => day + 1,
        _ => day,
    }
}
