//! Who may use a topic, when signatures are proved: its own account unless its policy forbids it,
//! and another account only if its policy allows it.

use memchr::memmem;
use trunkline_engine::{ResourceName, Topic};

use crate::arn::partition;
use crate::error::{Result, WireError};
use crate::policy::{AuthorizationRequest, Decision, Policy};
use crate::service::Access;

/// The resource name of a topic.
pub(super) fn arn(name: &ResourceName) -> String {
    let ResourceName { account, region, name, .. } = name;
    format!("arn:{}:sns:{region}:{account}:{name}", partition(region))
}

/// Raises `AuthorizationError` if `account` may not carry out `operation` on `topic`.
pub(crate) fn check(access: &Access, account: &str, operation: &str, topic: &Topic) -> Result<()> {
    let name = topic.name();
    // A batch needs what each of its entries needs.
    let action = format!("SNS:{}", operation.strip_suffix("Batch").unwrap_or(operation));
    let resource = arn(name);
    let decision = policy_of(topic).map_or(Decision::Silent, |policy| {
        let principal = &access.principal;
        let mut keys = access.keys.clone();
        // Policies that SNS writes name the owner like this.
        keys.push(("AWS:SourceOwner", account.to_owned()));
        let (action, resource, keys) = (&action, &resource, &keys);
        let request = AuthorizationRequest { account, principal, action, resource, keys };
        Policy::read(&policy).evaluate(&request)
    });
    let is_own = *name.account == *account;
    let why = match decision {
        Decision::Allowed => return Ok(()),
        Decision::Silent if is_own => return Ok(()),
        // The way out of a policy that denies its owner everything.
        Decision::Denied
            if is_own && matches!(operation, "RemovePermission" | "SetTopicAttributes") =>
        {
            return Ok(());
        }
        Decision::Silent => format!("because no resource-based policy allows the {action} action"),
        Decision::Denied => "with an explicit deny in a resource-based policy".to_owned(),
    };
    let who = &access.principal;
    let message =
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}");
    Err(WireError::new("AuthorizationError", 403, message))
}

fn policy_of(topic: &Topic) -> Option<String> {
    let document = topic.document();
    // Most topics have none, and then nothing is parsed.
    memmem::find(&document, b"\"Policy\"")?;
    let document: serde_json::Value = serde_json::from_slice(&document).ok()?;
    let policy = document.get("sns")?.get("attributes")?.get("Policy")?.as_str()?;
    (!policy.is_empty()).then(|| policy.to_owned())
}
