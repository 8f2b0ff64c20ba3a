//! The services that have schedule expressions, and where they differ.

/// The service whose rules an expression follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// EventBridge Scheduler.
    Scheduler,
    /// Scheduled rules of an event bus: no `at`, and a unit of `rate` in the singular for 1 alone.
    Rule,
}

impl Dialect {
    /// The whole text with which AWS refuses `expression`, as recorded.
    pub fn refusal(self, expression: &str) -> String {
        match self {
            Self::Scheduler => format!("Invalid Schedule Expression {expression}."),
            Self::Rule => "Parameter ScheduleExpression is not valid.".to_owned(),
        }
    }
}
