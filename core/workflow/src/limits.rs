//! The bounds of executions, as AWS has them.

/// What an execution may have at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Activity tasks that are scheduled or started.
    pub open_activities: usize,
    /// Timers that run.
    pub open_timers: usize,
    /// Children that run.
    pub open_children: usize,
    /// Lambda functions that are scheduled or started.
    pub open_lambda_functions: usize,
    /// Events; an execution that has so many is terminated.
    pub events: u64,
    /// The longest time that an execution may run, in seconds.
    pub execution_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_activities: 1_000,
            open_timers: 1_000,
            open_children: 1_000,
            open_lambda_functions: 1_000,
            events: 25_000,
            execution_seconds: 31_622_400,
        }
    }
}
