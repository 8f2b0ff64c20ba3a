//! Rules of injected faults between Python's plain data and the engine.

use std::time::Duration;

use pyo3::prelude::*;
use trunkline_engine::{
    Effect, Operation, ResourcePattern, Rule, operation, queue_name, stream_name, stream_operation,
};

use crate::error::invalid;

/// The resource that a rule names: a queue or a stream.
#[derive(FromPyObject)]
pub(crate) struct Named {
    #[pyo3(item)]
    queue: Option<String>,
    #[pyo3(item)]
    stream: Option<String>,
}

fn verb_named(name: &str) -> PyResult<Operation> {
    operation::named(name).or_else(|| stream_operation::named(name)).ok_or_else(|| {
        invalid(format!(
            "Value {name:.32} for parameter verb is invalid. Reason: Must be send, receive, \
             delete, extend, put, read or commit."
        ))
    })
}

/// A rule from plain data.
pub(crate) fn rule(
    verb: &str,
    effect: &str,
    detail: &Bound<'_, PyAny>,
    resource: Named,
    after: u64,
    times: Option<u64>,
) -> PyResult<Rule> {
    let operation = verb_named(verb)?;
    let message = detail.extract::<String>().unwrap_or_default();
    let delay = Duration::from_millis(detail.extract().unwrap_or_default());
    let effect = Effect::named(effect, &message, delay).ok_or_else(|| {
        invalid(format!(
            "Value {effect:.32} for parameter effect is invalid. Reason: Must be error, delay, \
             duplicate or crash."
        ))
    })?;
    Ok(Rule { operation, resource: pattern(operation, resource)?, effect, after, times })
}

/// What a rule of `operation` strikes. In the process a queue or a stream has a name and nothing
/// else: the local account and region are meant.
fn pattern(operation: Operation, resource: Named) -> PyResult<ResourcePattern> {
    let is_commit = operation == operation::COMMIT;
    let is_of_streams = stream_operation::named(operation.name).is_some();
    match resource {
        Named { queue: None, stream: None } => Ok(ResourcePattern::default()),
        Named { queue: Some(name), stream: None } if is_commit || !is_of_streams => {
            Ok(ResourcePattern::of(queue_name(name)))
        }
        Named { queue: None, stream: Some(name) } if is_commit || is_of_streams => {
            Ok(ResourcePattern::of(stream_name(name)))
        }
        Named { queue: Some(_), stream: Some(_) } => Err(invalid(
            "Value for parameter stream is invalid. Reason: A rule names a queue or a stream; make \
             one rule for each."
                .to_owned(),
        )),
        Named { queue: Some(_), .. } => Err(of_other_kind("queue", operation, "streams")),
        Named { .. } => Err(of_other_kind("stream", operation, "queues")),
    }
}

fn of_other_kind(field: &str, operation: Operation, kind: &str) -> PyErr {
    invalid(format!(
        "Value for parameter {field} is invalid. Reason: {} is a verb of {kind}.",
        operation.name
    ))
}

/// A rule as `(verb, effect, name of the resource, after, times)`.
pub(crate) type PlainRule = (&'static str, &'static str, Option<String>, u64, Option<u64>);

/// `rule` as plain data.
pub(crate) fn plain(rule: Rule) -> PlainRule {
    (rule.operation.name, rule.effect.name(), rule.resource.name, rule.after, rule.times)
}
