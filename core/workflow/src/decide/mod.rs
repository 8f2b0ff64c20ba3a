//! What decisions do, in their order.

mod activity;
mod child;
mod closing;
mod lambda;
mod others;

use crate::decision::Decision;
use crate::step::Step;
use crate::tasks::Completed;

impl Step<'_> {
    /// Carries out the decisions of a decision task that was completed.
    pub fn decide(&mut self, decisions: Vec<Decision>, completed: Completed, next_run: String) {
        // Another task follows when the decider could not know of something, or when it has to
        // learn that one of its decisions failed.
        let mut again = completed.unhandled;
        let task = completed.event;
        for decision in decisions {
            if self.is_full() {
                break;
            }
            let done = match decision {
                Decision::ScheduleActivityTask(one) => self.schedule_activity(*one, task),
                Decision::RequestCancelActivityTask(one) => {
                    self.request_cancel_activity(&one.activity_id, task)
                }
                Decision::RecordMarker(one) => self.record_marker(one, task),
                Decision::StartTimer(one) => self.start_timer(one, task),
                Decision::CancelTimer(one) => self.cancel_timer(&one.timer_id, task),
                Decision::SignalExternalWorkflowExecution(one) => self.signal_external(one, task),
                Decision::RequestCancelExternalWorkflowExecution(one) => {
                    self.request_cancel_external(one, task)
                }
                Decision::StartChildWorkflowExecution(one) => self.start_child(&one, task),
                Decision::ScheduleLambdaFunction(one) => self.schedule_lambda(one, task),
                closing => self.decide_end(closing, completed, &next_run),
            };
            again |= done == Done::DeciderHasToKnow;
        }
        if again && self.execution.is_open() {
            self.schedule_decision();
        }
    }
}

/// What a decision leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// It was carried out.
    Silently,
    /// Something followed from it, such as its failure, that the decider has to learn of.
    DeciderHasToKnow,
}
