//! JSONata expressions, behind an interface of our own: what they see is given, and the time, the
//! depth and the sizes are bounded.

mod convert;
mod functions;
mod guard;
mod reference;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;

use crate::limits::Limits;
use crate::value::Value;

/// The members of `$states`.
const STATES: [&str; 4] = ["input", "result", "errorOutput", "context"];

/// Deeper expressions are refused.
const DEPTH_MAX: usize = 500;

const NO_FUNCTION: &str = "T1006: Attempted to invoke a non-function";

/// A parsed JSONata expression.
#[derive(Debug)]
pub(crate) struct Query {
    source: Arc<str>,
    ast: AstNode,
    /// The variables that it may name.
    names: Vec<Arc<str>>,
    /// The members of `$states` that it may name.
    states: Vec<&'static str>,
    is_random: bool,
    top_level: Option<String>,
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
    /// Parses the text between `{%` and `%}`. The error is the parser's message.
    pub fn parse(text: &str) -> Result<Query, String> {
        if nesting(text) > DEPTH_MAX {
            return Err("Expressions are nested too deeply".to_owned());
        }
        let mut ast = jsonata_core::parser::parse(text).map_err(|error| error.to_string())?;
        let top_level = reference::top_level(&ast);
        guard::guard(&mut ast);
        let mut names: Vec<Arc<str>> = Vec::new();
        for name in variables_in(text) {
            if !names.iter().any(|known| **known == *name) {
                names.push(Arc::from(name));
            }
        }
        let is_random = names.iter().any(|name| matches!(&**name, "random" | "uuid" | "shuffle"));
        let states = states_in(text);
        Ok(Query { source: Arc::from(text), ast, names, states, is_random, top_level })
    }

    /// The text of the expression.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The first name that the expression looks up in its input, which AWS does not give it.
    pub fn top_level_reference(&self) -> Option<&str> {
        self.top_level.as_deref()
    }

    /// Whether the value depends on random numbers.
    pub fn is_random(&self) -> bool {
        self.is_random
    }

    /// The value of the expression; none when it is undefined. The error goes on the sentence
    /// "The JSONata expression '...' specified for the field '...'".
    pub fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Option<Value>, String> {
        let mut context = Context::new();
        if !self.states.is_empty() {
            let members = self.states.iter().filter_map(|name| {
                Some(((*name).to_owned(), convert::to_jsonata(&(bindings.states)(name)?)))
            });
            context.bind("states".to_owned(), JValue::object(members.collect()));
        }
        for name in &self.names {
            if let Some(value) = (bindings.variable)(name) {
                context.bind(name.to_string(), convert::to_jsonata(&value));
            }
        }
        self.run(context, &JValue::Undefined, bindings)
    }

    fn run(
        &self,
        context: Context,
        input: &JValue,
        bindings: &Bindings<'_>,
    ) -> Result<Option<Value>, String> {
        let limits = bindings.limits;
        let options = EvaluatorOptions {
            timeout_ms: Some(limits.jsonata_ms),
            max_stack_depth: Some(limits.jsonata_depth),
            max_sequence_length: Some(limits.jsonata_items),
            cancel: None,
        };
        let mut evaluator = Evaluator::with_options(context, options);
        let threw = |message: &str| {
            // AWS does not say what was no function.
            let message = if message.starts_with("T1006:") { NO_FUNCTION } else { message };
            format!("threw an error during evaluation. {message}")
        };
        functions::register(&mut evaluator, bindings).map_err(|error| threw(error.message()))?;
        guard::register(&mut evaluator, limits.jsonata_bytes)
            .map_err(|error| threw(error.message()))?;
        let result =
            evaluator.evaluate(&self.ast, input).map_err(|error| threw(error.message()))?;
        guard::check(&result, limits.jsonata_bytes).map_err(|error| threw(error.message()))?;
        match convert::from_jsonata(&result) {
            Ok(value) => Ok(value),
            Err(convert::Unsupported) => Err("returned an unsupported result type.".to_owned()),
        }
    }
}

/// The text between `{%` and `%}`. `None`: the text is no expression.
pub(crate) fn expression(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}

/// How deep an expression may be nested, at most: each bracket and each operator that needs an
/// operand on its right is a level.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut prefixes = 0;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'-' | b'?' | b':' | b'~' | b'%' | b'^' | b'&' | b'+' | b'*' | b'/' => prefixes += 1,
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest + prefixes / 16
}

/// The names that the library has for symbols, in its messages.
const SYMBOLS: [(&str, &str); 6] = [
    ("RightBracket", "]"),
    ("RightParen", ")"),
    ("RightBrace", "}"),
    ("LeftBracket", "["),
    ("LeftParen", "("),
    ("LeftBrace", "{"),
];

/// A message of the parser in AWS's words: without the code before it, with symbols in quotes.
pub(crate) fn without_code(message: &str) -> String {
    let (code, rest) = message.split_once(": ").unwrap_or(("", message));
    let coded = code.len() == 5 && code.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    let mut text = if coded { rest } else { message }.to_owned();
    for (name, symbol) in SYMBOLS {
        text = text.replace(name, &format!("\"{symbol}\""));
    }
    text
}

/// The names after a dollar sign. Those in strings are among them, which does no harm.
fn variables_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|rest| {
        let ends = |letter: char| !(letter.is_alphanumeric() || letter == '_');
        let name = &rest[..rest.find(ends).unwrap_or(rest.len())];
        (!name.is_empty() && name != "states").then_some(name)
    })
}

/// The members of `$states` that a text names; all of them, if it names `$states` alone.
fn states_in(text: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for rest in text.split("$states").skip(1) {
        let member = rest.trim_start().strip_prefix('.').map(str::trim_start);
        let ends = |letter: char| !(letter.is_alphanumeric() || letter == '_');
        let name = member.map(|name| &name[..name.find(ends).unwrap_or(name.len())]);
        match STATES.into_iter().find(|known| Some(*known) == name) {
            Some(known) if !found.contains(&known) => found.push(known),
            Some(_) => {}
            None => return STATES.to_vec(),
        }
    }
    found
}
