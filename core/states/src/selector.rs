//! An expression of JSONPath mode: a path into the input, the context object or a variable, or a
//! call of an intrinsic function.

use std::sync::Arc;

use crate::intrinsic::Call;
use crate::path::Path;

/// An expression of JSONPath mode.
#[derive(Clone, Debug)]
pub(crate) enum Selector {
    /// `$.x`: into the input.
    Input(Path),
    /// `$$.x`: into the context object.
    Context(Arc<str>, Path),
    /// `$x.y`: into a variable.
    Variable(Arc<str>, Path),
    /// `States.Format(...)`.
    Call(Arc<str>, Arc<Call<Selector>>),
}

impl Selector {
    /// Parses an expression. `None`: it is none.
    pub fn parse(text: &str) -> Option<Selector> {
        if text.starts_with("States.") {
            let call = Call::parse(text, &Selector::parse_path)?;
            return Some(Selector::Call(Arc::from(text), Arc::new(call)));
        }
        Selector::parse_path(text)
    }

    /// Parses an expression that is no call.
    pub fn parse_path(text: &str) -> Option<Selector> {
        let rest = text.strip_prefix('$')?;
        if rest.starts_with('$') {
            return Some(Selector::Context(Arc::from(text), Path::parse(rest)?));
        }
        if rest.is_empty() || rest.starts_with(['.', '[']) {
            return Some(Selector::Input(Path::parse(text)?));
        }
        let length = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, path) = rest.split_at(length);
        if !is_variable_name(name) {
            return None;
        }
        let path = Path::parse(&format!("${path}"))?;
        Some(Selector::Variable(Arc::from(name), path))
    }

    /// The text of the expression.
    pub fn source(&self) -> String {
        match self {
            Selector::Input(path) => path.source().to_string(),
            Selector::Context(text, _) | Selector::Call(text, _) => text.to_string(),
            Selector::Variable(name, path) => format!("${name}{}", &path.source()[1..]),
        }
    }
}

/// Whether a variable may have this name.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|letter| letter.is_alphabetic() || letter == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        && name.chars().count() <= 80
}
