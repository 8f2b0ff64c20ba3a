//! What a target gets at an occurrence.

use trunkline_schedule::utc_text;
use trunkline_types::ResourceName;

use super::config::ScheduleConfig;
use super::occurrence::Occurrence;

/// The kind of targets that take events.
const EVENT_BUS: &str = "bus";

/// What identifies one occurrence to its target.
pub(super) struct Context<'a> {
    pub name: &'a ResourceName,
    pub occurrence: &'a Occurrence,
    pub execution_id: &'a str,
}

impl Context<'_> {
    /// The address of the schedule.
    pub fn arn(&self) -> String {
        let ResourceName { account, region, name, .. } = self.name;
        format!("arn:aws:scheduler:{region}:{account}:schedule/{name}")
    }

    /// The moment of the timetable, not that of the delivery.
    pub fn scheduled_time(&self) -> String {
        utc_text(self.occurrence.scheduled)
    }

    /// The input with its context tokens replaced; without one, AWS's envelope.
    ///
    /// An occurrence is accepted by its target once, so its attempt is the first. Attempts of a
    /// destination outside the engine are counted by the delivery.
    pub fn render(&self, config: &ScheduleConfig) -> Vec<u8> {
        let Some(input) = &config.input else {
            // AWS's envelope has the detail as a text; that of an event has to be an object.
            let is_event = config.target.kind.0 == EVENT_BUS;
            let detail = if is_event { "{}" } else { "\"{}\"" };
            return self.envelope(detail).into_bytes();
        };
        if !input.contains("<aws.scheduler.") {
            return input.as_bytes().to_vec();
        }
        let rendered = input
            .replace("<aws.scheduler.schedule-arn>", &self.arn())
            .replace("<aws.scheduler.scheduled-time>", &self.scheduled_time())
            .replace("<aws.scheduler.execution-id>", self.execution_id)
            .replace("<aws.scheduler.attempt-number>", "1");
        rendered.into_bytes()
    }

    // No part of it needs an escape: names have letters and digits, the rest is made here.
    fn envelope(&self, detail: &str) -> String {
        let ResourceName { account, region, .. } = self.name;
        let (id, time, arn) = (self.execution_id, self.scheduled_time(), self.arn());
        format!(
            "{{\"version\":\"0\",\"id\":\"{id}\",\"detail-type\":\"Scheduled Event\",\
             \"source\":\"aws.scheduler\",\"account\":\"{account}\",\"time\":\"{time}\",\
             \"region\":\"{region}\",\"resources\":[\"{arn}\"],\"detail\":{detail}}}"
        )
    }
}
