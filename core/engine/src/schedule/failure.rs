//! An occurrence that the target does not take: it goes to the dead-letter queue, if there is one
//! that takes it.

use trunkline_host::{Accepted, Also, Host, Routed};
use trunkline_types::{Code, Error, ResourceName, Result};

use super::config::ScheduleConfig;
use super::input::Context;
use crate::attributes::{Attribute, encode};

/// Whether a later attempt may succeed.
pub(super) fn is_transient(error: &Error) -> bool {
    error.code() == Code::StorageFull
}

/// Whether nothing more can be done in this engine.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::EngineClosed
            | Code::EngineForked
            | Code::EngineReadOnly
            | Code::EnginePoisoned
            | Code::StorageFailure
    )
}

/// AWS's name for what went wrong, as the dead-letter queue is told it.
fn aws_code(error: &Error) -> &'static str {
    match error.code() {
        Code::QueueDoesNotExist | Code::ResourceNotFoundException => "NO_RESOURCE",
        _ => "INVALID_PARAMETER",
    }
}

/// Gives a message to the dead-letter queue, with what went wrong as attributes.
pub(super) fn dead_letter(
    host: &Host,
    config: &ScheduleConfig,
    context: &Context<'_>,
    body: &[u8],
    error: &Error,
    also: &dyn Also,
) -> Result<Accepted> {
    let queue = config.dead_letter.as_ref().and_then(|name| host.directory.id_of(name));
    let queue = queue.ok_or_else(|| {
        let text = "The schedule has no dead-letter queue, or it was removed.";
        Error::new(Code::ResourceNotFoundException, text)
    })?;
    let ResourceName { account, region, name, kind } = &config.target;
    let attributes = [
        ("SCHEDULE_ARN", context.arn()),
        ("TARGET", format!("{kind} {name} of {account} in {region}")),
        ("SCHEDULED_TIME", context.scheduled_time()),
        ("EXECUTION_ID", context.execution_id.to_owned()),
        ("ERROR_CODE", aws_code(error).to_owned()),
        ("ERROR_MESSAGE", error.message().to_owned()),
        ("RETRY_ATTEMPTS", "0".to_owned()),
    ];
    let attributes: Vec<Attribute> = attributes
        .into_iter()
        .map(|(name, value)| Attribute {
            name: name.to_owned(),
            data_type: "String".to_owned(),
            value: value.into_bytes(),
            system: false,
        })
        .collect();
    let attributes = encode(&attributes);
    let also = Some(also);
    host.deliver(queue, &Routed { body, attributes: &attributes, also, ..Routed::default() })
}
