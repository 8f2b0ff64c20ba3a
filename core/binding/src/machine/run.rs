//! Executions in memory: a program, a stimulus and a time give effects. For express machines, for
//! children of maps and for tests.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use trunkline_engine::states::{
    Effect, Execution, FailedAt, MapItems, MapRunRequest, Outcome, Payload, Program, ScopeId,
    SeededEntropy, Stimulus, TaskId, TaskRequest, TimerId, Value,
};

use super::program::StatesProgram;
use super::stimulus::PlainIdentity;
use crate::error::{guard, invalid};

/// An execution in memory.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct StatesRun {
    program: Arc<Program>,
    run: Mutex<Run>,
}

struct Run {
    execution: Execution,
    chance: SeededEntropy,
}

#[pymethods]
impl StatesRun {
    /// An execution of a program, or of the states of one of its scopes. Tokens of its tasks start
    /// with `prefix`.
    #[new]
    #[pyo3(signature = (program, identity, *, seed, prefix, scope=None))]
    fn new(
        program: &StatesProgram,
        identity: PlainIdentity,
        seed: u64,
        prefix: String,
        scope: Option<u32>,
    ) -> Self {
        let program = program.0.clone();
        let scope = scope.map_or_else(|| program.root(), ScopeId);
        let execution = Execution::child(&program, scope, identity.into());
        let chance = SeededEntropy::new(seed, prefix);
        Self { program, run: Mutex::new(Run { execution, chance }) }
    }

    /// What follows from a stimulus at a time, each effect as a dict.
    #[pyo3(signature = (kind, now, *, id=0, first=None, second=None))]
    fn step<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        now: u64,
        id: u64,
        first: Option<&str>,
        second: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        guard(|| {
            let stimulus = stimulus(kind, id, first, second)?;
            let effects = py.detach(|| {
                let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
                let Run { execution, chance } = &mut *run;
                execution.step(&self.program, stimulus, now, chance)
            });
            let shown = PyList::empty(py);
            for effect in effects {
                shown.append(show(py, effect)?)?;
            }
            Ok(shown)
        })
    }
}

fn payload(text: Option<&str>) -> PyResult<Payload> {
    Payload::parse(text.unwrap_or("null"))
        .map_err(|problem| pyo3::exceptions::PyValueError::new_err(problem.to_string()))
}

pub(super) fn stimulus(
    kind: &str,
    id: u64,
    first: Option<&str>,
    second: Option<&str>,
) -> PyResult<Stimulus> {
    let task = TaskId(id);
    let own = |text: Option<&str>| text.map(str::to_owned);
    let failed = |at| Stimulus::TaskFailed { task, at, error: own(first), cause: own(second) };
    Ok(match kind {
        "start" => Stimulus::Start { input: payload(first)? },
        "started" => Stimulus::TaskStarted { task, worker: own(first) },
        "submitted" => Stimulus::TaskSubmitted { task, output: payload(first)? },
        "succeeded" => Stimulus::TaskSucceeded { task, output: payload(first)? },
        "heartbeat" => Stimulus::TaskHeartbeat { task },
        "failed" => failed(FailedAt::Run),
        "schedule-failed" => failed(FailedAt::Schedule),
        "start-failed" => failed(FailedAt::Start),
        "submit-failed" => failed(FailedAt::Submit),
        "timer" => Stimulus::TimerFired { timer: TimerId(id) },
        "map-run-succeeded" => Stimulus::MapRunSucceeded { task, output: payload(first)? },
        "map-run-failed" => {
            let error = first.unwrap_or("States.TaskFailed").to_owned();
            Stimulus::MapRunFailed { task, error, cause: own(second) }
        }
        "stop" => Stimulus::Stop { error: own(first), cause: own(second) },
        "redrive" => Stimulus::Redrive,
        other => return Err(invalid(format!("There is no stimulus {other:?}."))),
    })
}

pub(super) fn text_of(value: &Value) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

fn show<'py>(py: Python<'py>, effect: Effect) -> PyResult<Bound<'py, PyDict>> {
    let shown = PyDict::new(py);
    let kind = match effect {
        Effect::History(event) => {
            shown.set_item("event", text_of(&event.to_value(true)))?;
            "event"
        }
        Effect::StartTask(request) => {
            show_task(&shown, &request)?;
            "task"
        }
        Effect::CancelTask { task } | Effect::CancelMapRun { task } => {
            shown.set_item("id", task.0)?;
            "cancel-task"
        }
        Effect::ArmTimer { timer, at_ms } => {
            shown.set_item("id", timer.0)?;
            shown.set_item("at", at_ms)?;
            "timer"
        }
        Effect::CancelTimer { timer } => {
            shown.set_item("id", timer.0)?;
            "cancel-timer"
        }
        Effect::StartMapRun(request) => {
            show_map_run(&shown, &request)?;
            "map-run"
        }
        Effect::Finish(outcome) => {
            shown.set_item("status", outcome.status())?;
            match outcome {
                Outcome::Succeeded { output } => shown.set_item("output", &**output.text())?,
                Outcome::Failed { error, cause } | Outcome::Aborted { error, cause } => {
                    shown.set_item("error", error)?;
                    shown.set_item("cause", cause)?;
                }
                Outcome::TimedOut => shown.set_item("error", "States.Timeout")?,
            }
            "finish"
        }
    };
    shown.set_item("kind", kind)?;
    Ok(shown)
}

pub(super) fn show_task(shown: &Bound<'_, PyDict>, request: &TaskRequest) -> PyResult<()> {
    shown.set_item("id", request.task.0)?;
    shown.set_item("state", &*request.state)?;
    shown.set_item("resource", &**request.resource.arn())?;
    shown.set_item("input", &**request.input.text())?;
    shown.set_item("token", request.token.as_deref())?;
    shown.set_item("credentials", request.credentials.as_ref().map(text_of))?;
    shown.set_item("timeout_seconds", request.timeout_seconds)?;
    shown.set_item("heartbeat_seconds", request.heartbeat_seconds)?;
    shown.set_item("attempt", request.attempt)
}

fn show_map_run(shown: &Bound<'_, PyDict>, request: &MapRunRequest) -> PyResult<()> {
    let (items, reader) = match &request.items {
        MapItems::Given(items) => (Some(text_of(items)), None),
        MapItems::Reader(reader) => (None, Some(text_of(reader))),
    };
    shown.set_item("id", request.task.0)?;
    shown.set_item("state", &*request.state)?;
    shown.set_item("label", &*request.label)?;
    shown.set_item("arn", &*request.map_run_arn)?;
    shown.set_item("processor", request.processor.0)?;
    shown.set_item("express", request.express)?;
    shown.set_item("items", items)?;
    shown.set_item("reader", reader)?;
    let selection = request.selection.as_ref().map(|seen| {
        let texts = [&seen.input, &seen.context, &seen.variables].map(text_of);
        (seen.state.0, texts)
    });
    shown.set_item("selection", selection)?;
    shown.set_item("input", &**request.input.text())?;
    shown.set_item("max_concurrency", request.max_concurrency)?;
    shown.set_item("tolerated_failure_count", request.tolerated_failure_count)?;
    shown.set_item("tolerated_failure_percentage", request.tolerated_failure_percentage)?;
    shown.set_item("writer", request.writer.as_ref().map(text_of))?;
    let Some(batch) = &request.batch else { return shown.set_item("batch", ()) };
    let batch_input = batch.input.as_ref().map(text_of);
    shown.set_item("batch", (batch.max_items, batch.max_bytes, batch_input))
}
