//! The scopes of patterns: names in Python for the dialects of the matcher.

use pyo3::prelude::*;
use trunkline_pattern::Dialect;

pub(super) fn dialect_of(scope: &str) -> PyResult<Dialect> {
    match scope {
        "Event" => Ok(Dialect::EventPattern),
        "MessageBody" => Ok(Dialect::FilterBody),
        "MessageAttributes" => Ok(Dialect::FilterAttributes),
        _ => Err(crate::error::invalid(format!(
            "Value {scope} for parameter scope is invalid. Reason: Must be Event, MessageBody or \
             MessageAttributes."
        ))),
    }
}

pub(super) fn scope_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::EventPattern => "Event",
        Dialect::FilterBody => "MessageBody",
        Dialect::FilterAttributes => "MessageAttributes",
    }
}
