//! Why a command is refused.

use std::fmt;

/// The kind of a fault, as SWF names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// There is no such domain, type, execution or task.
    UnknownResource,
    /// A domain of this name exists.
    DomainAlreadyExists,
    /// The domain is deprecated.
    DomainDeprecated,
    /// A type of this name and version exists.
    TypeAlreadyExists,
    /// The type is deprecated.
    TypeDeprecated,
    /// The type has to be deprecated first.
    TypeNotDeprecated,
    /// An execution of this workflow id is open.
    AlreadyStarted,
    /// A value was neither given nor does the type have a default for it.
    DefaultUndefined,
    /// There would be too many of something.
    LimitExceeded,
    /// A resource would have too many tags.
    TooManyTags,
    /// A member of the input has a value that it may not have.
    Validation,
}

impl FaultKind {
    /// The name of the fault.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownResource => "UnknownResourceFault",
            Self::DomainAlreadyExists => "DomainAlreadyExistsFault",
            Self::DomainDeprecated => "DomainDeprecatedFault",
            Self::TypeAlreadyExists => "TypeAlreadyExistsFault",
            Self::TypeDeprecated => "TypeDeprecatedFault",
            Self::TypeNotDeprecated => "TypeNotDeprecatedFault",
            Self::AlreadyStarted => "WorkflowExecutionAlreadyStartedFault",
            Self::DefaultUndefined => "DefaultUndefinedFault",
            Self::LimitExceeded => "LimitExceededFault",
            Self::TooManyTags => "TooManyTagsFault",
            Self::Validation => "ValidationException",
        }
    }
}

/// Why a command is refused, in the words of SWF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// A sentence.
    pub message: String,
}

impl Fault {
    /// A fault with a sentence.
    #[cold]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Something that does not exist.
    #[cold]
    pub fn unknown(what: impl fmt::Display) -> Self {
        Self::new(FaultKind::UnknownResource, format!("Unknown {what}"))
    }

    /// A value that may not be.
    #[cold]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Validation, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}

impl std::error::Error for Fault {}
