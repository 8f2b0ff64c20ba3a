//! The fields of an object of a definition, read with findings.

use std::sync::Arc;

use super::Compiler;
use crate::value::{Members, Value};

/// An object of a definition, and where it stands.
pub(super) struct Fields<'a> {
    members: &'a Members,
    at: String,
}

impl<'a> Fields<'a> {
    pub fn new(members: &'a Members, at: String) -> Fields<'a> {
        Fields { members, at }
    }

    pub fn members(&self) -> &'a Members {
        self.members
    }

    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &'a Arc<str>> {
        self.members.keys()
    }

    /// The location of the object.
    pub fn here(&self) -> String {
        if self.at.is_empty() { "/".to_owned() } else { self.at.clone() }
    }

    /// The location of a field.
    pub fn at(&self, field: &str) -> String {
        format!("{}/{field}", self.at)
    }
}

impl Compiler<'_> {
    /// Finds fields that do not belong here.
    pub(super) fn only(&mut self, fields: &Fields<'_>, known: &[&str]) {
        for name in fields.names() {
            if !known.contains(&&**name) {
                self.finding(fields.here(), format!("Field '{name}' is not supported"));
            }
        }
    }

    /// Finds that more than one of these fields is there.
    pub(super) fn one_of(&mut self, fields: &Fields<'_>, names: &[&str]) {
        let found: Vec<&str> = names.iter().copied().filter(|name| fields.has(name)).collect();
        if found.len() > 1 {
            let message =
                format!("There should only be one of the following fields: [{}]", found.join(", "));
            self.finding(fields.here(), message);
        }
    }

    /// Finds that a field is not there.
    pub(super) fn required(&mut self, fields: &Fields<'_>, name: &str) -> bool {
        if !fields.has(name) {
            let message = format!("The field '{name}' is required but was missing");
            self.finding(fields.here(), message);
        }
        fields.has(name)
    }

    pub(super) fn string(&mut self, fields: &Fields<'_>, name: &str) -> Option<Arc<str>> {
        match fields.get(name)? {
            Value::String(text) => Some(Arc::clone(text)),
            _ => {
                self.finding(fields.at(name), "Expected value of type [STRING]");
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, fields: &Fields<'_>, name: &str) -> Option<bool> {
        match fields.get(name)? {
            Value::Bool(value) => Some(*value),
            _ => {
                self.finding(fields.at(name), "Expected value of type [BOOLEAN]");
                None
            }
        }
    }

    pub(super) fn object<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Option<&'a Members> {
        match fields.get(name)? {
            Value::Object(members) => Some(members),
            _ => {
                self.finding(fields.at(name), "Expected value of type [OBJECT]");
                None
            }
        }
    }

    pub(super) fn array<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Option<&'a [Value]> {
        match fields.get(name)? {
            Value::Array(items) => Some(items),
            _ => {
                self.finding(fields.at(name), "Expected value of type [ARRAY]");
                None
            }
        }
    }

    pub(super) fn integer(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        least: i64,
        most: i64,
    ) -> Option<i64> {
        let value = fields.get(name)?;
        let Some(number) = value.as_i64() else {
            self.finding(fields.at(name), "Expected value of type [INTEGER]");
            return None;
        };
        if number < least {
            self.finding(fields.at(name), format!("Minimum value is {least}"));
            return None;
        }
        if number > most {
            self.finding(fields.at(name), format!("Maximum value is {most}"));
            return None;
        }
        Some(number)
    }

    pub(super) fn number(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        least: f64,
        most: f64,
    ) -> Option<f64> {
        let value = fields.get(name)?;
        let Some(number) = value.as_f64() else {
            self.finding(fields.at(name), "Expected value of type [NUMBER]");
            return None;
        };
        if number < least {
            self.finding(fields.at(name), format!("Minimum value is {least:?}"));
            return None;
        }
        if number > most {
            self.finding(fields.at(name), format!("Maximum value is {most:?}"));
            return None;
        }
        Some(number)
    }
}
