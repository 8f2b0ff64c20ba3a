//! `cron(minutes hours day-of-month month day-of-week year)` in AWS's dialect.
//!
//! The fields become sets of bits when the expression is read. The search goes from the largest
//! unit to the smallest and looks at each month of a few years at most, so it is fast for rare
//! dates, and ends behind the last year for dates that do not exist.

mod days;
mod field;

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime};
use trunkline_types::Millis;

use self::days::Days;
use self::field::Field;
use crate::error::InvalidSchedule;

/// The years that an expression may name.
pub(crate) const YEARS: RangeInclusive<u16> = 1970..=2199;

/// The first moment behind them: 2200-01-01T00:00:00 UTC.
pub(crate) const END: Millis = 7_258_118_400_000;

const MINUTES: Field = Field::new("minutes", 0, 59, &[]);
const HOURS: Field = Field::new("hours", 0, 23, &[]);
const MONTHS: Field = Field::new(
    "month",
    1,
    12,
    &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
);
const YEAR: Field = Field::new("year", *YEARS.start(), *YEARS.end(), &[]);

/// A cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u32,
    days: Days,
    months: u16,
    years: Years,
}

impl Cron {
    /// Reads the six fields.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidSchedule> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, day_of_month, month, day_of_week, year] = fields[..] else {
            return Err(InvalidSchedule::new(
                "cron",
                format!("it has {} fields.", fields.len()),
                "Write six: minutes hours day-of-month month day-of-week year.",
            ));
        };
        let bits = |field: &Field, text| -> Result<u64, InvalidSchedule> {
            Ok(field.parse(text)?.into_iter().fold(0, |bits, value| bits | 1 << value))
        };
        let mut years = Years::default();
        YEAR.parse(year)?.into_iter().for_each(|year| years.add(year));
        Ok(Self {
            minutes: bits(&MINUTES, minutes)?,
            hours: bits(&HOURS, hours)? as u32,
            days: Days::parse(day_of_month, day_of_week)?,
            months: bits(&MONTHS, month)? as u16,
            years,
        })
    }

    /// The first local time that matches and does not lie before the minute of `from`.
    pub(crate) fn next(&self, from: DateTime) -> Option<DateTime> {
        let date = from.date();
        let here = self.contains(date);
        if here && let Some((hour, minute)) = self.time_from(from.hour() as u8, from.minute() as u8)
        {
            return Some(date.at(hour, minute, 0, 0));
        }
        let date = self.date_from(date.tomorrow().ok()?)?;
        let (hour, minute) = self.time_from(0, 0)?;
        Some(date.at(hour, minute, 0, 0))
    }

    fn contains(&self, date: Date) -> bool {
        self.years.next(date.year()) == Some(date.year())
            && self.months & 1 << date.month() != 0
            && self.days.of_month(date.first_of_month()) & 1 << date.day() != 0
    }

    /// The first day that matches, from `from` on.
    fn date_from(&self, from: Date) -> Option<Date> {
        let mut next = self.years.next(from.year());
        while let Some(year) = next {
            let is_first = year == from.year();
            let month = if is_first { from.month() } else { 1 };
            for month in (month..=12).filter(|month| self.months & 1 << month != 0) {
                let begin = Date::new(year, month, 1).ok()?;
                let mut days = self.days.of_month(begin);
                if is_first && month == from.month() {
                    days &= u32::MAX << from.day();
                }
                if days != 0 {
                    return Date::new(year, month, days.trailing_zeros() as i8).ok();
                }
            }
            next = self.years.next(year + 1);
        }
        None
    }

    /// The first time of day that matches, from this hour and minute on.
    fn time_from(&self, hour: u8, minute: u8) -> Option<(i8, i8)> {
        let minutes = self.minutes & u64::MAX << minute;
        if self.hours & 1 << hour != 0 && minutes != 0 {
            return Some((hour as i8, minutes.trailing_zeros() as i8));
        }
        let hours = self.hours & (u32::MAX << hour) & !(1 << hour);
        (hours != 0).then(|| (hours.trailing_zeros() as i8, self.minutes.trailing_zeros() as i8))
    }
}

/// Years as bits, from the first one on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Years([u64; 4]);

impl Years {
    fn add(&mut self, year: u16) {
        let place = usize::from(year - YEARS.start());
        self.0[place / 64] |= 1 << (place % 64);
    }

    /// The first of these years that is not before `year`.
    fn next(&self, year: i16) -> Option<i16> {
        let first = *YEARS.start() as i16;
        let place = (year - first).max(0) as usize;
        let bits = |word: usize| match word.cmp(&(place / 64)) {
            Ordering::Less => 0,
            Ordering::Equal => self.0[word] & u64::MAX << (place % 64),
            Ordering::Greater => self.0[word],
        };
        let word = (0..self.0.len()).find(|word| bits(*word) != 0)?;
        Some(first + (word * 64) as i16 + bits(word).trailing_zeros() as i16)
    }
}

/// The minute after `local`.
pub(crate) fn minute_after(local: DateTime) -> Option<DateTime> {
    local.checked_add(jiff::SignedDuration::from_mins(1)).ok()
}
