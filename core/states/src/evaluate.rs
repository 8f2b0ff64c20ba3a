//! The values of templates, paths and expressions while a state runs.

use std::sync::Arc;

use crate::choice::{self, Condition, Operand, Property, Test};
use crate::entropy::Entropy;
use crate::intrinsic::{self, Argument, Call};
use crate::jsonata::{Bindings, Query};
use crate::limits::Limits;
use crate::path::Path;
use crate::problem::Problem;
use crate::program::template::Template;
use crate::program::{Dynamic, Place};
use crate::selector::Selector;
use crate::value::{Members, Value};

/// What the expressions of a state may see.
pub(crate) struct Env<'a> {
    /// The input of the state, or what its input path left of it.
    pub input: &'a Value,
    /// The result of the work of the state, in JSONata mode.
    pub result: Option<&'a Value>,
    /// The error that a catcher handles, in JSONata mode.
    pub error_output: Option<&'a Value>,
    /// Makes the context object.
    pub context: &'a dyn Fn() -> Value,
    /// The value of a variable.
    pub variable: &'a dyn Fn(&str) -> Option<Value>,
    pub entropy: &'a mut dyn Entropy,
    pub limits: &'a Limits,
    pub now_ms: u64,
}

/// Why a path or a call gave no value.
enum Nothing {
    Path { reason: String },
    Variable { name: Arc<str> },
    Call(intrinsic::Failed),
}

