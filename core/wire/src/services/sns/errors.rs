//! The errors of SNS, in AWS's words.

use trunkline_types::{Code, Error};

use crate::error::WireError;

/// A parameter has a value that it may not have.
#[cold]
pub(super) fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("InvalidParameter", 400, message)
}

/// An attribute of a message has a value that it may not have.
#[cold]
pub(super) fn invalid_value(message: impl Into<String>) -> WireError {
    WireError::new("ParameterValueInvalid", 400, message)
}

/// A member that is required was not sent.
#[cold]
pub(super) fn missing(path: &str) -> WireError {
    let message = format!(
        "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member \
         must not be null"
    );
    WireError::new("ValidationError", 400, message)
}

/// The topic does not exist.
#[cold]
pub(super) fn no_such_topic() -> WireError {
    WireError::new("NotFound", 404, "Topic does not exist")
}

/// An error of the engine in SNS's words.
#[cold]
pub(super) fn from_engine(error: &Error) -> WireError {
    match error.code() {
        Code::ResourceNotFoundException => no_such_topic(),
        Code::InvalidParameterValue | Code::MissingParameter => invalid(error.message()),
        _ => WireError::from_engine(error),
    }
}
