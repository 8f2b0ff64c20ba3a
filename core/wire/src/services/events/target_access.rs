//! Targets of other accounts, when signatures are proved: a rule may lead there only if the policy
//! of the resource lets its owner, or EventBridge for that rule, write to it.

use trunkline_engine::{BUS, Engine, QUEUE, ResourceName, TOPIC};

use super::access;
use super::errors::from_engine;
use crate::error::{Result, WireError};
use crate::service::Access;
use crate::services::sns;
use crate::value::Value;

/// The principal that EventBridge is in policies.
const SERVICE: &str = "events.amazonaws.com";

/// Raises `AccessDeniedException` if a target of a PutTargets, or the queue for its dead letters,
/// is in another account that does not let the rule write there. `bus` is the bus of the rule.
pub(super) fn check(
    access: &Access,
    engine: &Engine,
    account: &str,
    bus: &ResourceName,
    input: &Value,
) -> Result<()> {
    let Some(Value::List(targets)) = input.get("Targets") else { return Ok(()) };
    let rule = input.get("Rule").and_then(Value::as_str).unwrap_or_default();
    for target in targets {
        let arn = target.get("Arn").and_then(Value::as_str);
        let dead = target.get("DeadLetterConfig").and_then(|config| config.get("Arn"));
        for arn in arn.into_iter().chain(dead.and_then(Value::as_str)) {
            check_one(access, engine, account, &access::rule_arn(bus, rule), arn)?;
        }
    }
    Ok(())
}

fn check_one(
    access: &Access,
    engine: &Engine,
    account: &str,
    rule_arn: &str,
    arn: &str,
) -> Result<()> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    // What is no resource name is refused by the operation itself.
    let [_, _, service, region, owner, resource] = parts[..] else { return Ok(()) };
    if owner == account {
        return Ok(());
    }
    let as_service = Access {
        principal: SERVICE.to_owned(),
        keys: vec![
            ("aws:SourceArn", rule_arn.to_owned()),
            ("aws:SourceAccount", account.to_owned()),
            ("aws:SecureTransport", "true".to_owned()),
        ],
    };
    // The service belongs to no account.
    for (access, account) in [(access, account), (&as_service, "")] {
        let allowed = match (service, resource.split_once('/')) {
            ("sqs", None) => {
                let name = ResourceName::new(QUEUE, owner, region, resource);
                let queue = engine.find_queue(&name).map_err(|error| from_engine(&error))?;
                queue.is_some_and(|queue| access.check(account, "SendMessage", &queue).is_ok())
            }
            ("sns", None) => {
                let name = ResourceName::new(TOPIC, owner, region, resource);
                let topic = engine.find_topic(&name).map_err(|error| from_engine(&error))?;
                topic.is_some_and(|topic| {
                    sns::check_access(access, account, "Publish", &topic).is_ok()
                })
            }
            ("events", Some(("event-bus", name))) => {
                let name = ResourceName::new(BUS, owner, region, name);
                access::check(access, engine, account, "PutEvents", &name).is_ok()
            }
            // Nothing else has a policy here, so nothing else lets other accounts in.
            _ => false,
        };
        if allowed {
            return Ok(());
        }
    }
    let message = format!(
        "User: {} is not authorized to let rule {rule_arn} write to {arn} because no \
         resource-based policy of its account allows it",
        access.principal
    );
    Err(WireError::new("AccessDeniedException", 400, message))
}
