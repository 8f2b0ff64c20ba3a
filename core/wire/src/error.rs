//! A failure as AWS names it, before a protocol gives it a form.

use std::borrow::Cow;

use trunkline_types::Code;

use crate::value::Value;

/// The result of every fallible step of the wire.
pub type Result<T, E = WireError> = std::result::Result<T, E>;

/// A failure with everything that any protocol says about it.
///
/// Boxed: it is rare, and results are returned from hot paths.
#[derive(Debug, Clone, PartialEq)]
pub struct WireError(Box<Inner>);

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    name: Cow<'static, str>,
    query_code: Option<Cow<'static, str>>,
    namespace: Option<Cow<'static, str>>,
    status: u16,
    message: String,
    members: Vec<(String, Value)>,
    detail: bool,
}

impl WireError {
    /// The error `name` (the name of its shape) with an HTTP status and a sentence.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        status: u16,
        message: impl Into<String>,
    ) -> Self {
        Self(Box::new(Inner {
            name: name.into(),
            query_code: None,
            namespace: None,
            status,
            message: message.into(),
            members: Vec::new(),
            detail: false,
        }))
    }

    /// The same error under another name, if one is given.
    pub fn named(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            self.0.name = name.to_owned().into();
            self.0.query_code = None;
        }
        self
    }

    /// The same error with the code that the query protocol uses for it.
    pub fn with_query_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.query_code = Some(code.into());
        self
    }

    /// The same error with the namespace that its JSON `__type` carries.
    pub fn with_namespace(mut self, namespace: impl Into<Cow<'static, str>>) -> Self {
        self.0.namespace = Some(namespace.into());
        self
    }

    /// The same error with further members beside its message.
    pub fn with_members(mut self, members: Vec<(String, Value)>) -> Self {
        self.0.members = members;
        self
    }

    /// The same error with the empty `Detail` element that some query services send.
    pub fn with_detail(mut self) -> Self {
        self.0.detail = true;
        self
    }

    /// An error of the engine that concerns no operation of a service: its state or its storage.
    #[cold]
    pub fn from_engine(error: &trunkline_types::Error) -> Self {
        match error.code() {
            Code::EngineClosed
            | Code::EngineForked
            | Code::EnginePoisoned
            | Code::EngineReadOnly
            | Code::StorageFull => Self::new("ServiceUnavailable", 503, error.to_string()),
            _ => Self::internal(error.to_string()),
        }
    }

    /// The body cannot be read at all.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", 400, message)
    }

    /// A mistake of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalFailure", 500, message).with_query_code("InternalFailure")
    }

    /// The name of the error's shape.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The code in query answers and in `x-amzn-query-error`.
    pub fn query_code(&self) -> &str {
        self.0.query_code.as_deref().unwrap_or(&self.0.name)
    }

    /// Whether a query code was given apart from the name.
    pub fn has_query_code(&self) -> bool {
        self.0.query_code.is_some()
    }

    /// The namespace of the JSON `__type`.
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref()
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Members beside the message.
    pub fn members(&self) -> &[(String, Value)] {
        &self.0.members
    }

    /// Whether query answers carry an empty `Detail` element.
    pub fn has_detail(&self) -> bool {
        self.0.detail
    }

    /// Whether the caller is at fault.
    pub fn is_sender(&self) -> bool {
        self.0.status < 500
    }
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.name, self.0.message)
    }
}

impl std::error::Error for WireError {}
