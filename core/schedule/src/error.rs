//! The error for a schedule that can never work.

use std::fmt;

/// A part of a schedule that is invalid: which field, what is wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSchedule {
    /// The field: `minutes`, `hours`, ..., `rate`, `at`, `timezone`, `start` or `end`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl InvalidSchedule {
    #[cold]
    pub(crate) fn new(
        field: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { field, problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for InvalidSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.field, self.problem, self.remedy)
    }
}

impl std::error::Error for InvalidSchedule {}
