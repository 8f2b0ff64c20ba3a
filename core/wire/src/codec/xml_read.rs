//! XML bodies of rest-xml requests: a small reader that knows elements, attributes, text and
//! CDATA. Entities of a document type are refused, so nothing expands.

use super::scalar;
use crate::error::{Result, WireError};
use crate::limits::DEPTH_MAX;
use crate::model::{Kind, Location, Member, Model, Shape};
use crate::value::Value;

#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

/// Reads a body whose root element is `shape`.
pub fn read(model: &Model, shape: &Shape, body: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    if text.trim().is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    let root = parse(text).ok_or_else(malformed)?;
    value(model, shape, &root)
}

fn malformed() -> WireError {
    WireError::new("MalformedXML", 400, "The XML you provided was not well-formed.")
}

fn value(model: &Model, shape: &Shape, element: &Element) -> Result<Value> {
    match &shape.kind {
        Kind::Structure(members) => structure(model, members, element),
        Kind::List(member) => {
            let name = member.wire_name.as_deref().unwrap_or("member");
            items(model, member, element.children.iter().filter(|child| child.name == name))
        }
        Kind::Map(key, member) => {
            entries(model, key, member, element.children.iter().filter(|c| c.name == "entry"))
        }
        _ => scalar::read(shape, &element.text),
    }
}

fn structure(model: &Model, members: &[Member], element: &Element) -> Result<Value> {
    let mut values = Vec::new();
    for member in members.iter().filter(|member| member.location == Location::Body) {
        let shape = model.shape(member.shape);
        if member.xml_attribute {
            let local = member.wire();
            if let Some((_, text)) = element.attributes.iter().find(|(name, _)| name == local) {
                values.push((member.name.to_string(), scalar::read(shape, text)?));
            }
            continue;
        }
        let flattened = member.flattened || shape.flattened;
        let name = match &shape.kind {
            Kind::List(item) if flattened => item.wire_name.as_deref().unwrap_or(member.wire()),
            _ => member.wire(),
        };
        let mut found = element.children.iter().filter(|child| child.name == name).peekable();
        if found.peek().is_none() {
            continue;
        }
        let read = match &shape.kind {
            Kind::List(item) if flattened => items(model, item, found)?,
            Kind::Map(key, item) if flattened => entries(model, key, item, found)?,
            _ => match found.next() {
                Some(child) => value(model, shape, child)?,
                None => continue,
            },
        };
        values.push((member.name.to_string(), read));
    }
    Ok(Value::Map(values))
}

fn items<'a>(
    model: &Model,
    member: &Member,
    found: impl Iterator<Item = &'a Element>,
) -> Result<Value> {
    let shape = model.shape(member.shape);
    found.map(|child| value(model, shape, child)).collect::<Result<_>>().map(Value::List)
}

fn entries<'a>(
    model: &Model,
    key: &Member,
    member: &Member,
    found: impl Iterator<Item = &'a Element>,
) -> Result<Value> {
    let shape = model.shape(member.shape);
    let (key, name) =
        (key.wire_name.as_deref().unwrap_or("key"), member.wire_name.as_deref().unwrap_or("value"));
    let mut values = Vec::new();
    for entry in found {
        let child = |name: &str| entry.children.iter().find(|child| child.name == name);
        let (Some(key), Some(child)) = (child(key), child(name)) else { return Err(malformed()) };
        values.push((key.text.clone(), value(model, shape, child)?));
    }
    Ok(Value::Map(values))
}

// Elements that are open lie on a stack of our own: nesting costs no stack of the thread.
fn parse(text: &str) -> Option<Element> {
    let mut open: Vec<Element> = Vec::new();
    let mut rest = text;
    loop {
        let start = rest.find('<')?;
        let before = rest.get(..start)?;
        match open.last_mut() {
            Some(element) => unescape(before, &mut element.text)?,
            None if before.trim().trim_start_matches('\u{feff}').is_empty() => {}
            None => return None,
        }
        rest = rest.get(start..)?;
        if let Some(after) = rest.strip_prefix("<?") {
            rest = after.split_once("?>")?.1;
        } else if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->")?.1;
        } else if let Some(after) = rest.strip_prefix("<![CDATA[") {
            let (inside, after) = after.split_once("]]>")?;
            open.last_mut()?.text.push_str(inside);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("</") {
            let (name, after) = after.split_once('>')?;
            let mut element = open.pop()?;
            if local(name.trim()) != element.name {
                return None;
            }
            if !element.children.is_empty() {
                element.text.clear();
            }
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => return after.trim().is_empty().then_some(element),
            }
            rest = after;
        } else {
            let (element, empty, after) = tag(rest.strip_prefix('<')?)?;
            if open.len() == DEPTH_MAX {
                return None;
            }
            match (empty, open.last_mut()) {
                (false, _) => open.push(element),
                (true, Some(parent)) => parent.children.push(element),
                (true, None) => return after.trim().is_empty().then_some(element),
            }
            rest = after;
        }
    }
}

fn tag(text: &str) -> Option<(Element, bool, &str)> {
    let name_end = text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))?;
    let name = text.get(..name_end).filter(|name| !name.is_empty() && !name.starts_with('!'))?;
    let mut element = Element { name: local(name).to_owned(), ..Element::default() };
    let mut rest = text.get(name_end..)?.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("/>") {
            return Some((element, true, after));
        }
        if let Some(after) = rest.strip_prefix('>') {
            return Some((element, false, after));
        }
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after.get(1..)?.split_once(quote)?;
        let mut text = String::new();
        unescape(value, &mut text)?;
        element.attributes.push((name.trim().to_owned(), text));
        rest = after.trim_start();
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn unescape(text: &str, out: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(())
}
