//! Rules of injected faults between Python's plain data and the engine.

use std::time::Duration;

use pyo3::prelude::*;
use trunkline_engine::{
    Effect, Operation, PUBLISH, PUT_EVENT, ResourceName, ResourcePattern, Rule, bucket_operation,
    bus_name, operation, queue_name, stream_name, stream_operation, topic_name,
};

use crate::error::invalid;

/// The resource that a rule names: one of these at most.
#[derive(FromPyObject)]
pub(crate) struct Named {
    #[pyo3(item)]
    queue: Option<String>,
    #[pyo3(item)]
    stream: Option<String>,
    #[pyo3(item)]
    topic: Option<String>,
    #[pyo3(item)]
    bus: Option<String>,
}

/// The operation of a verb. Streams and event buses have a `put` each; that of the buses is meant
/// where a rule names a bus, and is called `put_event` where it names none.
fn verb_named(name: &str, of_bus: bool) -> PyResult<Operation> {
    let found = match name {
        "publish" => Some(PUBLISH),
        "put" if of_bus => Some(PUT_EVENT),
        "put_event" => Some(PUT_EVENT),
        name => {
            let found = operation::named(name).or_else(|| stream_operation::named(name));
            found.or_else(|| bucket_operation::named(name))
        }
    };
    found.ok_or_else(|| {
        invalid(format!(
            "Value {name:.32} for parameter verb is invalid. Reason: Must be send, receive, \
             delete, extend, put, read, publish, put_event, put_object, get_object, \
             delete_object, list_objects or commit."
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
    let operation = verb_named(verb, resource.bus.is_some())?;
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

/// What a rule of `operation` strikes. In the process a resource has a name and nothing else: the
/// local account and region are meant.
fn pattern(operation: Operation, named: Named) -> PyResult<ResourcePattern> {
    let Named { queue, stream, topic, bus } = named;
    let of_kind = match operation {
        PUBLISH => "topic",
        PUT_EVENT => "bus",
        _ if stream_operation::named(operation.name).is_some() => "stream",
        _ if bucket_operation::named(operation.name).is_some() => "bucket",
        _ => "queue",
    };
    let mut given: Vec<(&str, ResourceName)> = Vec::new();
    given.extend(queue.map(|name| ("queue", queue_name(name))));
    given.extend(stream.map(|name| ("stream", stream_name(name))));
    given.extend(topic.map(|name| ("topic", topic_name(name))));
    given.extend(bus.map(|name| ("bus", bus_name(name))));
    if let [_, (field, _), ..] = &*given {
        return Err(invalid(format!(
            "Value for parameter {field} is invalid. Reason: A rule names one resource; make one \
             rule for each."
        )));
    }
    match given.pop() {
        None => Ok(ResourcePattern::default()),
        Some((kind, name)) if kind == of_kind || operation == operation::COMMIT => {
            Ok(ResourcePattern::of(name))
        }
        Some((field, _)) => Err(invalid(format!(
            "Value for parameter {field} is invalid. Reason: {} is a verb of a {of_kind}.",
            operation.name
        ))),
    }
}

/// A rule as `(verb, effect, name of the resource, after, times)`.
pub(crate) type PlainRule = (&'static str, &'static str, Option<String>, u64, Option<u64>);

/// `rule` as plain data.
pub(crate) fn plain(rule: Rule) -> PlainRule {
    (rule.operation.name, rule.effect.name(), rule.resource.name, rule.after, rule.times)
}
