//! Timers that fire and times that are over, in the order in which they were due.

use serde_json::json;

use crate::Millis;
use crate::effect::ChildEnd;
use crate::execution::{CloseStatus, DecisionTask};
use crate::step::Step;

/// What is due, at one time.
enum Due {
    Execution,
    Decision,
    Timer(String),
    Activity(u64, &'static str),
    Lambda(u64),
}

impl Step<'_> {
    /// Carries out everything that is due by now.
    pub fn due(&mut self) {
        while self.execution.is_open() {
            let Some(due) = self.next_due() else { break };
            match due {
                Due::Execution => self.time_out(),
                Due::Decision => self.decision_times_out(),
                Due::Timer(id) => self.fire_timer(&id),
                Due::Activity(task, kind) => self.activity_times_out(task, kind),
                Due::Lambda(task) => self.lambda_times_out(task),
            }
        }
    }

    /// What was due first, if it is due by now.
    fn next_due(&self) -> Option<Due> {
        let execution = &*self.execution;
        let mut first: Option<(Millis, Due)> = None;
        let mut see = |at: Option<Millis>, due: &dyn Fn() -> Due| {
            if let Some(at) = at.filter(|at| *at <= self.now)
                && first.as_ref().is_none_or(|(earliest, _)| at < *earliest)
            {
                first = Some((at, due()));
            }
        };
        see(execution.times_out(), &|| Due::Execution);
        if let DecisionTask::Scheduled { due, .. } | DecisionTask::Started { due, .. } =
            &execution.decision
        {
            see(*due, &|| Due::Decision);
        }
        // Timers of one moment fire in the order in which they were started.
        let mut timers: Vec<_> = execution.timers.iter().collect();
        timers.sort_by_key(|(_, timer)| timer.started);
        for (id, timer) in timers {
            see(Some(timer.at), &|| Due::Timer(id.clone()));
        }
        for (task, one) in &execution.activities {
            if let Some((at, kind)) = one.next_timeout() {
                see(Some(at), &|| Due::Activity(*task, kind));
            }
        }
        for (task, one) in &execution.lambdas {
            see(one.due(), &|| Due::Lambda(*task));
        }
        first.map(|(_, due)| due)
    }

    fn time_out(&mut self) {
        let policy = self.execution.configuration.child_policy;
        let attributes = json!({"timeoutType": "START_TO_CLOSE", "childPolicy": policy});
        self.record("WorkflowExecutionTimedOut", attributes);
        self.apply_child_policy(policy);
        self.close(CloseStatus::TimedOut, Some(ChildEnd::TimedOut));
    }

    fn decision_times_out(&mut self) {
        let (scheduled, started, kind) = match self.execution.decision {
            DecisionTask::Idle => return,
            DecisionTask::Scheduled { event, .. } => (event, 0, "SCHEDULE_TO_START"),
            DecisionTask::Started { scheduled, event, .. } => (scheduled, event, "START_TO_CLOSE"),
        };
        let attributes = json!({
            "timeoutType": kind, "scheduledEventId": scheduled, "startedEventId": started,
        });
        self.record("DecisionTaskTimedOut", attributes);
        // The decider that asked for tasks of its own is gone: all may take the next one.
        self.execution.sticky = None;
        self.execution.decision = DecisionTask::Idle;
        self.schedule_decision();
    }

    fn fire_timer(&mut self, id: &str) {
        let Some(timer) = self.execution.timers.remove(id) else { return };
        self.record("TimerFired", json!({"timerId": id, "startedEventId": timer.started}));
        self.schedule_decision();
    }

    fn activity_times_out(&mut self, task: u64, kind: &'static str) {
        let Some(one) = self.execution.activities.remove(&task) else { return };
        let attributes = json!({
            "timeoutType": kind,
            "scheduledEventId": task,
            "startedEventId": one.started,
            "details": one.details,
        });
        self.record("ActivityTaskTimedOut", attributes);
        self.schedule_decision();
    }

    fn lambda_times_out(&mut self, task: u64) {
        let Some(one) = self.execution.lambdas.remove(&task) else { return };
        let attributes = json!({
            "scheduledEventId": task,
            "startedEventId": one.started,
            "timeoutType": "START_TO_CLOSE",
        });
        self.record("LambdaFunctionTimedOut", attributes);
        self.schedule_decision();
    }
}
