//! Markers, timers, and what is asked of other executions.

use serde_json::json;

use super::Done;
use crate::decision::{RecordMarker, RequestCancelExternal, SignalExternal, StartTimer};
use crate::effect::{Effect, External};
use crate::execution::Timer;
use crate::step::Step;
use crate::text::span;

impl Step<'_> {
    pub(super) fn record_marker(&mut self, one: RecordMarker, task: u64) -> Done {
        let attributes = json!({
            "markerName": one.marker_name,
            "details": one.details,
            "decisionTaskCompletedEventId": task,
        });
        self.record("MarkerRecorded", attributes);
        Done::Silently
    }

    pub(super) fn start_timer(&mut self, one: StartTimer, task: u64) -> Done {
        let timers = &self.execution.timers;
        let cause = if timers.contains_key(&one.timer_id) {
            Some("TIMER_ID_ALREADY_IN_USE")
        } else if timers.len() >= self.limits.open_timers {
            Some("OPEN_TIMERS_LIMIT_EXCEEDED")
        } else {
            None
        };
        if let Some(cause) = cause {
            let attributes = json!({
                "timerId": one.timer_id,
                "cause": cause,
                "decisionTaskCompletedEventId": task,
            });
            self.record("StartTimerFailed", attributes);
            return Done::DeciderHasToKnow;
        }
        let attributes = json!({
            "timerId": one.timer_id,
            "control": one.control,
            "startToFireTimeout": one.start_to_fire_timeout,
            "decisionTaskCompletedEventId": task,
        });
        let started = self.record("TimerStarted", attributes);
        let at = self.now.saturating_add(span(&one.start_to_fire_timeout).unwrap_or(0));
        self.execution.timers.insert(one.timer_id, Timer { started, at });
        Done::Silently
    }

    pub(super) fn cancel_timer(&mut self, id: &str, task: u64) -> Done {
        match self.execution.timers.remove(id) {
            Some(timer) => {
                let attributes = json!({
                    "timerId": id,
                    "startedEventId": timer.started,
                    "decisionTaskCompletedEventId": task,
                });
                self.record("TimerCanceled", attributes);
                Done::Silently
            }
            None => {
                let attributes = json!({
                    "timerId": id,
                    "cause": "TIMER_ID_UNKNOWN",
                    "decisionTaskCompletedEventId": task,
                });
                self.record("CancelTimerFailed", attributes);
                Done::DeciderHasToKnow
            }
        }
    }

    pub(super) fn signal_external(&mut self, one: SignalExternal, task: u64) -> Done {
        let run_id = one.run_id.filter(|run| !run.is_empty());
        let attributes = json!({
            "workflowId": one.workflow_id,
            "runId": run_id,
            "signalName": one.signal_name,
            "input": one.input,
            "decisionTaskCompletedEventId": task,
            "control": one.control,
        });
        let initiated = self.record("SignalExternalWorkflowExecutionInitiated", attributes);
        let (workflow_id, control) = (one.workflow_id, one.control);
        let external = External { initiated, decision: task, workflow_id, run_id, control };
        self.effect(Effect::Signal { external, name: one.signal_name, input: one.input });
        Done::Silently
    }

    pub(super) fn request_cancel_external(
        &mut self,
        one: RequestCancelExternal,
        task: u64,
    ) -> Done {
        let run_id = one.run_id.filter(|run| !run.is_empty());
        let attributes = json!({
            "workflowId": one.workflow_id,
            "runId": run_id,
            "decisionTaskCompletedEventId": task,
            "control": one.control,
        });
        let initiated = self.record("RequestCancelExternalWorkflowExecutionInitiated", attributes);
        let (workflow_id, control) = (one.workflow_id, one.control);
        let external = External { initiated, decision: task, workflow_id, run_id, control };
        self.effect(Effect::RequestCancel { external });
        Done::Silently
    }
}
