//! Choice states.

use super::fields::Fields;
use super::{Compiler, Surroundings};
use crate::choice::{Condition, Operand, Operator, Sort, Test};
use crate::jsonata;
use crate::moment;
use crate::program::{Kind, Language, Rule};
use crate::selector::Selector;
use crate::value::Value;

/// Deeper rules are refused.
const DEPTH_MAX: usize = 50;

impl Compiler<'_> {
    pub(super) fn choice(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        surroundings: Surroundings<'_>,
    ) -> Option<Kind> {
        self.required(fields, "Choices");
        let default = self.target(fields, "Default", surroundings);
        let choices = self.array(fields, "Choices")?;
        if choices.is_empty() {
            self.finding(fields.at("Choices"), "Value cannot be empty");
        }
        let mut rules = Vec::with_capacity(choices.len());
        for (index, choice) in choices.iter().enumerate() {
            let at = format!("{}[{index}]", fields.at("Choices"));
            let Value::Object(members) = choice else {
                self.finding(at, "Expected value of type [OBJECT]");
                continue;
            };
            let rule = Fields::new(members, at);
            rules.extend(self.rule(&rule, language, surroundings));
        }
        Some(Kind::Choice { rules, default })
    }

    fn rule(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        surroundings: Surroundings<'_>,
    ) -> Option<Rule> {
        self.required(fields, "Next");
        let next = self.target(fields, "Next", surroundings);
        let assign = self.assign(fields, language);
        let (condition, output) = match language {
            Language::JsonPath => (self.condition(fields, 0), None),
            Language::Jsonata => {
                const KNOWN: [&str; 5] = ["Condition", "Next", "Assign", "Output", "Comment"];
                self.only(fields, &KNOWN);
                let output = self.template(fields, "Output", language);
                (self.query_condition(fields), output)
            }
        };
        Some(Rule { condition: condition?, next: next?, assign, output })
    }

    fn query_condition(&mut self, fields: &Fields<'_>) -> Option<Condition> {
        if !self.required(fields, "Condition") {
            return None;
        }
        match fields.get("Condition")? {
            Value::Bool(given) => Some(Condition::Given(*given)),
            Value::String(text) if jsonata::expression(text).is_some() => {
                let source = jsonata::expression(text)?;
                self.query(source, &fields.at("Condition")).map(Condition::Query)
            }
            _ => {
                let message = "The value for the field 'Condition' must be a valid JSONata \
                               expression or a boolean";
                self.finding(fields.at("Condition"), message);
                None
            }
        }
    }

    /// The condition of a rule; only the outermost one may have `Next` and `Assign`.
    fn condition(&mut self, fields: &Fields<'_>, depth: usize) -> Option<Condition> {
        if depth > DEPTH_MAX {
            self.finding(fields.here(), "The rule is nested too deeply");
            return None;
        }
        for name in ["And", "Or"] {
            let Some(items) = self.array(fields, name) else { continue };
            if items.is_empty() {
                self.finding(fields.at(name), "Value cannot be empty");
            }
            let mut inner = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                inner.push(self.inner(item, format!("{}[{index}]", fields.at(name)), depth));
            }
            let inner: Option<Vec<Condition>> = inner.into_iter().collect();
            return inner.map(if name == "And" { Condition::And } else { Condition::Or });
        }
        if let Some(inner) = fields.get("Not") {
            let inner = self.inner(inner, fields.at("Not"), depth)?;
            return Some(Condition::Not(Box::new(inner)));
        }
        if !self.required(fields, "Variable") {
            return None;
        }
        let text = self.string(fields, "Variable")?;
        let variable = Selector::parse_path(&text);
        if variable.is_none() {
            self.finding(fields.at("Variable"), "Value is not a valid JSONPath");
        }
        let test = self.test(fields);
        Some(Condition::Test { variable: variable?, test: test? })
    }

    fn inner(&mut self, value: &Value, at: String, depth: usize) -> Option<Condition> {
        let Value::Object(members) = value else {
            self.finding(at, "Expected value of type [OBJECT]");
            return None;
        };
        let fields = Fields::new(members, at);
        for name in ["Next", "Assign"] {
            if fields.has(name) {
                self.finding(fields.here(), format!("Field '{name}' is not supported"));
            }
        }
        self.condition(&fields, depth + 1)
    }

    fn test(&mut self, fields: &Fields<'_>) -> Option<Test> {
        let mut found = None;
        let mut count = 0;
        for name in fields.names() {
            if matches!(&**name, "Variable" | "Next" | "Assign" | "Comment") {
                continue;
            }
            match Operator::named(name) {
                Some(operator) => {
                    count += 1;
                    found = self.operand(fields, name, operator).or(found);
                }
                None => {
                    self.finding(fields.here(), format!("Field '{name}' is not supported"));
                }
            }
        }
        if count != 1 {
            let message = "A rule needs exactly one comparison operator";
            self.finding(fields.here(), message);
            return None;
        }
        found
    }

    fn operand(&mut self, fields: &Fields<'_>, name: &str, operator: Operator) -> Option<Test> {
        match operator {
            Operator::Matches => self.string(fields, name).map(Test::Matches),
            Operator::Is(property) => {
                let wanted = self.boolean(fields, name)?;
                Some(Test::Is { property, wanted })
            }
            Operator::Compare(sort, relation, true) => {
                let text = self.string(fields, name)?;
                let Some(selector) = Selector::parse_path(&text) else {
                    self.finding(fields.at(name), "Value is not a valid JSONPath");
                    return None;
                };
                Some(Test::Compare { sort, relation, with: Operand::Path(selector) })
            }
            Operator::Compare(sort, relation, false) => {
                let value = fields.get(name)?;
                let fits = match sort {
                    Sort::String => value.as_str().is_some(),
                    Sort::Numeric => value.as_f64().is_some(),
                    Sort::Boolean => value.as_bool().is_some(),
                    Sort::Timestamp => value.as_str().is_some_and(|text| {
                        let fits = moment::parse(text).is_some();
                        if !fits {
                            let message = "String does not match RFC3339 timestamp";
                            self.finding(fields.at(name), message);
                        }
                        fits
                    }),
                };
                if !fits {
                    if sort != Sort::Timestamp || value.as_str().is_none() {
                        let wanted = match sort {
                            Sort::Numeric => "NUMBER",
                            Sort::Boolean => "BOOLEAN",
                            _ => "STRING",
                        };
                        let message = format!("Expected value of type [{wanted}]");
                        self.finding(fields.at(name), message);
                    }
                    return None;
                }
                Some(Test::Compare { sort, relation, with: Operand::Given(value.clone()) })
            }
        }
    }
}
