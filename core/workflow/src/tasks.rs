//! What deciders and workers report of their tasks.

use serde_json::json;

use crate::execution::{Activity, DecisionTask, Sticky};
use crate::fault::Fault;
use crate::registry::TaskList;
use crate::step::Step;
use crate::text::after;

/// What a decision task that was completed leaves to its decisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Completed {
    /// The event `DecisionTaskCompleted`.
    pub event: u64,
    /// Whether something happened that the decider did not know of.
    pub unhandled: bool,
}

impl Step<'_> {
    pub fn start_decision(&mut self, identity: Option<String>) -> Result<(), Fault> {
        let DecisionTask::Scheduled { event: scheduled, .. } = self.execution.decision else {
            return Err(Fault::unknown("decision task"));
        };
        let attributes = json!({"identity": identity, "scheduledEventId": scheduled});
        let event = self.record("DecisionTaskStarted", attributes);
        let timeout = &self.execution.configuration.task_start_to_close_timeout;
        let due = after(self.now, timeout);
        self.execution.decision = DecisionTask::Started { scheduled, event, due, unhandled: false };
        Ok(())
    }

    pub fn complete_decision(
        &mut self,
        task: u64,
        context: Option<String>,
        list: Option<(TaskList, Option<String>)>,
    ) -> Result<Completed, Fault> {
        let DecisionTask::Started { scheduled, event: started, unhandled, .. } =
            self.execution.decision
        else {
            return Err(unknown_decision_task(task));
        };
        if scheduled != task {
            return Err(unknown_decision_task(task));
        }
        let (name, timeout) = list.clone().unzip();
        let attributes = json!({
            "executionContext": context,
            "scheduledEventId": scheduled,
            "startedEventId": started,
            "taskList": name,
            "taskListScheduleToStartTimeout": timeout.flatten(),
        });
        let event = self.record("DecisionTaskCompleted", attributes);
        let execution = &mut *self.execution;
        execution.previous_started = started;
        execution.decision = DecisionTask::Idle;
        if context.is_some() {
            execution.context = context;
        }
        match list {
            // For as long as the decider answers.
            Some((list, Some(timeout))) => execution.sticky = Some(Sticky { list, timeout }),
            // For good.
            Some((list, None)) => {
                execution.sticky = None;
                execution.configuration.task_list = list;
            }
            None => {}
        }
        Ok(Completed { event, unhandled })
    }

    pub fn start_activity(&mut self, task: u64, identity: Option<String>) -> Result<(), Fault> {
        let waits = |one: &&Activity| one.started == 0;
        if self.execution.activities.get(&task).filter(waits).is_none() {
            return Err(unknown_activity(task));
        }
        let attributes = json!({"identity": identity, "scheduledEventId": task});
        let event = self.record("ActivityTaskStarted", attributes);
        let now = self.now;
        if let Some(one) = self.execution.activities.get_mut(&task) {
            one.started = event;
            one.input = None;
            one.start_to_close = one.start_to_close.map(|span| now.saturating_add(span));
            one.heartbeat_due = one.heartbeat.map(|span| now.saturating_add(span));
        }
        Ok(())
    }

    /// Takes an activity task that a worker has out of the open ones.
    fn end_activity(&mut self, task: u64) -> Result<Activity, Fault> {
        match self.execution.activities.get(&task) {
            Some(one) if one.started != 0 => {}
            _ => return Err(unknown_activity(task)),
        }
        self.execution.activities.remove(&task).ok_or_else(|| unknown_activity(task))
    }

    pub fn complete_activity(&mut self, task: u64, result: Option<String>) -> Result<(), Fault> {
        let one = self.end_activity(task)?;
        let attributes = json!({
            "result": result, "scheduledEventId": task, "startedEventId": one.started,
        });
        self.record("ActivityTaskCompleted", attributes);
        self.schedule_decision();
        Ok(())
    }

    pub fn fail_activity(
        &mut self,
        task: u64,
        reason: Option<String>,
        details: Option<String>,
    ) -> Result<(), Fault> {
        let one = self.end_activity(task)?;
        let attributes = json!({
            "reason": reason,
            "details": details,
            "scheduledEventId": task,
            "startedEventId": one.started,
        });
        self.record("ActivityTaskFailed", attributes);
        self.schedule_decision();
        Ok(())
    }

    pub fn cancel_activity(&mut self, task: u64, details: Option<String>) -> Result<(), Fault> {
        let one = self.end_activity(task)?;
        self.record_canceled(task, &one, details);
        self.schedule_decision();
        Ok(())
    }

    pub(crate) fn record_canceled(&mut self, task: u64, one: &Activity, details: Option<String>) {
        let requested = (one.cancel_requested != 0).then_some(one.cancel_requested);
        let attributes = json!({
            "details": details,
            "scheduledEventId": task,
            "startedEventId": one.started,
            "latestCancelRequestedEventId": requested,
        });
        self.record("ActivityTaskCanceled", attributes);
    }

    pub fn heartbeat(&mut self, task: u64, details: Option<String>) -> Result<(), Fault> {
        let now = self.now;
        match self.execution.activities.get_mut(&task) {
            Some(one) if one.started != 0 => {
                one.heartbeat_due = one.heartbeat.map(|span| now.saturating_add(span));
                one.details = details.or_else(|| one.details.take());
                Ok(())
            }
            _ => Err(unknown_activity(task)),
        }
    }
}

#[cold]
pub(crate) fn unknown_activity(task: u64) -> Fault {
    Fault::unknown(format!("activity, scheduledEventId = {task}"))
}

#[cold]
fn unknown_decision_task(task: u64) -> Fault {
    Fault::unknown(format!("decision task, scheduledEventId = {task}"))
}
