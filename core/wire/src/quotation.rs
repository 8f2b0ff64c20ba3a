//! A list or map of an input as AWS quotes it: the way in which Java prints it.

use std::fmt::Write as _;

use crate::limits::QUOTE_CHARS_MAX;
use crate::model::{Kind, Member, Model, Shape};
use crate::value::Value;

/// The first characters of what AWS writes for `value`.
pub(crate) fn quote(model: &Model, shape: &Shape, value: &Value) -> String {
    let mut out = String::new();
    Quotation { model, out: &mut out }.value(shape, value);
    out.chars().take(QUOTE_CHARS_MAX).collect()
}

struct Quotation<'a> {
    model: &'a Model,
    out: &'a mut String,
}

impl Quotation<'_> {
    fn value(&mut self, shape: &Shape, value: &Value) {
        // What is cut off need not be written.
        if self.out.len() > 4 * QUOTE_CHARS_MAX {
            return;
        }
        match (&shape.kind, value) {
            (Kind::Structure(members), Value::Map(entries)) => {
                self.text(&shape.name);
                self.all(("(", ")"), members, |quotation, member| {
                    let given = entries.iter().find(|(name, _)| **name == *member.name);
                    let value = given.map_or(&Value::Null, |(_, value)| value);
                    quotation.member(&lower(&member.name), member, value);
                });
            }
            (Kind::List(member), Value::List(items)) => {
                self.all(("[", "]"), items, |quotation, item| {
                    quotation.value(quotation.model.shape(member.shape), item);
                });
            }
            (Kind::Map(_, member), Value::Map(entries)) => {
                self.all(("{", "}"), entries, |quotation, (key, value)| {
                    quotation.member(key, member, value);
                });
            }
            (_, Value::Text(text)) => self.text(text),
            (_, Value::Bool(truth)) => drop(write!(self.out, "{truth}")),
            (_, Value::Int(number)) => drop(write!(self.out, "{number}")),
            (_, Value::Float(number) | Value::Time(number)) => drop(write!(self.out, "{number}")),
            (_, Value::Blob(bytes)) => drop(write!(self.out, "[a blob of {}]", bytes.len())),
            _ => self.text("null"),
        }
    }

    fn member(&mut self, name: &str, member: &Member, value: &Value) {
        self.text(name);
        self.text("=");
        self.value(self.model.shape(member.shape), value);
    }

    fn all<T>(
        &mut self,
        (open, close): (&str, &str),
        parts: &[T],
        mut write: impl FnMut(&mut Self, &T),
    ) {
        self.text(open);
        for (place, part) in parts.iter().enumerate() {
            self.text(if place > 0 { ", " } else { "" });
            write(self, part);
        }
        self.text(close);
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }
}

/// Members are written in lower camel case whatever the model has.
fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
