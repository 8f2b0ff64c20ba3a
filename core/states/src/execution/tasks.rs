//! Task states: scheduling, answers, heartbeats and time-outs.

use std::sync::Arc;

use super::branch::TaskPhase;
use super::step::{See, Step};
use super::{BranchId, Phase};
use crate::effect::{Effect, TaskRequest};
use crate::evaluate::unexpected;
use crate::history::{Details, Failure, ServiceCall};
use crate::payload::Payload;
use crate::problem::{Origin, Problem};
use crate::program::{Dynamic, Kind, Language, State, Task};
use crate::resource::Resource;
use crate::stimulus::{FailedAt, TaskId, TimerId};
use crate::value::Value;

impl Step<'_> {
    pub fn start_task(&mut self, id: BranchId, state: &State, spec: &Task) -> Result<(), Problem> {
        let input = self.input(id);
        let effective = self.effective_input(id, state, &input)?;
        let task = self.next_task();
        let token = spec.needs_token.then(|| self.entropy.task_token(task));
        let see = See { token: token.as_deref(), ..See::input(&effective) };
        let parameters = match &state.flow.parameters {
            Some(template) => {
                let made = self.evaluate(id, see, |env| env.template(template))?;
                self.note_parameters(state, &made);
                made
            }
            // Without arguments a JSONata state passes its input to a function, not to a service.
            None => {
                if state.language == Language::JsonPath {
                    self.note_parameters(state, &effective);
                }
                effective.clone()
            }
        };
        let seconds = |step: &mut Self, field: &str, dynamic: &Option<Dynamic>| {
            let Some(dynamic) = dynamic else { return Ok(None) };
            let value = step.evaluate(id, see, |env| env.dynamic(field, dynamic))?;
            task_seconds(field, dynamic, &value).map(Some)
        };
        let timeout_seconds = seconds(self, "TimeoutSeconds", &spec.timeout)?;
        let heartbeat_seconds = seconds(self, "HeartbeatSeconds", &spec.heartbeat)?;
        let credentials = match &spec.credentials {
            Some(template) => Some(self.evaluate(id, see, |env| env.template(template))?),
            None => None,
        };
        let parameters = self.payload(state, parameters)?;
        let scheduled = self.scheduled(
            &spec.resource,
            &parameters,
            timeout_seconds,
            heartbeat_seconds,
            credentials.as_ref(),
        );
        self.branch_event(id, scheduled);
        let attempt = self.execution.branches.get(id).map_or(0, |branch| branch.retry_count);
        self.effects.push(Effect::StartTask(Box::new(TaskRequest {
            task,
            state: Arc::clone(&state.name),
            resource: spec.resource.clone(),
            input: parameters,
            token,
            credentials,
            timeout_seconds,
            heartbeat_seconds,
            attempt,
        })));
        let time_out = timeout_seconds.map(|seconds| self.arm(seconds.saturating_mul(1_000)));
        let heartbeat = heartbeat_seconds.map(|seconds| self.arm(seconds.saturating_mul(1_000)));
        let heartbeat_seconds = heartbeat_seconds.unwrap_or(0);
        let phase = TaskPhase { task, started: false, time_out, heartbeat, heartbeat_seconds };
        self.phase(id, Phase::Task(phase));
        Ok(())
    }

    fn scheduled(
        &self,
        resource: &Resource,
        parameters: &Payload,
        timeout: Option<u64>,
        heartbeat: Option<u64>,
        credentials: Option<&Value>,
    ) -> Details {
        let credentials = credentials.cloned().map(Payload::from);
        match resource {
            Resource::Lambda { arn } => Details::LambdaFunctionScheduled {
                resource: Arc::clone(arn),
                input: parameters.clone(),
                timeout,
                credentials,
            },
            Resource::Activity { arn } => Details::ActivityScheduled {
                resource: Arc::clone(arn),
                input: parameters.clone(),
                timeout,
                heartbeat,
            },
            Resource::Service { .. } => Details::TaskScheduled {
                call: service_call(resource),
                region: Arc::clone(&self.execution.identity.region),
                parameters: parameters.clone(),
                timeout,
                heartbeat,
                credentials,
            },
        }
    }

    /// The branch whose task this is, with the resource.
    fn task_of(&self, task: TaskId) -> Option<(BranchId, Resource)> {
        let id = self
            .execution
            .branches
            .find(|phase| matches!(phase, Phase::Task(running) if running.task == task))?;
        match &self.state(id)?.kind {
            Kind::Task(spec) => Some((id, spec.resource.clone())),
            _ => None,
        }
    }

    pub fn task_started(&mut self, task: TaskId, worker: Option<String>) {
        let Some((id, resource)) = self.task_of(task) else { return };
        self.started(id, &resource, worker);
    }

    /// Writes that a task started, once.
    fn started(&mut self, id: BranchId, resource: &Resource, worker: Option<String>) {
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        let Phase::Task(phase) = &mut branch.phase else { return };
        if std::mem::replace(&mut phase.started, true) {
            return;
        }
        let details = match resource {
            Resource::Lambda { .. } => Details::LambdaFunctionStarted,
            Resource::Activity { .. } => Details::ActivityStarted { worker: worker.map(Arc::from) },
            Resource::Service { .. } => Details::TaskStarted(service_call(resource)),
        };
        self.branch_event(id, details);
        if matches!(resource, Resource::Activity { .. }) {
            self.restart_heartbeat(id);
        }
    }

    pub fn task_submitted(&mut self, task: TaskId, output: &Payload) {
        let Some((id, resource)) = self.task_of(task) else { return };
        self.started(id, &resource, None);
        if let Resource::Service { .. } = &resource {
            let call = service_call(&resource);
            self.branch_event(id, Details::TaskSubmitted { call, output: output.clone() });
        }
        self.restart_heartbeat(id);
    }

    pub fn task_heartbeat(&mut self, task: TaskId) {
        if let Some((id, _)) = self.task_of(task) {
            self.restart_heartbeat(id);
        }
    }

    fn restart_heartbeat(&mut self, id: BranchId) {
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        let Phase::Task(phase) = &mut branch.phase else { return };
        let (old, seconds) = (phase.heartbeat, phase.heartbeat_seconds);
        if old.is_none() {
            return;
        }
        self.cancel(old);
        let timer = self.arm(seconds.saturating_mul(1_000));
        if let Some(branch) = self.execution.branches.get_mut(id)
            && let Phase::Task(phase) = &mut branch.phase
        {
            phase.heartbeat = Some(timer);
        }
    }

    /// Takes the task off the branch.
    fn end_task(&mut self, id: BranchId) {
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        if let Phase::Task(phase) = std::mem::replace(&mut branch.phase, Phase::Work) {
            self.cancel(phase.time_out);
            self.cancel(phase.heartbeat);
        }
    }

    pub fn task_succeeded(&mut self, task: TaskId, output: &Payload) {
        let Some((id, resource)) = self.task_of(task) else { return };
        let Some(state) = self.state(id) else { return };
        self.started(id, &resource, None);
        self.end_task(id);
        let limits = &self.program.limits;
        if output.text().len() > limits.payload_bytes {
            let name = match &resource {
                Resource::Service { service, .. } => service,
                Resource::Lambda { arn } | Resource::Activity { arn } => arn,
            };
            let problem = Problem::too_large(name);
            let failure = problem.failure.clone();
            let details = failed(&resource, FailedAt::Run, failure);
            self.branch_event(id, details);
            return self.fail(id, problem);
        }
        let details = match &resource {
            Resource::Lambda { .. } => Details::LambdaFunctionSucceeded { output: output.clone() },
            Resource::Activity { .. } => Details::ActivitySucceeded { output: output.clone() },
            Resource::Service { .. } => {
                let call = service_call(&resource);
                Details::TaskSucceeded { call, output: output.clone() }
            }
        };
        self.branch_event(id, details);
        let result = output.value().clone();
        self.note("result", &result);
        self.work_done(id, state, result);
    }

    /// A Task, Parallel or Map state has its result.
    pub fn work_done(&mut self, id: BranchId, state: &State, result: Value) {
        let input = self.input(id);
        let done = match state.language {
            Language::Jsonata => self.exit_jsonata(id, state, &input, Some(result)),
            Language::JsonPath => self.exit_with_result(id, state, &input, result),
        };
        if let Err(problem) = done {
            self.fail(id, problem);
        }
    }

    pub fn task_failed(
        &mut self,
        task: TaskId,
        at: FailedAt,
        error: Option<String>,
        cause: Option<String>,
    ) {
        let Some((id, resource)) = self.task_of(task) else { return };
        if matches!(at, FailedAt::Run | FailedAt::Submit) {
            self.started(id, &resource, None);
        }
        self.end_task(id);
        let problem = Problem::outside(error.map(Arc::from), cause.map(Arc::from));
        let details = failed(&resource, at, problem.failure.clone());
        self.branch_event(id, details);
        self.fail(id, problem);
    }

    /// A timer of a task fired.
    pub fn task_timed_out(&mut self, id: BranchId, timer: TimerId) {
        let Some(state) = self.state(id) else { return };
        let Kind::Task(spec) = &state.kind else { return };
        let Some(branch) = self.execution.branches.get_mut(id) else { return };
        let Phase::Task(phase) = &mut branch.phase else { return };
        // It fired, so it needs no cancelling.
        let missed = phase.heartbeat == Some(timer);
        if missed {
            phase.heartbeat = None;
        } else {
            phase.time_out = None;
        }
        let task = phase.task;
        self.end_task(id);
        self.effects.push(Effect::CancelTask { task });
        let mut problem = Problem::outside(Some(Arc::from("States.Timeout")), None);
        if missed {
            problem.origin = Origin::Heartbeat;
        }
        let failure = problem.failure.clone();
        let details = match &spec.resource {
            Resource::Lambda { .. } => Details::LambdaFunctionTimedOut(failure),
            Resource::Activity { .. } => Details::ActivityTimedOut(failure),
            Resource::Service { .. } => {
                Details::TaskTimedOut { call: service_call(&spec.resource), failure }
            }
        };
        self.branch_event(id, details);
        self.fail(id, problem);
    }
}

