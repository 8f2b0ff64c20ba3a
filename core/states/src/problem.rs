//! Why a state failed.

use std::sync::Arc;

use crate::history::Failure;

/// Where a failure comes from; it decides what the history says, and what may catch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A task, a Fail state or a branch failed: with the words of that failure.
    Outside,
    /// No heartbeat came in time: it is reported as a time-out, and may be caught as either.
    Heartbeat,
    /// The state could not be carried out: AWS says first in which state.
    Runtime,
    /// A JSONata expression failed, or gave a wrong value: the place of the field.
    Evaluation(Option<Arc<str>>),
    /// The value of a JSONata expression is one that the state cannot use.
    Value(Arc<str>),
}

/// Why a state failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub failure: Failure,
    pub origin: Origin,
}

pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const DATA_LIMIT: &str = "States.DataLimitExceeded";
const QUERY_EVALUATION: &str = "States.QueryEvaluationError";

impl Problem {
    /// `States.Runtime`, which nothing catches.
    pub fn runtime(cause: impl AsRef<str>) -> Problem {
        Problem::state(RUNTIME, cause)
    }

    /// An error of the state itself, with a name that may be caught.
    pub fn state(error: &str, cause: impl AsRef<str>) -> Problem {
        Problem { failure: failure(error, cause.as_ref()), origin: Origin::Runtime }
    }

    /// `States.QueryEvaluationError` of the field at a location.
    pub fn evaluation(location: Option<&str>, cause: impl AsRef<str>) -> Problem {
        Problem {
            failure: failure(QUERY_EVALUATION, cause.as_ref()),
            origin: Origin::Evaluation(location.map(Arc::from)),
        }
    }

    /// `States.QueryEvaluationError` of a value that a field cannot take.
    pub fn value(location: &str, cause: impl AsRef<str>) -> Problem {
        Problem {
            failure: failure(QUERY_EVALUATION, cause.as_ref()),
            origin: Origin::Value(Arc::from(location)),
        }
    }

    /// A failure with its own words.
    pub fn outside(error: Option<Arc<str>>, cause: Option<Arc<str>>) -> Problem {
        Problem { failure: Failure { error, cause }, origin: Origin::Outside }
    }

    /// `States.DataLimitExceeded` of a state, or of what a task calls.
    pub fn too_large(state: &str) -> Problem {
        let cause = format!(
            "The state/task '{state}' returned a result with a size exceeding the maximum number \
             of bytes service limit."
        );
        Problem::outside(Some(Arc::from(DATA_LIMIT)), Some(Arc::from(cause)))
    }

    /// The name of the error.
    pub fn error(&self) -> &str {
        self.failure.error.as_deref().unwrap_or_default()
    }

    /// Whether one of the names of a retrier or a catcher stands for this error.
    pub fn is_named(&self, names: &[Arc<str>]) -> bool {
        let error = self.error();
        let fatal = error == RUNTIME;
        names.iter().any(|name| match &**name {
            "States.ALL" => !fatal,
            "States.TaskFailed" => !fatal && error != "States.Timeout",
            "States.HeartbeatTimeout" => {
                self.origin == Origin::Heartbeat || error == "States.HeartbeatTimeout"
            }
            name => error == name && error != RUNTIME,
        })
    }

    /// The problem with the words that AWS puts before those of a failing state.
    pub fn within(mut self, state: &str, entered: u64) -> Problem {
        if !matches!(self.origin, Origin::Outside | Origin::Heartbeat) {
            let cause = self.failure.cause.as_deref().unwrap_or_default();
            let text = format!(
                "An error occurred while executing the state '{state}' (entered at the event id \
                 #{entered}). {cause}"
            );
            self.failure.cause = Some(Arc::from(text));
        }
        self
    }
}

fn failure(error: &str, cause: &str) -> Failure {
    Failure { error: Some(Arc::from(error)), cause: Some(Arc::from(cause)) }
}
