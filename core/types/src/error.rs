//! One error type for the whole engine: a stable code, and a message that says what to do next.
//!
//! Codes with an AWS counterpart carry the AWS name, so that the wire only translates. The list is
//! the catalogue: `Code::ALL` is what the Python package and the documentation are checked against.

use std::fmt;

use crate::code::Code;
use crate::problem::Problem;

/// The result of every fallible operation of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, as a stable code and a sentence for a person.
///
/// Boxed, because errors are rare and results are returned from hot paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    problem: Option<Problem>,
}

impl Error {
    /// An error with `code`; `message` names the field, the problem and the remedy.
    #[cold]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), problem: None }))
    }

    /// The stable code, to match on.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What is wrong as data, where a surface may have other words for it.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.problem.as_ref()
    }

    /// The sentence for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl From<Problem> for Error {
    #[cold]
    fn from(problem: Problem) -> Self {
        let (code, message) = (problem.code(), problem.to_string());
        Self(Box::new(Inner { code, message, problem: Some(problem) }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_code_then_sentence() {
        let error = Error::new(Code::OverLimit, "too many");
        assert_eq!(error.to_string(), "OverLimit: too many");
    }
}
