//! Activity tasks that are scheduled, or asked to cancel.

use serde_json::json;

use super::Done;
use crate::decision::ScheduleActivityTask;
use crate::execution::Activity;
use crate::registry::{ActivityDefaults, TaskList, TypeState};
use crate::step::Step;
use crate::text::{priority_of, span};

/// What an activity task is scheduled with.
struct Resolved {
    list: TaskList,
    priority: Option<String>,
    schedule_to_start: String,
    schedule_to_close: String,
    start_to_close: String,
    heartbeat: String,
}

impl ScheduleActivityTask {
    fn resolve(&self, defaults: &ActivityDefaults) -> Result<Resolved, &'static str> {
        fn or<T: Clone>(
            given: &Option<T>,
            default: &Option<T>,
            cause: &'static str,
        ) -> Result<T, &'static str> {
            given.as_ref().or(default.as_ref()).cloned().ok_or(cause)
        }
        Ok(Resolved {
            list: or(&self.task_list, &defaults.default_task_list, "DEFAULT_TASK_LIST_UNDEFINED")?,
            schedule_to_start: or(
                &self.schedule_to_start_timeout,
                &defaults.default_task_schedule_to_start_timeout,
                "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED",
            )?,
            schedule_to_close: or(
                &self.schedule_to_close_timeout,
                &defaults.default_task_schedule_to_close_timeout,
                "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED",
            )?,
            start_to_close: or(
                &self.start_to_close_timeout,
                &defaults.default_task_start_to_close_timeout,
                "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED",
            )?,
            heartbeat: or(
                &self.heartbeat_timeout,
                &defaults.default_task_heartbeat_timeout,
                "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED",
            )?,
            priority: self.task_priority.clone().or(defaults.default_task_priority.clone()),
        })
    }
}

impl Step<'_> {
    pub(super) fn schedule_activity(&mut self, one: ScheduleActivityTask, task: u64) -> Done {
        match self.resolve_activity(&one) {
            Ok(resolved) => {
                self.add_activity(one, resolved, task);
                Done::Silently
            }
            Err(cause) => {
                let attributes = json!({
                    "activityType": one.activity_type,
                    "activityId": one.activity_id,
                    "cause": cause,
                    "decisionTaskCompletedEventId": task,
                });
                self.record("ScheduleActivityTaskFailed", attributes);
                Done::DeciderHasToKnow
            }
        }
    }

    fn resolve_activity(&self, one: &ScheduleActivityTask) -> Result<Resolved, &'static str> {
        let defaults = match self.types.activity(&one.activity_type) {
            TypeState::Unknown => return Err("ACTIVITY_TYPE_DOES_NOT_EXIST"),
            TypeState::Deprecated => return Err("ACTIVITY_TYPE_DEPRECATED"),
            TypeState::Registered(defaults) => defaults,
        };
        let open = &self.execution.activities;
        if open.values().any(|other| other.id == one.activity_id) {
            return Err("ACTIVITY_ID_ALREADY_IN_USE");
        }
        if open.len() >= self.limits.open_activities {
            return Err("OPEN_ACTIVITIES_LIMIT_EXCEEDED");
        }
        one.resolve(defaults)
    }

    fn add_activity(&mut self, one: ScheduleActivityTask, resolved: Resolved, task: u64) {
        let attributes = json!({
            "activityType": one.activity_type,
            "activityId": one.activity_id,
            "input": one.input,
            "control": one.control,
            "scheduleToStartTimeout": resolved.schedule_to_start,
            "scheduleToCloseTimeout": resolved.schedule_to_close,
            "startToCloseTimeout": resolved.start_to_close,
            "taskList": resolved.list,
            "taskPriority": resolved.priority,
            "decisionTaskCompletedEventId": task,
            "heartbeatTimeout": resolved.heartbeat,
        });
        let event = self.record("ActivityTaskScheduled", attributes);
        let now = self.now;
        let until = |duration: &str| span(duration).map(|span| now.saturating_add(span));
        let activity = Activity {
            id: one.activity_id,
            activity_type: one.activity_type,
            list: resolved.list.name,
            priority: priority_of(resolved.priority.as_deref()),
            at: now,
            input: one.input,
            started: 0,
            cancel_requested: 0,
            details: None,
            schedule_to_start: until(&resolved.schedule_to_start),
            schedule_to_close: until(&resolved.schedule_to_close),
            start_to_close: span(&resolved.start_to_close),
            // Of none or zero seconds, heartbeats are not asked for.
            heartbeat: span(&resolved.heartbeat).filter(|span| *span > 0),
            heartbeat_due: None,
        };
        self.execution.activities.insert(event, activity);
        self.execution.latest_activity = Some(now);
    }

    pub(super) fn request_cancel_activity(&mut self, id: &str, task: u64) -> Done {
        let found = self.execution.activities.iter().find(|(_, one)| one.id == id);
        let Some(scheduled) = found.map(|(scheduled, _)| *scheduled) else {
            let attributes = json!({
                "activityId": id,
                "cause": "ACTIVITY_ID_UNKNOWN",
                "decisionTaskCompletedEventId": task,
            });
            self.record("RequestCancelActivityTaskFailed", attributes);
            return Done::DeciderHasToKnow;
        };
        let attributes = json!({"decisionTaskCompletedEventId": task, "activityId": id});
        let requested = self.record("ActivityTaskCancelRequested", attributes);
        let activities = &mut self.execution.activities;
        let Some(one) = activities.get_mut(&scheduled) else { return Done::Silently };
        one.cancel_requested = requested;
        if one.started != 0 {
            // Its worker learns of it with the next heartbeat.
            return Done::Silently;
        }
        let one = one.clone();
        activities.remove(&scheduled);
        self.record_canceled(scheduled, &one, None);
        Done::DeciderHasToKnow
    }
}
