//! The JSON of a policy. Stricter than JSON itself: a member that stands twice would hide a
//! condition, and a member with an unknown name (`Conditions`) would never be applied.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::statement::Statement;
use super::values::each;

const MEMBERS: [&str; 3] = ["Version", "Id", "Statement"];
const VERSIONS: [&str; 2] = ["2008-10-17", "2012-10-17"];

/// The statements of a policy, `None` if it is not JSON; the first flaw goes to `flaw`.
pub(super) fn read(text: &str, flaw: &mut Option<String>) -> Option<Vec<Statement>> {
    let mut note = |why: String| {
        flaw.get_or_insert(why);
    };
    let document = match serde_json::from_str(text) {
        Ok(Unique(Value::Object(document))) => document,
        Ok(_) => {
            note("A policy must be a JSON object.".to_owned());
            return Some(vec![Statement::deny_all()]);
        }
        Err(error) => {
            note(format!("The policy is not valid JSON: {error}."));
            return None;
        }
    };
    if let Some(name) = document.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        note(format!("A policy has no member '{name}'."));
    }
    let version = document.get("Version").map_or(Some(VERSIONS[0]), Value::as_str);
    if !version.is_some_and(|version| VERSIONS.contains(&version)) {
        note("Version must be '2012-10-17' or '2008-10-17'.".to_owned());
    }
    if document.get("Id").is_some_and(|id| !id.is_string()) {
        note("Id must be text.".to_owned());
    }
    let statements: Vec<&Value> = each(document.get("Statement")).collect();
    if statements.is_empty() {
        note("A policy needs at least one Statement.".to_owned());
    }
    // Only the newer version of the language knows variables.
    let with_variables = version != Some(VERSIONS[0]);
    let is_clear = flaw.is_none();
    let mut found = Vec::with_capacity(statements.len());
    for (place, statement) in statements.into_iter().enumerate() {
        let mut why = None;
        let mut statement = Statement::read(statement, with_variables, &mut why);
        if !is_clear {
            statement.doubt();
        }
        found.push(statement);
        if let Some(why) = why {
            flaw.get_or_insert(format!("Statement {}: {why}", place + 1));
        }
    }
    Some(found)
}

/// A JSON value in which every object names each member once.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            found.push(item);
        }
        Ok(Value::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut found = serde_json::Map::new();
        while let Some((name, Unique(value))) = members.next_entry::<String, Unique>()? {
            if found.contains_key(&name) {
                return Err(A::Error::custom(format!("member '{name}' stands twice")));
            }
            found.insert(name, value);
        }
        Ok(Value::Object(found))
    }
}
