//! JSONata expressions, behind an interface of our own.

use std::sync::Arc;

use jsonata_core::ast::AstNode;

use crate::limits::Limits;
use crate::value::Value;

/// A parsed JSONata expression.
#[derive(Debug)]
pub(crate) struct Query {
    source: Arc<str>,
    ast: AstNode,
}

impl Query {
    /// Parses the text between `{%` and `%}`. The error is the parser's message.
    pub fn parse(text: &str) -> Result<Query, String> {
        let ast = jsonata_core::parser::parse(text).map_err(|error| error.to_string())?;
        Ok(Query { source: Arc::from(text), ast })
    }

    /// The text of the expression.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }
}

/// What an expression may see.
pub(crate) struct Bindings<'a> {
    /// The members of `$states`.
    pub states: &'a dyn Fn(&str) -> Option<Value>,
    /// The variables.
    pub variable: &'a dyn Fn(&str) -> Option<Value>,
    pub limits: &'a Limits,
    pub now_ms: u64,
    /// Where random numbers start from.
    pub seed: u64,
}

impl Query {
    /// Whether the value depends on random numbers.
    pub fn is_random(&self) -> bool {
        false
    }

    /// The value of the expression; none when it is undefined.
    pub fn evaluate(&self, _bindings: &Bindings<'_>) -> Result<Option<Value>, String> {
        let _ = &self.ast;
        Err("cannot be evaluated yet".to_owned())
    }
}

/// The text between `{%` and `%}`. `None`: the text is no expression.
pub(crate) fn expression(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}
