//! What a test of one state says, and what it sees.

use std::sync::Arc;

use crate::history::Failure;
use crate::value::{Members, Value};

/// What a test says beside the state and its input, and what it sees.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// The result, or the failure, in place of the work of the state.
    pub mock: Option<Result<Value, Failure>>,
    /// Iterations of a Map state that failed.
    pub failed_iterations: Option<u64>,
    /// The context object in place of that of the execution.
    pub context: Option<Value>,
    /// The variables.
    pub variables: Vec<(Arc<str>, Value)>,
    /// How often each retrier retried before.
    pub retries: u32,
    /// Values on the way through the state, by the names of `inspectionData`.
    pub notes: Members,
    pub error_details: Members,
    /// The failure of the state, in its own words.
    pub failure: Option<Failure>,
    pub retries_again: bool,
    pub caught: bool,
}