impl Env<'_> {
    /// The value of a template.
    pub fn template(&mut self, template: &Template) -> Result<Value, Problem> {
        match template {
            Template::Given(value) => Ok(value.clone()),
            Template::Array(items) => {
                let items = items.iter().map(|item| self.template(item));
                Ok(Value::array(items.collect::<Result<_, _>>()?))
            }
            Template::Object(members) => {
                let mut made = Members::with_capacity(members.len());
                for (key, template) in members {
                    let value = self.template(template)?;
                    made.insert(Arc::clone(key), value);
                }
                Ok(Value::Object(Arc::new(made)))
            }
            Template::Select { field, selector } => self.member(field, selector),
            Template::Query { location, query } => self.query(location, query),
        }
    }

    /// The value of a JSONata expression, which has to have one.
    pub fn query(&mut self, location: &str, query: &Query) -> Result<Value, Problem> {
        let source = query.source();
        let seed = if query.is_random() { self.entropy.random() } else { 0 };
        let bindings = Bindings {
            states: &|name| match name {
                "input" => Some(self.input.clone()),
                "result" => self.result.cloned(),
                "errorOutput" => self.error_output.cloned(),
                "context" => Some((self.context)()),
                _ => None,
            },
            variable: self.variable,
            limits: self.limits,
            now_ms: self.now_ms,
            seed,
        };
        match query.evaluate(&bindings) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(Problem::evaluation(
                Some(location),
                format!(
                    "The JSONata expression '{source}' specified for the field '{location}' \
                     returned nothing (undefined)."
                ),
            )),
            Err(error) => Err(Problem::evaluation(
                Some(location),
                format!(
                    "The JSONata expression '{source}' specified for the field '{location}' \
                     {error}"
                ),
            )),
        }
    }

    /// The value of the member `field` of a payload template.
    pub fn member(&mut self, field: &str, selector: &Selector) -> Result<Value, Problem> {
        self.select(selector).map_err(|nothing| match nothing {
            Nothing::Path { .. } => {
                let source = selector.source();
                let (name, document) = match selector {
                    Selector::Context(..) => ("context object", (self.context)()),
                    _ => ("input", self.input.clone()),
                };
                Problem::runtime(format!(
                    "The JSONPath '{source}' specified for the field '{field}' could not be \
                     found in the {name} '{document}'"
                ))
            }
            Nothing::Variable { name } => Problem::runtime(format!(
                "The variable '${name}' specified for the field '{field}' is not defined"
            )),
            Nothing::Call(failed) => {
                let source = selector.source();
                Problem::state(
                    "States.IntrinsicFailure",
                    format!("The function '{source}' had the following error: {}", failed.0),
                )
            }
        })
    }

    /// The value of a path that stands alone, as in `InputPath`.
    pub fn path(&mut self, selector: &Selector) -> Result<Value, Problem> {
        self.select(selector).map_err(|nothing| {
            let source = selector.source();
            match nothing {
                Nothing::Path { reason } => {
                    Problem::runtime(format!("Invalid path '{source}' : {reason}"))
                }
                Nothing::Variable { name } => {
                    Problem::runtime(format!("The variable '${name}' is not defined"))
                }
                Nothing::Call(failed) => Problem::state("States.IntrinsicFailure", failed.0),
            }
        })
    }

    /// The value of a path, if it names one.
    pub fn find(&mut self, selector: &Selector) -> Option<Value> {
        self.select(selector).ok()
    }

    /// A part of `document`.
    pub fn place(&mut self, place: &Place, document: &Value) -> Result<Value, Problem> {
        match place {
            Place::Whole => Ok(document.clone()),
            Place::Nothing => Ok(Value::empty_object()),
            Place::At(Selector::Input(path)) => path.evaluate(document).map_err(|nothing| {
                let source = path.source();
                Problem::runtime(format!("Invalid path '{source}' : {}", nothing.reason))
            }),
            Place::At(selector) => self.path(selector),
        }
    }

    fn select(&mut self, selector: &Selector) -> Result<Value, Nothing> {
        let at = |path: &Path, document: &Value| {
            path.evaluate(document).map_err(|nothing| Nothing::Path { reason: nothing.reason })
        };
        match selector {
            Selector::Input(path) => at(path, self.input),
            Selector::Context(_, path) => at(path, &(self.context)()),
            Selector::Variable(name, path) => match (self.variable)(name) {
                Some(value) => at(path, &value),
                None => Err(Nothing::Variable { name: Arc::clone(name) }),
            },
            Selector::Call(_, call) => self.call(call),
        }
    }

    fn call(&mut self, call: &Call<Selector>) -> Result<Value, Nothing> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(match argument {
                Argument::Given(value) => value.clone(),
                Argument::Path(selector) => self.select(selector)?,
                Argument::Call(call) => self.call(call)?,
            });
        }
        intrinsic::call(call.function, &arguments, self.limits, self.entropy).map_err(Nothing::Call)
    }

    /// The value of a field that is given, or found now. `field` names it without `Path`.
    pub fn dynamic(&mut self, field: &str, dynamic: &Dynamic) -> Result<Value, Problem> {
        match dynamic {
            Dynamic::Given(value) => Ok(value.clone()),
            Dynamic::Path(selector) => self.path(selector),
            Dynamic::Query(query) => self.query(field, query),
        }
    }

    /// Whether the rule of a Choice state holds.
    pub fn holds(&mut self, condition: &Condition, index: usize) -> Result<bool, Problem> {
        match condition {
            Condition::Given(given) => Ok(*given),
            Condition::Query(query) => {
                let location = format!("Choices[{index}]/Condition");
                match self.query(&location, query)? {
                    Value::Bool(holds) => Ok(holds),
                    other => Err(unexpected(&location, query, "boolean", &other)),
                }
            }
            Condition::And(inner) => {
                for condition in inner {
                    if !self.holds(condition, index)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(inner) => {
                for condition in inner {
                    if self.holds(condition, index)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(inner) => Ok(!self.holds(inner, index)?),
            Condition::Test { variable, test } => self.test(variable, test),
        }
    }

    fn test(&mut self, variable: &Selector, test: &Test) -> Result<bool, Problem> {
        if let Test::Is { property: Property::Present, wanted } = test {
            return Ok(self.find(variable).is_some() == *wanted);
        }
        let value = self.path(variable)?;
        match test {
            Test::Is { property, wanted } => Ok(choice::has(*property, &value) == *wanted),
            Test::Matches(pattern) => {
                Ok(value.as_str().is_some_and(|text| choice::matches(pattern, text)))
            }
            Test::Compare { sort, relation, with } => {
                let with = match with {
                    Operand::Given(given) => given.clone(),
                    Operand::Path(selector) => self.path(selector)?,
                };
                Ok(choice::compare(*sort, *relation, &value, &with))
            }
        }
    }
}

/// The problem of an expression that gave a value of a wrong type.
pub(crate) fn unexpected(location: &str, query: &Query, wanted: &str, found: &Value) -> Problem {
    let (source, kind) = (query.source(), found.type_name());
    Problem::evaluation(
        Some(location),
        format!(
            "The JSONata expression '{source}' specified for the field '{location}' returned an \
             unexpected result type. Expected '{wanted}', but was '{kind}' for value: {found}"
        ),
    )
}
