//! The quotas of AWS Step Functions, as data.

/// What a definition and its executions may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a definition.
    pub definition_bytes: usize,
    /// Bytes of an input, an output or a result.
    pub payload_bytes: usize,
    /// Levels of nesting of a payload.
    pub payload_depth: usize,
    /// Events of a history.
    pub history_events: u64,
    /// Characters of the name of a state.
    pub state_name_chars: usize,
    /// Characters of the label of a Map state.
    pub label_chars: usize,
    /// Concurrent iterations of an inline Map state.
    pub inline_concurrency: usize,
    /// Items of `States.ArrayRange`.
    pub array_range_items: usize,
    /// Characters that `States.Base64Encode`, `Base64Decode` and `Hash` take.
    pub intrinsic_chars: usize,
    /// Levels of calls of intrinsic functions in each other.
    pub intrinsic_depth: usize,
    /// Bytes of the values of the variables that one state assigns.
    pub assign_bytes: usize,
    /// Bytes of all variables of an execution.
    pub variables_bytes: usize,
    /// Levels of evaluation of a JSONata expression.
    pub jsonata_depth: usize,
    /// Items of a sequence that a JSONata expression makes.
    pub jsonata_items: usize,
    /// Bytes of a value that a JSONata expression makes.
    pub jsonata_bytes: usize,
    /// Milliseconds that a JSONata expression may take: a backstop, far above what a useful
    /// expression takes.
    pub jsonata_ms: u64,
    /// Characters of the name of an error.
    pub error_chars: usize,
    /// Characters of a cause.
    pub cause_chars: usize,
    /// Transitions that one step makes at most before it arms a timer to go on: a step ends, also
    /// when the states of an express machine run in a circle.
    pub step_transitions: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            definition_bytes: 1 << 20,
            payload_bytes: 256 << 10,
            payload_depth: 200,
            history_events: 25_000,
            state_name_chars: 80,
            label_chars: 40,
            inline_concurrency: 40,
            array_range_items: 1_000,
            intrinsic_chars: 10_000,
            intrinsic_depth: 10,
            assign_bytes: 256 << 10,
            variables_bytes: 10 << 20,
            jsonata_depth: 200,
            jsonata_items: 1_000_000,
            jsonata_bytes: 16 << 20,
            jsonata_ms: 1_000,
            error_chars: 256,
            cause_chars: 32_768,
            step_transitions: 25_000,
        }
    }
}
