//! Rules of injected faults between Python's plain data and the engine.

use std::time::Duration;

use pyo3::prelude::*;
use trunkline_engine::{Effect, Operation, ResourcePattern, Rule, operation, queue_name};

use crate::error::invalid;

fn verb_named(name: &str) -> PyResult<Operation> {
    operation::named(name).ok_or_else(|| {
        invalid(format!(
            "Value {name:.32} for parameter verb is invalid. Reason: Must be send, receive, \
             delete, extend or commit."
        ))
    })
}

/// A rule from plain data.
pub(crate) fn rule(
    verb: &str,
    effect: &str,
    detail: &Bound<'_, PyAny>,
    queue: Option<String>,
    after: u64,
    times: Option<u64>,
) -> PyResult<Rule> {
    let verb = verb_named(verb)?;
    let message = detail.extract::<String>().unwrap_or_default();
    let delay = Duration::from_millis(detail.extract().unwrap_or_default());
    let effect = Effect::named(effect, &message, delay).ok_or_else(|| {
        invalid(format!(
            "Value {effect:.32} for parameter effect is invalid. Reason: Must be error, delay, \
             duplicate or crash."
        ))
    })?;
    // In the process a queue has a name and nothing else: the local account and region are meant.
    let resource =
        queue.map_or_else(ResourcePattern::default, |name| ResourcePattern::of(queue_name(name)));
    Ok(Rule { operation: verb, resource, effect, after, times })
}

/// A rule as `(verb, effect, queue, after, times)`.
pub(crate) type PlainRule = (&'static str, &'static str, Option<String>, u64, Option<u64>);

/// `rule` as plain data.
pub(crate) fn plain(rule: Rule) -> PlainRule {
    (rule.operation.name, rule.effect.name(), rule.resource.name, rule.after, rule.times)
}
