//! XML answers of the query and rest-xml protocols.

use super::scalar;
use crate::model::{Kind, Location, Member, Model, Shape, TimeFormat};
use crate::value::Value;

/// Which names an answer uses: the query protocol has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Names of forms and their answers.
    Query,
    /// Names of REST bodies.
    Rest,
}

impl Names {
    /// What a member is called.
    pub(super) fn of(self, member: &Member) -> Option<&str> {
        match self {
            Self::Query => member.query(),
            Self::Rest => member.wire_name.as_deref(),
        }
    }
}

/// Writes the members of a structure, without an element around them.
pub fn write_members(model: &Model, names: Names, shape: &Shape, value: &Value, out: &mut String) {
    let Kind::Structure(members) = &shape.kind else { return };
    for member in members {
        let in_body = member.location == Location::Body && !member.xml_attribute;
        if let (true, Some(value)) = (in_body, value.get(&member.name)) {
            let name = names.of(member).unwrap_or(&member.name);
            write_element(model, names, member, name, value, out);
        }
    }
}

/// Writes one member as an element, or as several when it is flattened.
pub fn write_element(
    model: &Model,
    names: Names,
    member: &Member,
    name: &str,
    value: &Value,
    out: &mut String,
) {
    if matches!(value, Value::Null) {
        return;
    }
    let shape = model.shape(member.shape);
    let flattened = member.flattened || shape.flattened;
    match (&shape.kind, value) {
        (Kind::List(element), Value::List(items)) => {
            let inner = names.of(element);
            if flattened {
                for item in items {
                    write_element(model, names, element, inner.unwrap_or(name), item, out);
                }
                return;
            }
            open(name, member, out);
            for item in items {
                write_element(model, names, element, inner.unwrap_or("member"), item, out);
            }
            close(name, out);
        }
        (Kind::Map(key, element), Value::Map(entries)) => {
            let entry_name = if flattened { name } else { "entry" };
            if !flattened {
                open(name, member, out);
            }
            for (text, value) in entries {
                out.push('<');
                out.push_str(entry_name);
                out.push('>');
                write_text_element(names.of(key).unwrap_or("key"), text, out);
                let value_name = names.of(element).unwrap_or("value");
                write_element(model, names, element, value_name, value, out);
                close(entry_name, out);
            }
            if !flattened {
                close(name, out);
            }
        }
        (Kind::Structure(_), Value::Map(_)) => {
            open_structure(name, member, shape, value, out);
            write_members(model, names, shape, value, out);
            close(name, out);
        }
        _ => {
            let format = member.time.or(shape.time).unwrap_or(TimeFormat::Iso);
            open(name, member, out);
            escape(&scalar::write(shape, value, format), out);
            close(name, out);
        }
    }
}

/// Writes `<name>text</name>`.
pub fn write_text_element(name: &str, text: &str, out: &mut String) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    escape(text, out);
    close(name, out);
}

pub(super) fn open(name: &str, member: &Member, out: &mut String) {
    out.push('<');
    out.push_str(name);
    if let Some((prefix, uri)) = &member.xml_namespace {
        out.push_str(" xmlns");
        if let Some(prefix) = prefix {
            out.push(':');
            out.push_str(prefix);
        }
        out.push_str("=\"");
        escape(uri, out);
        out.push('"');
    }
    out.push('>');
}

fn open_structure(name: &str, member: &Member, shape: &Shape, value: &Value, out: &mut String) {
    open(name, member, out);
    let Kind::Structure(members) = &shape.kind else { return };
    for attribute in members.iter().filter(|member| member.xml_attribute) {
        if let Some(text) = value.get(&attribute.name).and_then(Value::as_str) {
            out.pop();
            out.push(' ');
            out.push_str(attribute.wire());
            out.push_str("=\"");
            escape(text, out);
            out.push_str("\">");
        }
    }
}

pub(super) fn close(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Escapes text as AWS does: quotes and carriage returns too. Characters that XML cannot carry at
/// all become the replacement character, or no parser would read the answer.
pub fn escape(text: &str, out: &mut String) {
    // Most texts need no escaping: one pass without branches tells them apart.
    let is_escaped =
        |byte: u8| !(b' '..=b'~').contains(&byte) | matches!(byte, b'&' | b'<' | b'>' | b'"');
    if !text.bytes().fold(false, |found, byte| found | is_escaped(byte)) {
        return out.push_str(text);
    }
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                out.push(letter);
            }
            _ => out.push('\u{fffd}'),
        }
    }
}
