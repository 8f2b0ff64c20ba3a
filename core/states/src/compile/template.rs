//! Payload templates, paths and dynamic values.

use std::sync::Arc;

use super::Compiler;
use super::fields::Fields;
use crate::finding::Code;
use crate::jsonata::{self, Query};
use crate::path::ReferencePath;
use crate::program::template::Template;
use crate::program::{Assign, Dynamic, Language, Place, ResultPlace};
use crate::selector::{Selector, is_variable_name};
use crate::value::Value;

impl Compiler<'_> {
    /// The template of a field.
    pub(super) fn template(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        language: Language,
    ) -> Option<Template> {
        let value = fields.get(field)?;
        let at = fields.at(field);
        match language {
            Language::JsonPath => self.path_template(value, &at),
            Language::Jsonata => self.query_template(value, &at, field),
        }
    }

    /// JSON whose members with names that end with `.$` are expressions.
    pub(super) fn path_template(&mut self, value: &Value, at: &str) -> Option<Template> {
        match value {
            Value::Object(members) => {
                let mut made = Vec::with_capacity(members.len());
                let mut plain = true;
                for (key, value) in members.iter() {
                    let (key, template) = match key.strip_suffix(".$") {
                        Some(name) => (Arc::from(name), self.select(key, value, at)),
                        None => {
                            let inside = format!("{at}/{key}");
                            (Arc::clone(key), self.path_template(value, &inside))
                        }
                    };
                    let template = template?;
                    plain &= matches!(template, Template::Given(_));
                    made.push((key, template));
                }
                let given = || Template::Given(value.clone());
                Some(if plain { given() } else { Template::Object(made) })
            }
            Value::Array(items) => {
                let made = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.path_template(item, &format!("{at}[{index}]")));
                let made: Option<Vec<Template>> = made.collect();
                Some(array(value, made?))
            }
            other => Some(Template::Given(other.clone())),
        }
    }

    fn select(&mut self, key: &Arc<str>, value: &Value, at: &str) -> Option<Template> {
        let selector = value.as_str().and_then(Selector::parse);
        match selector {
            Some(selector) => Some(Template::Select { field: Arc::clone(key), selector }),
            None => {
                let message = format!(
                    "The value for the field '{key}' must be a valid JSONPath or a valid \
                     intrinsic function call"
                );
                self.finding(at, message);
                None
            }
        }
    }

    /// JSON whose strings in `{% %}` are expressions.
    fn query_template(&mut self, value: &Value, at: &str, location: &str) -> Option<Template> {
        match value {
            Value::String(text) => {
                let Some(source) = jsonata::expression(text) else {
                    return Some(Template::Given(value.clone()));
                };
                let query = self.query(source, at)?;
                Some(Template::Query { location: Arc::from(location), query })
            }
            Value::Object(members) => {
                let made = members.iter().map(|(key, value)| {
                    let template = self.query_template(
                        value,
                        &format!("{at}/{key}"),
                        &format!("{location}/{key}"),
                    );
                    Some((Arc::clone(key), template?))
                });
                let made: Option<Vec<_>> = made.collect();
                let made = made?;
                let plain = made.iter().all(|(_, item)| matches!(item, Template::Given(_)));
                let given = || Template::Given(value.clone());
                Some(if plain { given() } else { Template::Object(made) })
            }
            Value::Array(items) => {
                let made = items.iter().enumerate().map(|(index, item)| {
                    let at = format!("{at}[{index}]");
                    self.query_template(item, &at, &format!("{location}[{index}]"))
                });
                let made: Option<Vec<Template>> = made.collect();
                Some(array(value, made?))
            }
            other => Some(Template::Given(other.clone())),
        }
    }

    pub(super) fn query(&mut self, source: &str, at: &str) -> Option<Query> {
        match Query::parse(source) {
            Ok(query) => {
                if let Some(name) = query.top_level_reference() {
                    let message =
                        format!("Reference to '{name}' at the top level is not supported.");
                    let code = Code::UnsupportedJsonataExpression;
                    self.other(code, Some(at.to_owned()), message);
                    return None;
                }
                Some(query)
            }
            Err(message) => {
                let code = Code::InvalidJsonataExpression;
                self.other(code, Some(at.to_owned()), jsonata::without_code(&message));
                None
            }
        }
    }

    /// The variables that `Assign` sets.
    pub(super) fn assign(&mut self, fields: &Fields<'_>, language: Language) -> Assign {
        let Some(members) = self.object(fields, "Assign") else { return Assign::new() };
        for name in members.keys() {
            let name = name.strip_suffix(".$").unwrap_or(name);
            if !is_variable_name(name) || name == "states" {
                let message = format!("The variable name '{name}' is not valid");
                self.finding(fields.at("Assign"), message);
            }
        }
        match self.template(fields, "Assign", language) {
            Some(Template::Object(made)) => made,
            Some(Template::Given(Value::Object(members))) => members
                .iter()
                .map(|(name, value)| (Arc::clone(name), Template::Given(value.clone())))
                .collect(),
            _ => Assign::new(),
        }
    }

    /// `InputPath` or `OutputPath`.
    pub(super) fn place(&mut self, fields: &Fields<'_>, field: &str) -> Place {
        let Some(value) = fields.get(field) else { return Place::Whole };
        let text = match value {
            Value::Null => return Place::Nothing,
            Value::String(text) if &**text == "$" => return Place::Whole,
            Value::String(text) => text,
            _ => {
                self.finding(fields.at(field), "Expected value of type [STRING]");
                return Place::Whole;
            }
        };
        match Selector::parse_path(text) {
            Some(selector) => Place::At(selector),
            None => {
                self.finding(fields.at(field), "Value is not a valid JSONPath");
                Place::Whole
            }
        }
    }

    pub(super) fn result_place(&mut self, fields: &Fields<'_>) -> ResultPlace {
        let Some(value) = fields.get("ResultPath") else { return ResultPlace::Whole };
        let text = match value {
            Value::Null => return ResultPlace::Nothing,
            Value::String(text) => text,
            _ => {
                self.finding(fields.at("ResultPath"), "Expected value of type [STRING]");
                return ResultPlace::Whole;
            }
        };
        match ReferencePath::parse(text) {
            Some(path) if path.is_root() => ResultPlace::Whole,
            Some(path) => ResultPlace::At(path),
            None => {
                self.finding(fields.at("ResultPath"), "Value is not a Reference Path");
                ResultPlace::Whole
            }
        }
    }

    /// A path that a field of JSONPath mode holds: `SecondsPath`.
    pub(super) fn path_field(&mut self, fields: &Fields<'_>, field: &str) -> Option<Dynamic> {
        let text = self.string(fields, field)?;
        match Selector::parse_path(&text) {
            Some(selector) => Some(Dynamic::Path(selector)),
            None => {
                self.finding(fields.at(field), "Value is not a Reference Path");
                None
            }
        }
    }

    /// The expression that a field of JSONata mode holds, if it holds one.
    pub(super) fn query_field(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        language: Language,
    ) -> Option<Dynamic> {
        if language != Language::Jsonata {
            return None;
        }
        let source = jsonata::expression(fields.get(field)?.as_str()?)?;
        self.query(source, &fields.at(field)).map(Dynamic::Query)
    }

    /// Whether a field holds an expression.
    pub(super) fn is_query(fields: &Fields<'_>, field: &str, language: Language) -> bool {
        let text = fields.get(field).and_then(Value::as_str);
        language == Language::Jsonata && text.and_then(jsonata::expression).is_some()
    }

    /// A whole number: given, from a path (`<field>Path`), or from an expression.
    pub(super) fn dynamic_integer(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        language: Language,
        (least, most): (i64, i64),
    ) -> Option<Dynamic> {
        let path = format!("{field}Path");
        self.one_of(fields, &[field, &path]);
        if language == Language::JsonPath && fields.has(&path) {
            return self.path_field(fields, &path);
        }
        if Self::is_query(fields, field, language) {
            return self.query_field(fields, field, language);
        }
        self.integer(fields, field, least, most).map(|number| Dynamic::Given(number.into()))
    }
}

fn array(value: &Value, made: Vec<Template>) -> Template {
    if made.iter().all(|item| matches!(item, Template::Given(_))) {
        return Template::Given(value.clone());
    }
    Template::Array(made)
}
