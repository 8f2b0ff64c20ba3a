//! Executions, types and requests as SWF writes them in JSON.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use trunkline_types::Millis;
use trunkline_workflow::{ChildPolicy, CloseStatus, Execution, Fault, StartRequest};

use super::rows::{Defaults, RegisteredType, TypeKind};
use super::visibility::{Filter, OrderedBy, open_counts};

/// A time as the protocol writes it: seconds since 1970, with a fraction.
fn seconds(at: Millis) -> f64 {
    at as f64 / 1_000.0
}

/// Without members that are null.
fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// An execution as lists show it.
pub fn info(execution: &Execution) -> Value {
    let status = if execution.is_open() { "OPEN" } else { "CLOSED" };
    let tags = (!execution.tags.is_empty()).then_some(&execution.tags);
    present(json!({
        "execution": execution.id,
        "workflowType": execution.workflow_type,
        "startTimestamp": seconds(execution.started),
        "closeTimestamp": execution.closed.map(|closed| seconds(closed.at)),
        "executionStatus": status,
        "closeStatus": execution.closed.map(|closed| closed.status),
        "parent": execution.parent.as_ref().map(|parent| &parent.execution),
        "tagList": tags,
        "cancelRequested": execution.cancel_requested,
    }))
}

/// An execution as DescribeWorkflowExecution shows it.
pub fn details(execution: &Execution) -> Value {
    let [activities, decisions, timers, children, lambdas] = open_counts(execution);
    present(json!({
        "executionInfo": info(execution),
        "executionConfiguration": execution.configuration,
        "openCounts": {
            "openActivityTasks": activities,
            "openDecisionTasks": decisions,
            "openTimers": timers,
            "openChildWorkflowExecutions": children,
            "openLambdaFunctions": lambdas,
        },
        "latestActivityTaskTimestamp": execution.latest_activity.map(seconds),
        "latestExecutionContext": execution.context,
    }))
}

/// A type as lists show it.
pub fn type_info(row: &RegisteredType) -> Value {
    let name = match row.defaults.kind() {
        TypeKind::Workflow => "workflowType",
        TypeKind::Activity => "activityType",
    };
    let status = if row.deprecated.is_some() { "DEPRECATED" } else { "REGISTERED" };
    present(json!({
        name: row.id,
        "status": status,
        "description": row.description,
        "creationDate": seconds(row.created),
        "deprecationDate": row.deprecated.map(seconds),
    }))
}

/// A type as DescribeWorkflowType and DescribeActivityType show it.
pub fn type_details(row: &RegisteredType) -> Value {
    let configuration = match &row.defaults {
        Defaults::Workflow(defaults) => json!(defaults),
        Defaults::Activity(defaults) => json!(defaults),
    };
    json!({"typeInfo": type_info(row), "configuration": configuration})
}

/// Reads what StartWorkflowExecution was asked for.
pub fn read_start(text: &str) -> Result<StartRequest, Fault> {
    serde_json::from_str(text).map_err(|problem| Fault::invalid(problem.to_string()))
}

/// A filter of executions; times in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilterText<'a> {
    open: bool,
    by_close: bool,
    oldest: Millis,
    latest: Option<Millis>,
    #[serde(borrow)]
    workflow_id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    type_name: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    type_version: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    tag: Option<std::borrow::Cow<'a, str>>,
    close_status: Option<CloseStatus>,
    reverse: bool,
}

/// Reads a filter of executions, and calls `with` with it.
pub fn read_filter<T>(text: &str, with: impl FnOnce(&Filter<'_>) -> T) -> Result<T, Fault> {
    let given: FilterText<'_> =
        serde_json::from_str(text).map_err(|problem| Fault::invalid(problem.to_string()))?;
    let version = given.type_version.as_deref().filter(|version| !version.is_empty());
    Ok(with(&Filter {
        open: given.open,
        by: if given.by_close { OrderedBy::Close } else { OrderedBy::Start },
        oldest: given.oldest,
        latest: given.latest.unwrap_or(Millis::MAX),
        workflow_id: given.workflow_id.as_deref(),
        workflow_type: given.type_name.as_deref().map(|name| (name, version)),
        tag: given.tag.as_deref(),
        close_status: given.close_status,
        reverse: given.reverse,
    }))
}

/// Reads the defaults of a type.
pub fn read_defaults(kind: TypeKind, text: &str) -> Result<Defaults, Fault> {
    let read = match kind {
        TypeKind::Workflow => serde_json::from_str(text).map(Defaults::Workflow),
        TypeKind::Activity => serde_json::from_str(text).map(Defaults::Activity),
    };
    let defaults = read.map_err(|problem| Fault::invalid(problem.to_string()))?;
    defaults.check()?;
    Ok(defaults)
}

/// Reads a child policy.
pub fn read_policy(text: &str) -> Result<ChildPolicy, Fault> {
    serde_json::from_value(text.into()).map_err(|problem| Fault::invalid(problem.to_string()))
}
