//! Failures: retriers, catchers, and the end of branches around the one that failed.

use std::sync::Arc;

use super::step::Step;
use super::{BranchId, Phase, Status};
use crate::effect::{Effect, Outcome};
use crate::history::{Details, StateType};
use crate::problem::{Origin, Problem};
use crate::program::{Kind, Retrier, State};
use crate::value::Value;

impl Step<'_> {
    /// The state of a branch failed.
    pub fn fail(&mut self, id: BranchId, problem: Problem) {
        let Some(state) = self.state(id) else { return };
        let entered = self.execution.branches.get(id).map_or(0, |branch| branch.entered);
        let origin = problem.origin.clone();
        self.note_failure(&problem);
        let problem = problem.within(&state.name, entered);
        self.evaluation_failed(id, state, &origin, &problem);
        if self.retry(id, state, &problem) {
            return;
        }
        if origin != Origin::Runtime {
            match state.kind.state_type() {
                StateType::Map => self.branch_event(id, Details::MapStateFailed),
                StateType::Parallel => self.branch_event(id, Details::ParallelStateFailed),
                _ => {}
            }
        }
        let caught = state.catch.iter().position(|catcher| problem.is_named(&catcher.errors));
        // Branches that ended well keep their results for a redrive.
        let Some(catcher) = caught else { return self.fail_branch(id, problem) };
        self.drop_children(id);
        if let Some(probe) = &mut self.probe {
            probe.caught = true;
            let index = Value::from(catcher as i64);
            probe.error_details.insert("catchIndex".into(), index);
        }
        let text = |text: &Option<Arc<str>>| match text {
            Some(text) => Value::String(Arc::clone(text)),
            None => Value::Null,
        };
        let failure = &problem.failure;
        let output =
            Value::object([("Error", text(&failure.error)), ("Cause", text(&failure.cause))]);
        if let Err(problem) = self.exit_caught(id, state, catcher, &output) {
            let origin = problem.origin.clone();
            let problem = problem.within(&state.name, entered);
            self.evaluation_failed(id, state, &origin, &problem);
            self.fail_branch(id, problem);
        }
    }

    fn evaluation_failed(
        &mut self,
        id: BranchId,
        state: &State,
        origin: &Origin,
        problem: &Problem,
    ) {
        let Some(branch) = self.execution.branches.get(id) else { return };
        let (previous, location) = match origin {
            // An expression fails before the state counts as entered.
            Origin::Evaluation(location) => (branch.entered_previous, location.clone()),
            Origin::Value(location) => (branch.previous, Some(Arc::clone(location))),
            Origin::Outside | Origin::Heartbeat | Origin::Runtime => return,
        };
        let failure = problem.failure.clone();
        let state = Arc::clone(&state.name);
        let event = self.event(previous, Details::EvaluationFailed { failure, location, state });
        if let Some(branch) = self.execution.branches.get_mut(id) {
            branch.previous = event;
        }
    }

    /// Arms the next attempt, if a retrier has one left.
    fn retry(&mut self, id: BranchId, state: &State, problem: &Problem) -> bool {
        let found = state.retry.iter().position(|retrier| problem.is_named(&retrier.errors));
        let Some(at) = found else { return false };
        let retrier = &state.retry[at];
        let Some(branch) = self.execution.branches.get_mut(id) else { return false };
        let before = self.probe.as_ref().map_or(0, |probe| probe.retries);
        branch.retries.resize(state.retry.len(), before);
        let made = branch.retries[at];
        if made >= retrier.max_attempts {
            return false;
        }
        branch.retries[at] += 1;
        branch.retry_count += 1;
        self.drop_children(id);
        let seconds = self.retry_delay(retrier, made);
        if let Some(probe) = &mut self.probe {
            probe.retries_again = true;
            let details = &mut probe.error_details;
            let wait = Value::from(seconds as i64);
            details.insert("retryBackoffIntervalSeconds".into(), wait);
            details.insert("retryIndex".into(), Value::from(at as i64));
        }
        let timer = self.arm((seconds * 1_000.0) as u64);
        self.phase(id, Phase::Retrying { timer });
        true
    }

    fn retry_delay(&mut self, retrier: &Retrier, made: u32) -> f64 {
        let exponent = i32::try_from(made).unwrap_or(i32::MAX);
        let seconds = retrier.interval_seconds * retrier.backoff_rate.powi(exponent);
        let most = retrier.max_delay_seconds.unwrap_or(31_622_400.0);
        let seconds = seconds.min(most);
        if retrier.full_jitter { seconds * self.entropy.unit() } else { seconds }
    }

    /// A branch failed for good.
    fn fail_branch(&mut self, id: BranchId, problem: Problem) {
        let Some(branch) = self.execution.branches.get(id) else { return };
        let (parent, last) = (branch.parent, branch.previous);
        match parent {
            None => self.fail_execution(id, problem),
            Some(parent) => {
                self.phase_failed(id);
                self.abort_children(parent, id, last);
                if let Some(parent) = self.execution.branches.get_mut(parent) {
                    parent.previous = last;
                }
                let Problem { failure, origin } = problem;
                let origin = match origin {
                    Origin::Heartbeat => Origin::Heartbeat,
                    _ => Origin::Outside,
                };
                self.fail(parent, Problem { failure, origin });
            }
        }
    }

    /// The execution fails with a problem of a branch.
    pub fn fail_execution(&mut self, id: BranchId, problem: Problem) {
        let previous = self.execution.branches.get(id).map_or(0, |branch| branch.previous);
        self.phase_failed(id);
        self.abort_all(previous, false);
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        let (error, cause) = (text(problem.failure.error), text(problem.failure.cause));
        self.finish(Status::Failed, previous, Outcome::Failed { error, cause });
    }

    /// The execution took too long.
    pub fn time_out(&mut self) {
        let previous = self.abort_all(0, true);
        self.finish(Status::TimedOut, previous, Outcome::TimedOut);
    }

    /// The execution is stopped.
    pub fn stop(&mut self, error: Option<String>, cause: Option<String>) {
        let previous = self.abort_all(0, true);
        self.finish(Status::Aborted, previous, Outcome::Aborted { error, cause });
    }

    /// Ends what all branches are at. Returns the last event of the machine's own branch.
    fn abort_all(&mut self, previous: u64, events: bool) -> u64 {
        let ids: Vec<BranchId> = self.execution.branches.iter().map(|(id, _)| id).collect();
        let mut last = previous;
        for id in ids {
            let aborted = self.stop_work(id);
            if events && let Some(kind) = aborted {
                self.branch_event(id, Details::StateAborted { kind });
            }
            if let Some(branch) = self.execution.branches.get(id)
                && branch.parent.is_none()
            {
                last = branch.previous;
            }
        }
        last
    }

    /// Ends the task and the timers of a branch. Returns the type of the state, if it was at work.
    pub fn stop_work(&mut self, id: BranchId) -> Option<StateType> {
        let kind = self.state(id)?.kind.state_type();
        let branch = self.execution.branches.get_mut(id)?;
        match &branch.phase {
            // Its branches may go on after a redrive.
            Phase::Children(_) => return Some(kind),
            Phase::Failed | Phase::Enter | Phase::MapRunEnded(_) => return None,
            _ => {}
        }
        let phase = std::mem::replace(&mut branch.phase, Phase::Failed);
        match phase {
            Phase::Waiting { timer } | Phase::Retrying { timer } | Phase::Paused { timer } => {
                self.cancel(Some(timer));
            }
            Phase::Task(task) => {
                self.cancel(task.time_out);
                self.cancel(task.heartbeat);
                self.effects.push(Effect::CancelTask { task: task.task });
            }
            Phase::MapRun { task, run } => {
                branch.phase = Phase::MapRunEnded(run);
                self.effects.push(Effect::CancelMapRun { task });
            }
            Phase::Enter
            | Phase::Work
            | Phase::Children(_)
            | Phase::MapRunEnded(_)
            | Phase::Failed => {}
        }
        Some(kind)
    }

    /// The execution goes on at the states that failed or were aborted.
    pub fn redrive(&mut self) {
        let last = self.execution.next_event - 1;
        self.execution.status = Status::Running;
        self.execution.redrives += 1;
        self.execution.redriven_ms = self.now_ms;
        let redrive_count = self.execution.redrives;
        let event = self.event(last, Details::ExecutionRedriven { redrive_count });
        self.arm_time_out();
        let ids: Vec<BranchId> = self.execution.branches.iter().map(|(id, _)| id).collect();
        for id in ids {
            let fails = self.state(id).is_some_and(|state| matches!(state.kind, Kind::Fail { .. }));
            let Some(branch) = self.execution.branches.get_mut(id) else { continue };
            match branch.phase {
                // A Fail state is entered again, and fails again.
                Phase::Failed if fails => branch.phase = Phase::Enter,
                Phase::Failed => branch.phase = Phase::Work,
                // Its map run goes on, with the children that did not end well.
                Phase::Enter | Phase::MapRunEnded(_) => {}
                _ => continue,
            }
            branch.previous = event;
            branch.retries.clear();
            branch.retry_count = 0;
            self.ready.push_back(id);
        }
    }

    fn phase_failed(&mut self, id: BranchId) {
        let keeps = self.execution.branches.get(id).is_none_or(|branch| {
            matches!(branch.phase, Phase::Children(_) | Phase::MapRunEnded(_))
        });
        if !keeps {
            self.phase(id, Phase::Failed);
        }
    }
}
