//! The errors of SQS: names, codes of the query protocol, statuses and sentences.

use trunkline_types::{Code, Error, Field, Millis, Problem};

use crate::error::WireError;
use crate::model::Protocol;

const SQS: &str = "com.amazonaws.sqs";
const CORAL: &str = "com.amazon.coral.service";
const PREFIXED: [&str; 7] = [
    "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "AWS.SimpleQueueService.BatchRequestTooLong",
    "AWS.SimpleQueueService.EmptyBatchRequest",
    "AWS.SimpleQueueService.InvalidBatchEntryId",
    "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "AWS.SimpleQueueService.MessageNotInflight",
    "AWS.SimpleQueueService.UnsupportedOperation",
];

/// The error that the JSON protocol calls `name`, with everything else that goes with it.
pub(super) fn named(name: &str, message: impl Into<String>) -> WireError {
    let message = message.into();
    match known(name, &message) {
        Some(error) => error,
        None => WireError::new(name.to_owned(), 400, message).with_detail(),
    }
}

fn known(name: &str, message: &str) -> Option<WireError> {
    let (name, status, namespace, code): (&'static str, u16, _, _) = match name {
        "QueueDoesNotExist" => {
            ("QueueDoesNotExist", 400, SQS, Some("AWS.SimpleQueueService.NonExistentQueue"))
        }
        "QueueNameExists" => ("QueueNameExists", 400, SQS, Some("QueueAlreadyExists")),
        "QueueDeletedRecently" => {
            ("QueueDeletedRecently", 400, SQS, Some("AWS.SimpleQueueService.QueueDeletedRecently"))
        }
        "PurgeQueueInProgress" => {
            ("PurgeQueueInProgress", 403, SQS, Some("AWS.SimpleQueueService.PurgeQueueInProgress"))
        }
        "InvalidParameterValue" | "InvalidParameterValueException" => {
            ("InvalidParameterValueException", 400, CORAL, Some("InvalidParameterValue"))
        }
        "MissingParameter" | "MissingRequiredParameterException" => {
            ("MissingRequiredParameterException", 400, CORAL, Some("MissingParameter"))
        }
        "AccessDenied" | "AccessDeniedException" => {
            ("AccessDeniedException", 403, CORAL, Some("AccessDenied"))
        }
        "OverLimit" => ("OverLimit", 403, SQS, None),
        "ResourceNotFoundException" => ("ResourceNotFoundException", 404, SQS, None),
        "InvalidAttributeName" => ("InvalidAttributeName", 400, SQS, None),
        "InvalidAttributeValue" => ("InvalidAttributeValue", 400, SQS, None),
        "InvalidIdFormat" => ("InvalidIdFormat", 400, SQS, None),
        "InvalidMessageContents" => ("InvalidMessageContents", 400, SQS, None),
        "InvalidAddress" => ("InvalidAddress", 404, SQS, None),
        "ReceiptHandleIsInvalid" => ("ReceiptHandleIsInvalid", 400, SQS, None),
        _ => {
            let code = PREFIXED.iter().find(|code| code.rsplit('.').next() == Some(name))?;
            (code.rsplit('.').next()?, 400, SQS, Some(*code))
        }
    };
    let error = WireError::new(name, status, message).with_namespace(namespace).with_detail();
    Some(match code {
        Some(code) => error.with_query_code(code),
        None => error,
    })
}

/// An error of the engine in SQS's words.
#[cold]
pub(super) fn from_engine(error: Error) -> WireError {
    match error.code() {
        Code::EngineClosed
        | Code::EngineForked
        | Code::EnginePoisoned
        | Code::EngineReadOnly
        | Code::StorageFull => WireError::new("ServiceUnavailable", 503, error.to_string()),
        Code::DataFolderInUse
        | Code::DataFolderUnusable
        | Code::StorageFailure
        | Code::ForeignFormat
        | Code::NewerFormat
        | Code::CorruptJournal
        | Code::InjectedFault
        | Code::InternalError => WireError::internal(error.to_string()),
        code => match error.problem().and_then(sentence) {
            Some(message) => named(code.name(), message),
            None => named(code.name(), error.message()),
        },
    }
}

// AWS's words for what the engine says in its own.
fn sentence(problem: &Problem) -> Option<String> {
    let seconds = |millis: &Millis| millis / 1_000;
    let foreign = "The request include parameter that is not valid for this queue type.";
    let value = |value: &dyn std::fmt::Display, parameter: &str, reason: &str| {
        format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}")
    };
    Some(match problem {
        Problem::NoSuchResource(field) => format!(
            "The resource that you specified for the {} parameter doesn't exist.",
            parameter(*field)
        ),
        Problem::Missing(field) => {
            format!("The request must contain the parameter {}.", parameter(*field))
        }
        Problem::NotForThisKind { field, value: given } => value(given, parameter(*field), foreign),
        Problem::DelayOfMessage(delay) => value(&seconds(delay), "DelaySeconds", foreign),
        Problem::TooLarge { max } => format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {max} bytes."
        ),
        Problem::LeaseTooLong { lease, max } => {
            let reason = format!("Must be between 0 and {}, if provided.", seconds(max));
            value(&seconds(lease), "VisibilityTimeout", &reason)
        }
        Problem::LeaseBeyondMax { lease, max } => {
            let max = seconds(max);
            let reason = format!(
                "Total VisibilityTimeout for the message is beyond the limit [{max} seconds]."
            );
            value(&seconds(lease), "VisibilityTimeout", &reason)
        }
        Problem::NoSuchQueue { .. } => "The specified queue does not exist.".to_owned(),
        Problem::BadReceipt { receipt, .. } => {
            format!("The input receipt handle \"{receipt}\" is not a valid receipt handle.")
        }
        _ => return None,
    })
}

fn parameter(field: Field) -> &'static str {
    match field {
        Field::Group => "MessageGroupId",
        Field::DedupId => "MessageDeduplicationId",
        Field::Source => "SourceArn",
        Field::Destination => "DestinationArn",
    }
}

/// An error with the codes of SQS; the query protocol words one of them differently.
pub(super) fn word(error: WireError, protocol: Protocol) -> WireError {
    let message = match (protocol, error.name()) {
        (Protocol::Query, "QueueDoesNotExist") => {
            "The specified queue does not exist for this wsdl version."
        }
        _ => error.message(),
    };
    match known(error.name(), message) {
        Some(worded) => worded.with_members(error.members().to_vec()),
        None => error.with_detail(),
    }
}

#[cold]
pub(super) fn no_such_queue() -> WireError {
    named("QueueDoesNotExist", "The specified queue does not exist.")
}

#[cold]
pub(super) fn missing(parameter: &str) -> WireError {
    named("MissingParameter", format!("The request must contain the parameter {parameter}."))
}

#[cold]
pub(super) fn invalid(message: impl Into<String>) -> WireError {
    named("InvalidParameterValue", message)
}

#[cold]
pub(super) fn invalid_value(
    value: impl std::fmt::Display,
    parameter: &str,
    reason: &str,
) -> WireError {
    invalid(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}
