//! Who may use an event bus, when signatures are proved: its own account unless its policy forbids
//! it, and another account only if its policy allows it.

use memchr::memmem;
use trunkline_engine::{Bus, Engine, ResourceName};

use super::errors::from_engine;
use crate::arn::partition;
use crate::error::{Result, WireError};
use crate::policy::{AuthorizationRequest, Decision, Policy};
use crate::service::Access;

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
    let policy = bus.as_deref().and_then(policy_of);
    let decision = policy.map_or(Decision::Silent, |policy| {
        let principal = &access.principal;
        let (action, resource, keys) = (&action, &resource, &access.keys);
        let request = AuthorizationRequest { account, principal, action, resource, keys };
        Policy::read(&policy).evaluate(&request)
    });
    let is_own = *name.account == *account;
    let why = match decision {
        Decision::Allowed => return Ok(()),
        Decision::Silent if is_own => return Ok(()),
        // The way out of a policy that denies its owner everything.
        Decision::Denied if is_own && matches!(operation, "PutPermission" | "RemovePermission") => {
            return Ok(());
        }
        Decision::Silent => format!("because no resource-based policy allows the {action} action"),
        Decision::Denied => "with an explicit deny in a resource-based policy".to_owned(),
    };
    let who = &access.principal;
    let message =
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}");
    Err(WireError::new("AccessDeniedException", 400, message))
}

fn policy_of(bus: &Bus) -> Option<String> {
    let document = bus.document();
    // Most buses have none, and then nothing is parsed.
    memmem::find(&document, b"\"Policy\"")?;
    let document: serde_json::Value = serde_json::from_slice(&document).ok()?;
    let policy = document.get("events")?.get("Policy")?;
    policy.is_object().then(|| policy.to_string())
}
