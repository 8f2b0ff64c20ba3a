//! The conditions of a statement: every operator and every key must hold; one value of several
//! suffices.

use serde_json::Value;

use super::operator::{Operand, Operator, Quantifier};
use super::template::Keys;
use super::values::each;

/// All conditions of a statement.
#[derive(Debug)]
pub(super) struct Conditions(Vec<Condition>);

#[derive(Debug)]
struct Condition {
    operator: Operator,
    key: String,
    values: Vec<Operand>,
}

impl Conditions {
    /// Reads the `Condition` of a statement; the error says what is not understood.
    pub fn read(conditions: Option<&Value>, with_variables: bool) -> Result<Self, String> {
        let mut found = Vec::new();
        let Some(conditions) = conditions else { return Ok(Self(found)) };
        let shape = || "Condition must be an object of operators, keys and values.".to_owned();
        for (name, tests) in conditions.as_object().ok_or_else(shape)? {
            let operator = Operator::named(name)
                .ok_or_else(|| format!("'{name}' is no condition operator."))?;
            for (key, values) in tests.as_object().ok_or_else(shape)? {
                let about = |why| format!("condition {name} {key}: {why}");
                let values: Result<Vec<Operand>, String> =
                    each(Some(values)).map(|value| operator.read(value, with_variables)).collect();
                let values = values.map_err(about)?;
                if values.is_empty() {
                    return Err(about("at least one value is needed.".to_owned()));
                }
                found.push(Condition { operator, key: key.clone(), values });
            }
        }
        Ok(Self(found))
    }

    /// Whether all conditions hold; `None` if that cannot be told.
    pub fn hold(&self, keys: Keys<'_>) -> Option<bool> {
        let mut is_certain = true;
        for condition in &self.0 {
            match condition.holds(keys) {
                Some(false) => return Some(false),
                Some(true) => {}
                None => is_certain = false,
            }
        }
        is_certain.then_some(true)
    }
}

impl Condition {
    fn holds(&self, keys: Keys<'_>) -> Option<bool> {
        let operator = &self.operator;
        let given = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(&self.key));
        let Some((_, given)) = given else {
            return Some(match operator.quantifier {
                _ if operator.is_null() => self.values.iter().any(Operand::is_true),
                _ if operator.if_exists => true,
                Quantifier::ForAnyValue => false,
                Quantifier::ForAllValues => true,
                // What is not there differs from everything.
                Quantifier::None => operator.is_negated,
            });
        };
        if operator.is_null() {
            return Some(self.values.iter().any(|value| !value.is_true()));
        }
        let mut is_certain = true;
        for value in &self.values {
            match value.matches(given, keys) {
                Some(true) => return Some(!operator.is_negated),
                Some(false) => {}
                None => is_certain = false,
            }
        }
        is_certain.then_some(operator.is_negated)
    }
}
