//! One step of an execution: events are recorded, decision tasks scheduled, the execution closed.

use serde_json::{Value, json};

use crate::Millis;
use crate::effect::{ChildEnd, Effect, Outcome};
use crate::event::Event;
use crate::execution::{Child, CloseStatus, Closed, DecisionTask, Execution, ExecutionId};
use crate::limits::Limits;
use crate::registry::{ChildPolicy, Types};
use crate::text::after;

/// What a step takes from outside.
pub struct Context<'a> {
    /// The time.
    pub now: Millis,
    /// The types of the domain.
    pub types: &'a dyn Types,
    /// The bounds.
    pub limits: &'a Limits,
}

pub(crate) struct Step<'a> {
    pub execution: &'a mut Execution,
    pub now: Millis,
    pub types: &'a dyn Types,
    pub limits: &'a Limits,
    outcome: Outcome,
}

impl<'a> Step<'a> {
    pub fn new(execution: &'a mut Execution, context: &Context<'a>) -> Self {
        let Context { now, types, limits } = *context;
        Self { execution, now, types, limits, outcome: Outcome::default() }
    }

    /// Ends the step. An execution whose history has grown too long is terminated.
    pub fn finish(mut self) -> Outcome {
        if self.execution.is_open() && self.is_full() {
            self.terminate(None, None, None, "EVENT_LIMIT_EXCEEDED");
        }
        self.execution.stepped = self.now;
        self.outcome
    }

    /// Whether the history has as many events as it may.
    pub fn is_full(&self) -> bool {
        self.execution.events >= self.limits.events
    }

    /// Adds an event to the history; its id.
    pub fn record(&mut self, kind: &'static str, attributes: Value) -> u64 {
        self.execution.events += 1;
        let (id, at) = (self.execution.events, self.now);
        self.outcome.events.push(Event {
            id,
            kind,
            at,
            attributes: Event::attributes_of(attributes),
        });
        id
    }

    pub fn effect(&mut self, effect: Effect) {
        self.outcome.effects.push(effect);
    }

    pub fn id(&self) -> ExecutionId {
        self.execution.id.clone()
    }

    /// Something happened that a decider has to know of: a decision task is scheduled, unless one
    /// waits already; behind one that a decider has, another will be.
    pub fn schedule_decision(&mut self) {
        match &mut self.execution.decision {
            DecisionTask::Scheduled { .. } => return,
            DecisionTask::Started { unhandled, .. } => {
                *unhandled = true;
                return;
            }
            DecisionTask::Idle => {}
        }
        let configuration = &self.execution.configuration;
        let (list, waits) = match &self.execution.sticky {
            Some(sticky) => (sticky.list.clone(), Some(sticky.timeout.clone())),
            None => (configuration.task_list.clone(), None),
        };
        let attributes = json!({
            "taskList": list,
            "taskPriority": configuration.task_priority,
            "startToCloseTimeout": configuration.task_start_to_close_timeout,
            "scheduleToStartTimeout": waits,
        });
        let event = self.record("DecisionTaskScheduled", attributes);
        let due = waits.and_then(|waits| after(self.now, &waits));
        let at = self.now;
        self.execution.decision = DecisionTask::Scheduled { event, at, list: list.name, due };
    }

    /// Ends the execution. What is open goes; the parent is told.
    pub fn close(&mut self, status: CloseStatus, end: Option<ChildEnd>) {
        let execution = &mut *self.execution;
        execution.closed = Some(Closed { at: self.now, status });
        execution.decision = DecisionTask::Idle;
        execution.sticky = None;
        execution.activities.clear();
        execution.timers.clear();
        execution.children.clear();
        execution.lambdas.clear();
        if let (Some(parent), Some(end)) = (execution.parent.clone(), end) {
            self.effect(Effect::TellParent { parent, end });
        }
    }

    pub fn terminate(
        &mut self,
        reason: Option<String>,
        details: Option<String>,
        policy: Option<ChildPolicy>,
        cause: &'static str,
    ) {
        let policy = policy.unwrap_or(self.execution.configuration.child_policy);
        let attributes =
            json!({"reason": reason, "details": details, "childPolicy": policy, "cause": cause});
        self.record("WorkflowExecutionTerminated", attributes);
        self.apply_child_policy(policy);
        self.close(CloseStatus::Terminated, Some(ChildEnd::Terminated));
    }

    /// Before the execution is closed: its children are treated as the policy says.
    pub fn apply_child_policy(&mut self, policy: ChildPolicy) {
        let of = |(initiated, child): (&u64, &Child)| (child.workflow_id.clone(), *initiated);
        let children: Vec<_> = self.execution.children.iter().map(of).collect();
        if !children.is_empty() && policy != ChildPolicy::Abandon {
            self.effect(Effect::ApplyChildPolicy { policy, children });
        }
    }
}
