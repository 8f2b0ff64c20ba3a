//! `rate(value unit)`: a fixed interval, counted from the start of the schedule. A day is 24 hours.

use trunkline_types::Millis;

use crate::dialect::Dialect;
use crate::error::InvalidSchedule;

/// A fixed interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    period: Millis,
}

/// The most that may be asked for: longer than all years that a schedule knows.
const VALUE_MAX: u64 = 99_999_999;

const UNITS: [(&str, &str, Millis); 3] =
    [("minute", "minutes", 60_000), ("hour", "hours", 3_600_000), ("day", "days", 86_400_000)];

impl Rate {
    /// Reads `value unit`.
    pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Self, InvalidSchedule> {
        let invalid = |problem: String| {
            let remedy = "Write a whole number from 1 on, one space, and minutes, hours or days: \
                          rate(1 hour), rate(5 minutes).";
            InvalidSchedule::new("rate", problem, remedy)
        };
        let Some((value, unit)) = text.split_once(' ') else {
            return Err(invalid("there is no space between a value and a unit.".to_owned()));
        };
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid(format!("the value {value:?} is not a whole number.")));
        }
        let number = value.parse().unwrap_or(u64::MAX);
        if number == 0 || number > VALUE_MAX {
            return Err(invalid(format!("the value {value} is not between 1 and {VALUE_MAX}.")));
        }
        let known = UNITS.iter().find(|(one, many, _)| unit == *one || unit == *many);
        let Some((one, many, length)) = known else {
            return Err(invalid(format!("the unit {unit:?} is unknown.")));
        };
        let expected = if number == 1 { one } else { many };
        if dialect == Dialect::Rule && unit != *expected {
            return Err(invalid(format!("for {number} the unit is {expected}.")));
        }
        Ok(Self { period: number * length })
    }

    /// The time from one occurrence to the next.
    pub fn period(&self) -> Millis {
        self.period
    }

    /// The first occurrence after `after`, of those that are counted from `anchor`.
    pub(crate) fn next(&self, anchor: Millis, after: Millis) -> Millis {
        match after.checked_sub(anchor) {
            None => anchor,
            Some(passed) => anchor + (passed / self.period + 1) * self.period,
        }
    }
}
