//! Who may use a stream, when signatures are proved: its own account unless its policy forbids it,
//! and another account only if its policy allows it.

use trunkline_engine::ResourceName;

use super::settings::Settings;
use super::target;
use crate::error::{Result, WireError};
use crate::policy::{AuthorizationRequest, Decision, Policy};
use crate::service::Call;

/// Raises `AccessDeniedException` if the caller may not carry out `operation` on the stream.
pub(super) fn check(
    call: &Call<'_>,
    operation: &str,
    name: &ResourceName,
    settings: &Settings,
) -> Result<()> {
    let Some(access) = call.access else { return Ok(()) };
    let (action, resource) = (format!("kinesis:{operation}"), target::arn(name));
    let decision = settings.policy.as_deref().map_or(Decision::Silent, |policy| {
        let (account, principal) = (call.account, &access.principal);
        let (action, resource, keys) = (&action, &resource, &access.keys);
        let request = AuthorizationRequest { account, principal, action, resource, keys };
        Policy::read(policy).evaluate(&request)
    });
    let is_own = *name.account == *call.account;
    let why = match decision {
        Decision::Allowed => return Ok(()),
        Decision::Silent if is_own => return Ok(()),
        // The way out of a policy that denies its owner everything.
        Decision::Denied if is_own && operation.ends_with("ResourcePolicy") => return Ok(()),
        Decision::Silent => format!("because no resource-based policy allows the {action} action"),
        Decision::Denied => "with an explicit deny in a resource-based policy".to_owned(),
    };
    let who = &access.principal;
    let message =
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}");
    Err(WireError::new("AccessDeniedException", 400, message))
}
