//! The errors of SQS: names, codes of the query protocol, statuses and sentences.

use trunkline_types::{Code, Error};

use crate::error::WireError;

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
pub fn named(name: &str, message: impl Into<String>) -> WireError {
    let message = message.into();
    let error = |name: &'static str, status| WireError::new(name, status, message.clone());
    match name {
        "QueueDoesNotExist" => error("QueueDoesNotExist", 400)
            .with_namespace(SQS)
            .with_query_code("AWS.SimpleQueueService.NonExistentQueue"),
        "QueueNameExists" => {
            error("QueueNameExists", 400).with_namespace(SQS).with_query_code("QueueAlreadyExists")
        }
        "QueueDeletedRecently" => error("QueueDeletedRecently", 400)
            .with_namespace(SQS)
            .with_query_code("AWS.SimpleQueueService.QueueDeletedRecently"),
        "PurgeQueueInProgress" => error("PurgeQueueInProgress", 403)
            .with_namespace(SQS)
            .with_query_code("AWS.SimpleQueueService.PurgeQueueInProgress"),
        "InvalidParameterValue" | "InvalidParameterValueException" => {
            error("InvalidParameterValueException", 400)
                .with_namespace(CORAL)
                .with_query_code("InvalidParameterValue")
        }
        "MissingParameter" | "MissingRequiredParameterException" => {
            error("MissingRequiredParameterException", 400)
                .with_namespace(CORAL)
                .with_query_code("MissingParameter")
        }
        "AccessDenied" | "AccessDeniedException" => error("AccessDeniedException", 403)
            .with_namespace(CORAL)
            .with_query_code("AccessDenied"),
        "OverLimit" => error("OverLimit", 403).with_namespace(SQS),
        "ResourceNotFoundException" => error("ResourceNotFoundException", 404).with_namespace(SQS),
        "InvalidAttributeName" => error("InvalidAttributeName", 400).with_namespace(SQS),
        "InvalidAttributeValue" => error("InvalidAttributeValue", 400).with_namespace(SQS),
        "InvalidIdFormat" => error("InvalidIdFormat", 400).with_namespace(SQS),
        "InvalidMessageContents" => error("InvalidMessageContents", 400).with_namespace(SQS),
        "InvalidAddress" => error("InvalidAddress", 404).with_namespace(SQS),
        "ReceiptHandleIsInvalid" => error("ReceiptHandleIsInvalid", 400).with_namespace(SQS),
        _ => {
            let code = PREFIXED.iter().find(|code| code.ends_with(&format!(".{name}")));
            match code {
                Some(code) => WireError::new(name.to_owned(), 400, message)
                    .with_namespace(SQS)
                    .with_query_code(*code),
                None => WireError::new(name.to_owned(), 400, message),
            }
        }
    }
}

/// An error of the engine in SQS's words.
#[cold]
pub fn from_engine(error: Error) -> WireError {
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
        code => named(code.name(), error.message()),
    }
}

/// The sentence of an error in the query protocol, which says one thing differently.
pub fn query_message(error: &WireError) -> Option<&'static str> {
    (error.name() == "QueueDoesNotExist")
        .then_some("The specified queue does not exist for this wsdl version.")
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
