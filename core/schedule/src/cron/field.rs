//! One field of a cron expression: a list of values, ranges and steps.

use crate::error::InvalidSchedule;

/// What a field may hold.
pub(super) struct Field {
    pub name: &'static str,
    first: u16,
    last: u16,
    /// Names of the values, from the first on.
    names: &'static [&'static str],
    has_steps: bool,
}

impl Field {
    pub const fn new(
        name: &'static str,
        first: u16,
        last: u16,
        names: &'static [&'static str],
    ) -> Self {
        Self { name, first, last, names, has_steps: true }
    }

    pub const fn without_steps(self) -> Self {
        Self { has_steps: false, ..self }
    }

    /// The values that the field names. Ranges of all fields but the year may wrap around.
    pub fn parse(&self, text: &str) -> Result<Vec<u16>, InvalidSchedule> {
        let mut values = Vec::new();
        for item in text.split(',') {
            self.item(item, &mut values)?;
        }
        Ok(values)
    }

    fn item(&self, item: &str, values: &mut Vec<u16>) -> Result<(), InvalidSchedule> {
        let (range, step) = match item.split_once('/') {
            Some(_) if !self.has_steps => {
                return Err(self.invalid(format!("a step (\"{}\") is not allowed.", shown(item))));
            }
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None => {
                let from = self.value(range)?;
                (from, if step.is_some() { self.last } else { from })
            }
        };
        let count = self.last - self.first + 1;
        let is_wrapped = to < from;
        if is_wrapped && self.name == "year" {
            return Err(self.invalid(format!("the range {}-{} goes backwards.", from, to)));
        }
        let length = if is_wrapped { to + count - from } else { to - from };
        let steps = (0..=length).step_by(usize::from(step.unwrap_or(1)));
        values.extend(steps.map(|step| self.first + (from - self.first + step) % count));
        Ok(())
    }

    fn step(&self, text: &str) -> Result<u16, InvalidSchedule> {
        let max = self.last - self.first + 1;
        number(text).filter(|step| (1..=max).contains(step)).ok_or_else(|| {
            self.invalid(format!(
                "the step \"{}\" is not a whole number from 1 to {max}.",
                shown(text)
            ))
        })
    }

    /// The value that `text` names.
    pub fn value(&self, text: &str) -> Result<u16, InvalidSchedule> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        if let Some(place) = named {
            return Ok(self.first + place as u16);
        }
        match number(text) {
            Some(value) if (self.first..=self.last).contains(&value) => Ok(value),
            Some(value) => Err(self.invalid(format!("{value} is out of range."))),
            None => Err(self.invalid(format!("\"{}\" is not a value.", shown(text)))),
        }
    }

    #[cold]
    pub fn invalid(&self, problem: String) -> InvalidSchedule {
        let (first, last) = (self.first, self.last);
        let names = match self.names {
            [one, .., another] => format!(" or {one} to {another}"),
            _ => String::new(),
        };
        let steps = if self.has_steps { ", steps such as 0/5" } else { "" };
        let remedy = format!(
            "Write *, or a list of values from {first} to {last}{names}, ranges such as \
             {first}-{last}{steps}."
        );
        InvalidSchedule::new(self.name, problem, remedy)
    }
}

/// The number that some digits, and nothing else, stand for.
pub(super) fn number(text: &str) -> Option<u16> {
    let is_short = (1..=4).contains(&text.len());
    (is_short && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// What an error shows of a text that may be long.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(32).collect()
}
