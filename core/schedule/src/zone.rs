//! A time zone: local times to moments and back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use trunkline_types::Millis;

use crate::error::InvalidSchedule;

/// A time zone of the IANA database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this name: `UTC`, `Europe/Berlin`.
    pub fn named(name: &str) -> Result<Self, InvalidSchedule> {
        let zone = TimeZone::get(name).map_err(|_| {
            InvalidSchedule::new(
                "timezone",
                format!("there is no zone {name:?}."),
                "Write the name of a zone of the IANA database, such as \"Europe/Berlin\".",
            )
        })?;
        match zone.iana_name() {
            Some(known) if known == name => Ok(Self(zone)),
            known => Err(InvalidSchedule::new(
                "timezone",
                format!("there is no zone {name:?}."),
                format!("Did you mean {:?}?", known.unwrap_or("UTC")),
            )),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the clocks of the zone show at `at`; `None` far beyond the years of a schedule.
    pub(crate) fn local(&self, at: Millis) -> Option<DateTime> {
        let timestamp = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
        Some(self.0.to_datetime(timestamp))
    }

    /// The moment at which the clocks first show `local`. `None` for a time that they skip.
    pub(crate) fn first_moment(&self, local: DateTime) -> Option<Millis> {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => None,
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                let timestamp = ambiguous.earlier().ok()?;
                Millis::try_from(timestamp.as_millisecond()).ok()
            }
        }
    }

    /// The same; a time that the clocks skip is moved on by as much as they are.
    pub(crate) fn moment(&self, local: DateTime) -> Option<Millis> {
        let timestamp = self.0.to_ambiguous_timestamp(local).compatible().ok()?;
        Millis::try_from(timestamp.as_millisecond()).ok()
    }
}

/// A moment as AWS writes it, in UTC and whole seconds: `2024-03-01T10:00:00Z`.
pub fn utc_text(at: Millis) -> String {
    let second = i64::try_from(at / 1_000).ok();
    let timestamp = second.and_then(|second| Timestamp::from_second(second).ok());
    timestamp.unwrap_or(Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
