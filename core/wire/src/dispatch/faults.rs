//! `/_trunkline/faults`: rules by which verbs fail, as JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};
use trunkline_engine::{Effect, ResourceName, ResourcePattern, Rule, operation};

use super::read_object;
use crate::error::{Result, WireError};

const MEMBERS: [&str; 9] =
    ["verb", "effect", "queue", "account", "region", "message", "delay", "after", "times"];

/// The rule that a body describes.
pub(super) fn read(body: &[u8]) -> Result<Rule> {
    let object = read_object(body, &MEMBERS)?;
    let operation = text(&object, "verb")?.and_then(operation::named);
    let operation = operation
        .ok_or_else(|| refused("verb must be send, receive, delete, extend or commit."))?;
    let message = text(&object, "message")?.unwrap_or("Injected fault.");
    let effect = match text(&object, "effect")? {
        // The name of earlier versions.
        Some("fail") => "error",
        other => other.unwrap_or_default(),
    };
    let delay = if effect == "delay" { delay(&object)? } else { Duration::ZERO };
    let effect = Effect::named(effect, message, delay)
        .ok_or_else(|| refused("effect must be error, delay, duplicate or crash."))?;
    let after = count(&object, "after")?.unwrap_or(0);
    let resource = resource(&object)?;
    Ok(Rule { operation, resource, effect, after, times: count(&object, "times")? })
}

// A rule that names a queue and not where it is means the queue of the default account and region;
// "*" is everywhere.
fn resource(object: &Map<String, Value>) -> Result<ResourcePattern> {
    let name = text(object, "queue")?;
    let part = |member: &str, default: &'static str| -> Result<Option<String>> {
        let given = text(object, member)?.or(name.map(|_| default));
        Ok(given.filter(|part| *part != "*").map(str::to_owned))
    };
    Ok(ResourcePattern {
        kind: None,
        account: part("account", ResourceName::LOCAL_ACCOUNT)?,
        region: part("region", ResourceName::LOCAL_REGION)?,
        name: name.map(str::to_owned),
    })
}

/// The rules as JSON.
pub(super) fn write(rules: &[Rule]) -> String {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            json!({
                "verb": rule.operation.name,
                "queue": rule.resource.name,
                "account": rule.resource.account,
                "region": rule.resource.region,
                "effect": rule.effect.name(),
                "after": rule.after,
                "times": rule.times,
            })
        })
        .collect();
    json!({"faults": rules}).to_string()
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refused(&format!("{name} must be text."))),
    }
}

fn count(object: &Map<String, Value>, name: &str) -> Result<Option<u64>> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(count) => Ok(Some(count)),
            None => Err(refused(&format!("{name} must be a whole number that is not negative."))),
        },
    }
}

fn delay(object: &Map<String, Value>) -> Result<Duration> {
    let seconds = object.get("delay").and_then(Value::as_f64);
    let delay = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    delay.ok_or_else(|| refused("delay must be a number of seconds."))
}

fn refused(message: &str) -> WireError {
    WireError::new("InvalidRequest", 400, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_cannot_be_understood_is_told_in_plain_words() {
        for (body, why) in [
            ("nonsense", "The body must be a JSON object."),
            (r#"{"verb":"send"}"#, "effect must be error"),
            (r#"{"effect":"fail"}"#, "verb must be send"),
            (r#"{"verb":7,"effect":"fail"}"#, "verb must be text."),
            (r#"{"verb":"send","effect":"delay"}"#, "delay must be a number of seconds."),
            (r#"{"verb":"send","effect":"delay","delay":-1}"#, "delay must be a number"),
            (r#"{"verb":"send","effect":"fail","times":-1}"#, "times must be a whole number"),
            (r#"{"verb":"send","effect":"fail","often":1}"#, "The body has no member 'often'"),
        ] {
            let error = read(body.as_bytes()).map(|_| ()).unwrap_err();
            assert!(error.message().starts_with(why), "{body}: {error}");
        }
        let rule = read(br#"{"verb":"send","effect":"delay","delay":0.5,"queue":"q"}"#).unwrap();
        assert!(write(&[rule]).contains(r#""effect":"delay""#));
    }
}
