//! What a surface reports of a task, as plain values.

use pyo3::prelude::*;
use trunkline_engine::TaskEnd;
use trunkline_engine::states::{FailedAt, Identity};

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
        }
    }
}
