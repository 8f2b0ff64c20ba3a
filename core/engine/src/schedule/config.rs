//! What a schedule is, and whether it can work.

use trunkline_schedule::{Dialect, Expression, InvalidSchedule, Timetable, Zone};
use trunkline_types::{Code, Error, Limits, Millis, ResourceName, Result};

/// What a schedule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleConfig {
    /// `cron(...)`, `rate(...)` or `at(...)`.
    pub expression: String,
    /// The zone whose local time a cron or one-time expression means.
    pub timezone: String,
    /// No occurrence of a recurring schedule comes before this moment.
    pub start: Option<Millis>,
    /// No occurrence of a recurring schedule comes after this moment.
    pub end: Option<Millis>,
    /// The flexible window: an occurrence is delivered at a random moment of it. `None`: at once.
    pub window: Option<Millis>,
    /// The resource that gets a message at each occurrence, by its name: one that is removed and
    /// created again gets the next one.
    pub target: ResourceName,
    /// The group of the message, for targets that keep order.
    pub group: Option<String>,
    /// The message; AWS's envelope of a scheduled event when absent. Context tokens such as
    /// `<aws.scheduler.scheduled-time>` are replaced.
    pub input: Option<String>,
    /// The queue that takes messages which the target does not.
    pub dead_letter: Option<ResourceName>,
    /// Whether it falls due; a schedule that is paused does not.
    pub enabled: bool,
    /// Whether it is removed behind its last occurrence.
    pub delete_after_completion: bool,
    /// What the surfaces keep with it.
    pub document: Vec<u8>,
}

const MINUTE: Millis = 60_000;
/// The longest flexible window: AWS's.
const WINDOW_MAX: Millis = 1_440 * MINUTE;
const NAME_CHARS_MAX: usize = 64;

impl ScheduleConfig {
    /// A schedule that is enabled and has nothing but these.
    pub fn new(expression: impl Into<String>, target: ResourceName) -> Self {
        Self {
            expression: expression.into(),
            timezone: "UTC".to_owned(),
            start: None,
            end: None,
            window: None,
            target,
            group: None,
            input: None,
            dead_letter: None,
            enabled: true,
            delete_after_completion: false,
            document: Vec::new(),
        }
    }

    /// Checks what can be known by itself; an error names the field.
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        self.timetable(0)?;
        if self.window.is_some_and(|window| !(MINUTE..=WINDOW_MAX).contains(&window)) {
            return Err(invalid("window", "it is not between 1 and 1,440 minutes."));
        }
        if self.group.as_deref().is_some_and(|group| {
            group.is_empty() || group.chars().count() > limits.id_chars_max as usize
        }) {
            let problem = format!("it is not between 1 and {} characters.", limits.id_chars_max);
            return Err(invalid("group", &problem));
        }
        match &self.input {
            Some(input) if input.len() > limits.message_bytes_max as usize => Err(invalid(
                "input",
                &format!(
                    "it has {} bytes; a message has at most {}.",
                    input.len(),
                    limits.message_bytes_max
                ),
            )),
            Some(input) if input.is_empty() => Err(invalid("input", "it is empty.")),
            _ => Ok(()),
        }
    }

    /// The timetable; a rate without a start counts from `anchor`.
    pub(super) fn timetable(&self, anchor: Millis) -> Result<Timetable> {
        let refused = |error: InvalidSchedule| self.refused(&error);
        let expression =
            Expression::parse(&self.expression, Dialect::Scheduler).map_err(refused)?;
        let zone = Zone::named(&self.timezone).map_err(refused)?;
        Timetable::new(expression, zone, anchor, self.start, self.end).map_err(refused)
    }

    /// Whether both fall due at the same moments, apart from what a rate counts from.
    pub(super) fn has_timetable_of(&self, other: &Self) -> bool {
        let of = |config: &Self| {
            (config.expression.clone(), config.timezone.clone(), config.start, config.end)
        };
        of(self) == of(other)
    }

    #[cold]
    fn refused(&self, error: &InvalidSchedule) -> Error {
        let text = match error.field {
            "timezone" | "start" | "end" => error.to_string(),
            _ => {
                let shown: String = self.expression.chars().take(300).collect();
                format!("{} {error}", Dialect::Scheduler.refusal(&shown))
            }
        };
        Error::new(Code::ValidationException, text)
    }
}

#[cold]
fn invalid(field: &str, problem: &str) -> Error {
    Error::new(Code::ValidationException, format!("{field}: {problem}"))
}

/// Checks a name: the group of schedules and the name in it, with a slash in between.
pub(super) fn check_name(name: &str) -> Result<()> {
    let is_word = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=NAME_CHARS_MAX).contains(&part.len()) && part.bytes().all(allowed)
    };
    match name.split_once('/') {
        Some((group, name)) if is_word(group) && is_word(name) => Ok(()),
        _ => Err(invalid(
            "name",
            &format!(
                "{:?} is not allowed. Write 1 to {NAME_CHARS_MAX} letters, digits, hyphens, \
                 underscores and dots.",
                short_name(name)
            ),
        )),
    }
}

/// The name without its group.
pub(super) fn short_name(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, name)| name)
}
