//! What the validator finds in a definition, in AWS's words.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The definition is refused.
    Error,
    /// The definition is taken.
    Warning,
}

impl Severity {
    /// As ValidateStateMachineDefinition names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
        }
    }
}

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The definition is not a JSON object.
    InvalidJsonDescription,
    /// A field is missing, unknown, or has a wrong value.
    SchemaValidationFailed,
    /// A transition leads nowhere, or no transition leads to a state.
    MissingTransitionTarget,
    /// No state ends the machine.
    MissingEndState,
    /// A JSONata expression cannot be parsed.
    InvalidJsonataExpression,
    /// A JSONata expression names what it cannot see.
    UnsupportedJsonataExpression,
    /// Two states have one name.
    DuplicateStateName,
    /// The name of a state is too long.
    InvalidStateName,
    /// A label of a Map state has a wrong form.
    InvalidLabelName,
    /// Two Map states have one label.
    DuplicateLabelName,
    /// Scopes lie in scopes too deeply.
    TooDeeplyNested,
    /// A warning: a value looks like a path, but its field does not end with `.$`.
    NoDollar,
    /// A warning: the result of a Pass state looks like a path, but is taken as it is.
    PassResultIsStatic,
}

impl Code {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Code::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Code::InvalidJsonataExpression => "INVALID_JSONATA_EXPRESSION",
            Code::UnsupportedJsonataExpression => "UNSUPPORTED_JSONATA_EXPRESSION",
            Code::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Code::MissingEndState => "MISSING_END_STATE",
            Code::DuplicateStateName => "DUPLICATE_STATE_NAME",
            Code::InvalidStateName => "INVALID_STATE_NAME",
            Code::InvalidLabelName => "INVALID_LABEL_NAME",
            Code::DuplicateLabelName => "DUPLICATE_LABEL_NAME",
            Code::TooDeeplyNested => "TOO_DEEPLY_NESTED",
            Code::NoDollar => "NO_DOLLAR",
            Code::PassResultIsStatic => "PASS_RESULT_IS_STATIC",
        }
    }
}

/// Something the validator found in a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind.
    pub code: Code,
    /// What is wrong, in AWS's words.
    pub message: String,
    /// Where: `/States/A/Next`. A finding about the whole machine has no place.
    pub location: Option<String>,
}

impl Finding {
    /// An error in the schema of a definition.
    pub(crate) fn schema(location: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Error,
            code: Code::SchemaValidationFailed,
            message: message.into(),
            location: Some(location.into()),
        }
    }
}

/// `CODE: message at location`, as AWS joins it in an `InvalidDefinition`.
impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let location = self.location.as_deref().unwrap_or("null");
        write!(out, "{}: {} at {location}", self.code.as_str(), self.message)
    }
}

/// The message of `InvalidDefinition` for these findings.
pub fn invalid_definition(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let texts: Vec<String> = errors.map(ToString::to_string).collect();
    format!("Invalid State Machine Definition: '{}'", texts.join(", "))
}
