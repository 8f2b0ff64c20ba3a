//! What a surface reports of a task or an execution, as plain values.

use pyo3::prelude::*;
use trunkline_engine::TaskEnd;
use trunkline_engine::states::{FailedAt, Identity, Payload, Stimulus, TaskId, TimerId};

use crate::error::invalid;

/// A report: its kind and up to two texts.
pub(super) fn task_end<'a>(
    kind: &str,
    first: Option<&'a str>,
    second: Option<&'a str>,
) -> PyResult<TaskEnd<'a>> {
    let output = || first.ok_or_else(|| invalid(format!("{kind}: the output is absent.")));
    Ok(match kind {
        "started" => TaskEnd::Started(first),
        "submitted" => TaskEnd::Submitted(output()?),
        "heartbeat" => TaskEnd::Heartbeat,
        "succeeded" => TaskEnd::Succeeded(output()?),
        "failed" => TaskEnd::Failed(FailedAt::Run, first, second),
        "schedule-failed" => TaskEnd::Failed(FailedAt::Schedule, first, second),
        "start-failed" => TaskEnd::Failed(FailedAt::Start, first, second),
        "submit-failed" => TaskEnd::Failed(FailedAt::Submit, first, second),
        "map-run-succeeded" => TaskEnd::MapRunSucceeded(output()?),
        "map-run-failed" => TaskEnd::MapRunFailed(output()?, second),
        other => return Err(invalid(format!("A task cannot be {other:?}."))),
    })
}

fn payload(text: Option<&str>) -> PyResult<Payload> {
    Payload::parse(text.unwrap_or("null"))
        .map_err(|problem| pyo3::exceptions::PyValueError::new_err(problem.to_string()))
}

/// A stimulus: its kind, the task or timer that it is of, and up to two texts.
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

/// Who an execution is, as a dict.
#[derive(FromPyObject, Default)]
#[pyo3(from_item_all)]
pub(super) struct PlainIdentity {
    execution_arn: String,
    name: String,
    role_arn: String,
    machine_arn: String,
    machine_name: String,
    version_arn: Option<String>,
    alias_arn: Option<String>,
    region: String,
    express: bool,
}

impl From<PlainIdentity> for Identity {
    fn from(plain: PlainIdentity) -> Self {
        Self {
            execution_arn: plain.execution_arn.into(),
            name: plain.name.into(),
            role_arn: plain.role_arn.into(),
            machine_arn: plain.machine_arn.into(),
            machine_name: plain.machine_name.into(),
            version_arn: plain.version_arn.map(Into::into),
            alias_arn: plain.alias_arn.map(Into::into),
            region: plain.region.into(),
            express: plain.express,
            is_test: false,
        }
    }
}
