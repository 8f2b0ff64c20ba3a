//! Who may use a stream or a queue of one, when signatures are proved: its own account unless its
//! policy forbids it, and another account only if its policy allows it.

use trunkline_engine::ResourceName;

use super::settings::Settings;
use super::target;
use crate::error::{Result, WireError};
use crate::service::{Call, Guarded};

/// Raises `AccessDeniedException` if the caller may not carry out `operation` on the stream.
pub(super) fn check(
    call: &Call<'_>,
    operation: &str,
    name: &ResourceName,
    settings: &Settings,
) -> Result<()> {
    if call.access.is_none() {
        return Ok(());
    }
    check_resource(call, operation, (&name.account, &target::arn(name)), settings.policy.as_deref())
}

/// The same for a resource that is named by its account and its resource name.
pub(super) fn check_resource(
    call: &Call<'_>,
    operation: &str,
    (owner, resource): (&str, &str),
    policy: Option<&str>,
) -> Result<()> {
    let Some(access) = call.access else { return Ok(()) };
    let (account, action) = (call.account, &*format!("kinesis:{operation}"));
    let repairs = operation.ends_with("ResourcePolicy");
    let guarded = Guarded { account, owner, action, resource, policy, repairs };
    access.permit(&guarded).map_err(|why| WireError::new("AccessDeniedException", 400, why))
}
