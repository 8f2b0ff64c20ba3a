//! All occurrences of one schedule, found one by one.

use trunkline_types::Millis;

use crate::cron::{Cron, END};
use crate::error::InvalidSchedule;
use crate::expression::Expression;
use crate::zone::Zone;

/// When a schedule falls due: an expression in a zone, between a start and an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    expression: Expression,
    zone: Zone,
    /// What the intervals of a rate are counted from; nothing occurs before it.
    anchor: Millis,
    end: Millis,
}

impl Timetable {
    /// The timetable of a schedule that was created at `created`. A rate counts from `start`, or
    /// from `created` without one; a recurring schedule has no occurrence before `start` or after
    /// `end`. A one-time schedule ignores both, as on AWS.
    pub fn new(
        expression: Expression,
        zone: Zone,
        created: Millis,
        start: Option<Millis>,
        end: Option<Millis>,
    ) -> Result<Self, InvalidSchedule> {
        if let (Some(start), Some(end)) = (start, end)
            && start >= end
        {
            return Err(InvalidSchedule::new(
                "end",
                "it is not after start.",
                "Write an end that is later than the start.",
            ));
        }
        let anchor = start.unwrap_or(created);
        Ok(Self { expression, zone, anchor, end: end.unwrap_or(END) })
    }

    /// The expression.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The first occurrence after `after`, if there is one.
    pub fn next(&self, after: Millis) -> Option<Millis> {
        if after >= END {
            return None;
        }
        let (next, last) = match &self.expression {
            Expression::At(local) => (self.zone.moment(*local)?, Millis::MAX),
            Expression::Rate(rate) => (rate.next(self.anchor, after), self.end),
            Expression::Cron(cron) => (self.next_of_cron(cron, after)?, self.end),
        };
        (next > after && next <= last && next < END).then_some(next)
    }

    /// A local time that the clocks skip does not occur; of one that they show twice, the first is
    /// meant. So moments increase with local times, and none is missed or found twice.
    fn next_of_cron(&self, cron: &Cron, after: Millis) -> Option<Millis> {
        let after = after.max(self.anchor.saturating_sub(1));
        let mut from = self.zone.local(after)?;
        loop {
            let local = cron.next(from)?;
            match self.zone.first_moment(local) {
                Some(moment) if moment > after => return Some(moment),
                _ => from = crate::cron::minute_after(local)?,
            }
        }
    }
}