fn service_call(resource: &Resource) -> ServiceCall {
    match resource {
        Resource::Service { service, call, .. } => {
            ServiceCall { resource: Arc::clone(call), resource_type: Arc::clone(service) }
        }
        Resource::Lambda { arn } | Resource::Activity { arn } => {
            ServiceCall { resource: Arc::clone(arn), resource_type: Arc::from("lambda") }
        }
    }
}

fn failed(resource: &Resource, at: FailedAt, failure: Failure) -> Details {
    match (resource, at) {
        (Resource::Lambda { .. }, FailedAt::Schedule) => {
            Details::LambdaFunctionScheduleFailed(failure)
        }
        (Resource::Lambda { .. }, FailedAt::Start) => Details::LambdaFunctionStartFailed(failure),
        (Resource::Lambda { .. }, _) => Details::LambdaFunctionFailed(failure),
        (Resource::Activity { .. }, FailedAt::Schedule) => Details::ActivityScheduleFailed(failure),
        (Resource::Activity { .. }, _) => Details::ActivityFailed(failure),
        (Resource::Service { .. }, FailedAt::Start | FailedAt::Schedule) => {
            Details::TaskStartFailed { call: service_call(resource), failure }
        }
        (Resource::Service { .. }, FailedAt::Submit) => {
            Details::TaskSubmitFailed { call: service_call(resource), failure }
        }
        (Resource::Service { .. }, FailedAt::Run) => {
            Details::TaskFailed { call: service_call(resource), failure }
        }
    }
}

fn task_seconds(field: &str, dynamic: &Dynamic, value: &Value) -> Result<u64, Problem> {
    let seconds = value.as_i64().filter(|seconds| (1..=99_999_999).contains(seconds));
    if let Some(seconds) = seconds {
        return Ok(seconds.unsigned_abs());
    }
    Err(match dynamic {
        Dynamic::Query(query) if value.as_f64().is_none() => {
            unexpected(field, query, "number", value)
        }
        Dynamic::Query(_) => {
            let cause = format!("{field} must be a positive integer but was: {value}");
            Problem::value(field, cause)
        }
        Dynamic::Path(selector) => Problem::runtime(format!(
            "The {field}Path parameter does not reference a positive integer: {} == {value}",
            selector.source()
        )),
        Dynamic::Given(_) => Problem::runtime(format!("{field} must be a positive integer")),
    })
}
