//! JSONPath in the dialect of AWS, which is Jayway's: definite paths give a value or an error,
//! indefinite ones an array.

mod cursor;
mod evaluate;
mod filter;
mod parse;
mod reference;
mod select;

use std::sync::Arc;

pub(crate) use reference::ReferencePath;
pub use select::{InvalidPath, select};

use filter::Filter;

/// A parsed path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    source: Arc<str>,
    steps: Vec<Step>,
    definite: bool,
}

/// One step of a path.
#[derive(Clone, Debug)]
enum Step {
    /// `.name` or `['name']`.
    Key(Arc<str>),
    /// `['a','b']`.
    Keys(Vec<Arc<str>>),
    /// `[0]`; a negative one counts from the end.
    Index(i64),
    /// `[0,2]`.
    Indexes(Vec<i64>),
    /// `[1:3]`.
    Slice(Option<i64>, Option<i64>),
    /// `.*` or `[*]`.
    Wildcard,
    /// `..`: this value and all in it, for the next step.
    Descend,
    /// `[?(...)]`.
    Filter(Arc<Filter>),
    /// `.length()`.
    Function(Function),
}

/// A function at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Length,
    Min,
    Max,
    Avg,
    Sum,
    StdDev,
    First,
    Last,
    Keys,
}

impl Path {
    /// The text of the path.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// Whether the path names the whole document.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }
}

/// The first `count` steps in the form of error messages: `$['a'][0]`.
fn normal(steps: &[Step]) -> String {
    use std::fmt::Write;
    let mut out = String::from("$");
    for step in steps {
        let _ = match step {
            Step::Key(key) => write!(out, "['{key}']"),
            Step::Keys(keys) => {
                let quoted: Vec<String> = keys.iter().map(|key| format!("'{key}'")).collect();
                write!(out, "[{}]", quoted.join(","))
            }
            Step::Index(index) => write!(out, "[{index}]"),
            Step::Indexes(indexes) => {
                let texts: Vec<String> = indexes.iter().map(ToString::to_string).collect();
                write!(out, "[{}]", texts.join(","))
            }
            Step::Slice(from, to) => {
                let text = |bound: &Option<i64>| bound.map(|at| at.to_string());
                let (from, to) = (text(from), text(to));
                write!(out, "[{}:{}]", from.unwrap_or_default(), to.unwrap_or_default())
            }
            Step::Wildcard => write!(out, "[*]"),
            Step::Descend => write!(out, ".."),
            Step::Filter(_) => write!(out, "[?]"),
            Step::Function(function) => write!(out, ".{function:?}()"),
        };
    }
    out
}
