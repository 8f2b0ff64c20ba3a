//! One statement of a policy: whom it is about, which actions and resources, on which conditions.

use serde_json::{Map, Value};

use super::AuthorizationRequest;
use super::condition::Conditions;
use super::principal::Principals;
use super::template::Template;
use super::values::texts;

const MEMBERS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// A statement; a part that is not understood is `None`.
#[derive(Debug)]
pub(super) struct Statement {
    effect: Effect,
    principals: Option<Principals>,
    actions: Option<Listed>,
    resources: Option<Listed>,
    conditions: Option<Conditions>,
    /// Whether everything else in the statement, and around it, is understood.
    is_clear: bool,
}

impl Statement {
    /// What stands for a policy that cannot be read: it denies everything, for it was meant to deny
    /// something.
    pub fn deny_all() -> Self {
        Self {
            effect: Effect::Deny,
            principals: None,
            actions: None,
            resources: None,
            conditions: None,
            is_clear: false,
        }
    }

    /// Reads a statement; the first thing that is not understood goes to `flaw`.
    pub fn read(statement: &Value, with_variables: bool, flaw: &mut Option<String>) -> Self {
        let Value::Object(members) = statement else {
            flaw.get_or_insert("A statement must be a JSON object.".to_owned());
            return Self::deny_all();
        };
        let mut part = Parts { flaw };
        let unknown = members.keys().find(|name| !MEMBERS.contains(&name.as_str()));
        let only_known = match unknown {
            Some(name) => Err(format!("a statement has no member '{name}'.")),
            None if members.get("Sid").is_some_and(|sid| !sid.is_string()) => {
                Err("Sid must be text.".to_owned())
            }
            None => Ok(()),
        };
        let effect = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Ok(Effect::Allow),
            Some("Deny") => Ok(Effect::Deny),
            _ => Err("Effect must be 'Allow' or 'Deny'.".to_owned()),
        };
        Self {
            is_clear: part.note(only_known).is_some(),
            effect: part.note(effect).unwrap_or(Effect::Deny),
            principals: part.note(Principals::read(members)),
            actions: part.note(Listed::read(members, ["Action", "NotAction"], with_variables)),
            resources: part.note(Listed::read(
                members,
                ["Resource", "NotResource"],
                with_variables,
            )),
            conditions: part.note(Conditions::read(members.get("Condition"), with_variables)),
        }
    }

    /// Notes that something around the statement is not understood.
    pub fn doubt(&mut self) {
        self.is_clear = false;
    }

    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether the statement is about `request`; `None` if that cannot be told.
    pub fn applies(&self, request: &AuthorizationRequest<'_>) -> Option<bool> {
        let mut is_certain = self.is_clear;
        let parts = [
            self.principals.as_ref().map(|part| part.include(request)),
            self.actions.as_ref().and_then(|part| part.includes_action(request)),
            self.resources.as_ref().and_then(|part| part.includes(request.resource, request)),
            self.conditions.as_ref().and_then(|part| part.hold(request.keys)),
        ];
        for part in parts {
            match part {
                Some(false) => return Some(false),
                Some(true) => {}
                None => is_certain = false,
            }
        }
        is_certain.then_some(true)
    }
}

struct Parts<'a> {
    flaw: &'a mut Option<String>,
}

impl Parts<'_> {
    fn note<T>(&mut self, read: Result<T, String>) -> Option<T> {
        read.map_err(|why| self.flaw.get_or_insert(why)).ok()
    }
}

/// Actions or resources: those that are listed, or all others.
#[derive(Debug)]
struct Listed {
    /// Empty where the resource is left out: it is the one that the policy belongs to.
    names: Vec<Template>,
    is_negated: bool,
}

impl Listed {
    fn read(
        members: &Map<String, Value>,
        [plain, negated]: [&str; 2],
        with_variables: bool,
    ) -> Result<Self, String> {
        let (field, value, is_negated) = match (members.get(plain), members.get(negated)) {
            (Some(value), None) => (plain, value, false),
            (None, Some(value)) => (negated, value, true),
            (None, None) if plain == "Resource" => {
                return Ok(Self { names: Vec::new(), is_negated: true });
            }
            (None, None) => return Err(format!("{plain} is missing.")),
            (Some(_), Some(_)) => return Err(format!("{plain} and {negated} exclude each other.")),
        };
        let names = texts(value).ok_or_else(|| format!("{field} must be text or a list of it."))?;
        // Actions are compared without regard to case.
        let read = |name: &str| match plain {
            "Action" => Template::pattern(&name.to_ascii_lowercase(), false),
            _ => Template::pattern(name, with_variables),
        };
        let names: Result<Vec<Template>, String> = names.into_iter().map(read).collect();
        Ok(Self { names: names?, is_negated })
    }

    fn includes_action(&self, request: &AuthorizationRequest<'_>) -> Option<bool> {
        self.includes(&request.action.to_ascii_lowercase(), request)
    }

    fn includes(&self, text: &str, request: &AuthorizationRequest<'_>) -> Option<bool> {
        let mut is_certain = true;
        for name in &self.names {
            match name.matches(text, request.keys) {
                Some(true) => return Some(!self.is_negated),
                Some(false) => {}
                None => is_certain = false,
            }
        }
        is_certain.then_some(self.is_negated)
    }
}
