//! The errors of EventBridge: the engine's codes in its names.

use trunkline_types::{Code, Error};

use crate::error::WireError;

/// A parameter has a value that it may not have.
#[cold]
pub(super) fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("ValidationException", 400, message)
}

/// An error of the engine about a whole request.
#[cold]
pub(super) fn from_engine(error: &Error) -> WireError {
    match renamed(error.code()) {
        Some(name) => WireError::new(name, 400, error.message()),
        None => WireError::from_engine(error),
    }
}

/// An error that came from the control plane under the engine's name for it.
pub(super) fn word(error: WireError) -> WireError {
    let code = Code::ALL.iter().find(|code| code.name() == error.name());
    match code.copied() {
        None => error,
        Some(code) => from_engine(&Error::new(code, error.message())),
    }
}

/// EventBridge's name for what the engine says about a request.
fn renamed(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::ResourceNotFoundException | Code::QueueDoesNotExist => "ResourceNotFoundException",
        Code::InvalidParameterValue
        | Code::MissingParameter
        | Code::ValidationException
        | Code::InvalidMessageContents
        | Code::UnsupportedOperation => "ValidationException",
        Code::ResourceInUseException | Code::ConflictException => "ResourceAlreadyExistsException",
        Code::OverLimit => "LimitExceededException",
        _ => return None,
    })
}
