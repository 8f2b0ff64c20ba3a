//! The errors of Kinesis: the engine's codes in its names.

use trunkline_engine::ResourceName;
use trunkline_types::{Code, Error};

use crate::error::WireError;

/// A parameter has a value that does not fit the stream.
#[cold]
pub(super) fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("InvalidArgumentException", 400, message)
}

/// A resource does not exist.
#[cold]
pub(super) fn not_found(message: impl Into<String>) -> WireError {
    WireError::new("ResourceNotFoundException", 400, message)
}

/// The stream does not exist, or cannot be used yet or any more.
#[cold]
pub(super) fn no_such_stream(name: &ResourceName) -> WireError {
    not_found(format!("Stream {} under account {} not found.", name.name, name.account))
}

/// The request is right, and was only to be checked.
#[cold]
pub(super) fn dry_run() -> WireError {
    let message = "Request would have succeeded, but DryRun flag is set.";
    WireError::new("DryRunOperationException", 400, message)
}

/// An error of the engine about a whole request.
#[cold]
pub(super) fn from_engine(error: &Error) -> WireError {
    let name = match error.code() {
        Code::ResourceNotFoundException | Code::QueueDoesNotExist => "ResourceNotFoundException",
        Code::InvalidParameterValue
        | Code::MissingParameter
        | Code::ValidationException
        | Code::InvalidMessageContents
        | Code::UnsupportedOperation => "InvalidArgumentException",
        Code::ResourceInUseException | Code::ConflictException => "ResourceInUseException",
        Code::OverLimit => "LimitExceededException",
        _ => return WireError::from_engine(error),
    };
    WireError::new(name, 400, error.message())
}

/// An error that came from the control plane under the engine's name for it.
pub(super) fn word(error: WireError) -> WireError {
    let code = Code::ALL.iter().find(|code| code.name() == error.name());
    match code.copied() {
        // These are names of Kinesis too.
        None | Some(Code::ValidationException) => error,
        Some(code) => from_engine(&Error::new(code, error.message())),
    }
}
