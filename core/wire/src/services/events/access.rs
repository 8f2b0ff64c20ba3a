//! Who may use an event bus, when signatures are proved: its own account unless its policy forbids
//! it, and another account only if its policy allows it.

use trunkline_engine::{Engine, ResourceName};

use super::errors::from_engine;
use crate::arn::partition;
use crate::error::{Result, WireError};
use crate::service::{Access, Guarded, policy_in};

/// The resource name of a bus.
fn arn(name: &ResourceName) -> String {
    let (region, account) = (&name.region, &name.account);
    format!("arn:{}:events:{region}:{account}:event-bus/{}", partition(region), name.name)
}

/// The resource name of a rule of a bus.
pub(super) fn rule_arn(bus: &ResourceName, rule: &str) -> String {
    let (region, account, name) = (&bus.region, &bus.account, &bus.name);
    let inner = if name == "default" { String::new() } else { format!("{name}/") };
    format!("arn:{}:events:{region}:{account}:rule/{inner}{rule}", partition(region))
}

/// Raises `AccessDeniedException` if `account` may not carry out `operation` on the bus `name`.
pub(super) fn check(
    access: &Access,
    engine: &Engine,
    account: &str,
    operation: &str,
    name: &ResourceName,
) -> Result<()> {
    let bus = engine.find_bus(name).map_err(|error| from_engine(&error))?;
    let (action, resource) = (format!("events:{operation}"), arn(name));
    let policy = bus.and_then(|bus| policy_in(&bus.document(), &["events", "Policy"]));
    let guarded = Guarded {
        account,
        owner: &name.account,
        action: &action,
        resource: &resource,
        policy: policy.as_deref(),
        repairs: matches!(operation, "PutPermission" | "RemovePermission"),
    };
    access.permit(&guarded).map_err(|why| WireError::new("AccessDeniedException", 400, why))
}
