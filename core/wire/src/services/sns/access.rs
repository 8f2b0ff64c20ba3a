//! Who may use a topic, when signatures are proved: its own account unless its policy forbids it,
//! and another account only if its policy allows it.

use trunkline_engine::{ResourceName, Topic};

use crate::arn::partition;
use crate::error::{Result, WireError};
use crate::service::{Access, Guarded, policy_in};

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
    let (resource, document) = (arn(name), topic.document());
    let policy = policy_in(&document, &["sns", "attributes", "Policy"]);
    let guarded = Guarded {
        account,
        owner: &name.account,
        action: &action,
        resource: &resource,
        policy: policy.as_deref(),
        repairs: matches!(operation, "RemovePermission" | "SetTopicAttributes"),
    };
    // Policies that SNS writes name the owner like this.
    let access = access.with_key("AWS:SourceOwner", account.to_owned());
    access.permit(&guarded).map_err(|why| WireError::new("AuthorizationError", 403, why))
}
