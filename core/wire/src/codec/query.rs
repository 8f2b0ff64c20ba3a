//! The query protocol's requests: dotted names of a form become a tree, the tree becomes a value.

use std::collections::BTreeMap;

use super::form::Form;
use super::scalar;
use crate::error::{Result, WireError};
use crate::limits::{DEPTH_MAX, FORM_INDEX_MAX};
use crate::model::{Kind, Member, Model, Shape};
use crate::value::Value;

#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

/// Reads the input of `shape` from a form.
pub fn read(model: &Model, shape: &Shape, form: &Form) -> Result<Value> {
    let mut root = Node::default();
    for (name, value) in form.pairs() {
        let mut node = &mut root;
        for (depth, part) in name.split('.').enumerate() {
            if depth == DEPTH_MAX {
                return Err(malformed("A parameter is nested too deeply."));
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.text.get_or_insert_with(|| value.clone());
    }
    structure(model, shape, &root)
}

fn structure(model: &Model, shape: &Shape, node: &Node) -> Result<Value> {
    let Kind::Structure(members) = &shape.kind else { return value(model, shape, node, false) };
    let mut values = Vec::new();
    for member in members {
        let target = model.shape(member.shape);
        let flattened = member.flattened || target.flattened;
        let own = member.query().unwrap_or(&member.name);
        // A flattened list goes by the name of its elements, where they have one.
        let name = match &target.kind {
            Kind::List(element) if flattened => element.query().unwrap_or(own),
            _ => own,
        };
        // Services accept the names with either first letter.
        let child = node.children.get(name).or_else(|| node.children.get(&capitalised(name)));
        if let Some(child) = child {
            values.push((member.name.to_string(), value(model, target, child, flattened)?));
        }
    }
    Ok(Value::Map(values))
}

fn value(model: &Model, shape: &Shape, node: &Node, flattened: bool) -> Result<Value> {
    match &shape.kind {
        Kind::Structure(_) => structure(model, shape, node),
        Kind::List(element) => list(model, element, node, flattened),
        Kind::Map(key, element) => map(model, key, element, node, flattened),
        _ => scalar::read(shape, node.text.as_deref().unwrap_or("")),
    }
}

fn list(model: &Model, element: &Member, node: &Node, flattened: bool) -> Result<Value> {
    let items = if flattened { Some(node) } else { wrapped(node, element.query(), "member") };
    let shape = model.shape(element.shape);
    let mut values = Vec::new();
    for item in numbered(items)? {
        values.push(value(model, shape, item, shape.flattened)?);
    }
    Ok(Value::List(values))
}

fn map(
    model: &Model,
    key: &Member,
    element: &Member,
    node: &Node,
    flattened: bool,
) -> Result<Value> {
    let entries = if flattened { Some(node) } else { wrapped(node, None, "entry") };
    let shape = model.shape(element.shape);
    let (key_name, value_name) = (key.query().unwrap_or("key"), element.query().unwrap_or("value"));
    let mut values = Vec::new();
    for entry in numbered(entries)? {
        let Some(key) = entry.children.get(key_name).and_then(|node| node.text.clone()) else {
            return Err(malformed(&format!("A map's entry has no {key_name}.")));
        };
        let value = match entry.children.get(value_name) {
            Some(node) => value(model, shape, node, shape.flattened)?,
            None => Value::Null,
        };
        values.push((key, value));
    }
    Ok(Value::Map(values))
}

// Some clients write `X.member.1` where the model has a name of its own, and the other way round.
fn wrapped<'a>(node: &'a Node, name: Option<&str>, default: &str) -> Option<&'a Node> {
    let named = name.and_then(|name| node.children.get(name));
    let direct = || node.children.keys().any(|key| key.parse::<usize>().is_ok()).then_some(node);
    named.or_else(|| node.children.get(default)).or_else(direct)
}

fn numbered(node: Option<&Node>) -> Result<Vec<&Node>> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let mut items = Vec::with_capacity(node.children.len());
    for (name, child) in &node.children {
        match name.parse::<usize>() {
            Ok(index) if index <= FORM_INDEX_MAX => items.push((index, child)),
            _ => return Err(malformed("A list's element has no valid number.")),
        }
    }
    items.sort_by_key(|(index, _)| *index);
    Ok(items.into_iter().map(|(_, child)| child).collect())
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn malformed(message: &str) -> WireError {
    WireError::new("MalformedInput", 400, message)
}
