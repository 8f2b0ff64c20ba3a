//! The query protocol's requests: dotted names of a form become a tree, and the tree becomes a
//! value or a typed structure.

mod typed;
mod value;

pub use typed::from_node;

use std::collections::BTreeMap;

use super::form::Form;
use crate::error::{Result, WireError};
use crate::limits::{DEPTH_MAX, FORM_INDEX_MAX};
use crate::model::{Kind, Member, Model, Shape};
use crate::value::Value;

/// The parameters under one name, split at their dots.
#[derive(Debug, Default)]
pub struct Node<'a> {
    text: Option<&'a str>,
    children: BTreeMap<&'a str, Node<'a>>,
}

/// Reads the input of `shape` from a form.
pub fn read(model: &Model, shape: &Shape, form: &Form) -> Result<Value> {
    value::structure(model, shape, &tree(form)?)
}

/// The parameters of a form as a tree.
pub fn tree(form: &Form) -> Result<Node<'_>> {
    let mut root = Node::default();
    for (name, value) in form.pairs() {
        let mut node = &mut root;
        for (depth, part) in name.split('.').enumerate() {
            if depth == DEPTH_MAX {
                return Err(malformed("A parameter is nested too deeply."));
            }
            node = node.children.entry(part).or_default();
        }
        node.text.get_or_insert(value);
    }
    Ok(root)
}

impl<'a> Node<'a> {
    /// The parameters of a member of a structure.
    fn member(&self, model: &Model, member: &Member) -> Option<&Node<'a>> {
        let target = model.shape(member.shape);
        let own = member.query().unwrap_or(&member.name);
        // A flattened list goes by the name of its elements, where they have one.
        let name = match &target.kind {
            Kind::List(element) if is_flattened(model, member) => element.query().unwrap_or(own),
            _ => own,
        };
        // Services accept the names with either first letter.
        self.children.get(name).or_else(|| self.children.get(&*capitalised(name)))
    }

    /// The elements of a list, in the order of their numbers.
    fn items(&self, element: &Member, flattened: bool) -> Result<Vec<&Node<'a>>> {
        let items = if flattened { Some(self) } else { self.wrapped(element.query(), "member") };
        numbered(items)
    }

    /// The entries of a map, in the order of their numbers: names, and the nodes of the values.
    fn entries(
        &self,
        key: &Member,
        element: &Member,
        flattened: bool,
    ) -> Result<Vec<(&'a str, &Node<'a>)>> {
        let entries = if flattened { Some(self) } else { self.wrapped(None, "entry") };
        let key_name = key.query().unwrap_or("key");
        let value_name = element.query().unwrap_or("value");
        let mut found = Vec::new();
        for entry in numbered(entries)? {
            let key = entry.children.get(key_name).and_then(|node| node.text);
            let key = key.ok_or_else(|| missing(key_name))?;
            let value = entry.children.get(value_name).ok_or_else(|| missing(value_name))?;
            found.push((key, value));
        }
        Ok(found)
    }

    // Some clients write `X.member.1` where the model has a name of its own, and the other way
    // round.
    fn wrapped(&self, name: Option<&str>, default: &str) -> Option<&Node<'a>> {
        let named = name.and_then(|name| self.children.get(name));
        named.or_else(|| self.children.get(default)).or_else(|| self.has_numbers().then_some(self))
    }

    fn has_numbers(&self) -> bool {
        self.children.keys().any(|key| key.parse::<usize>().is_ok())
    }
}

fn is_flattened(model: &Model, member: &Member) -> bool {
    member.flattened || model.shape(member.shape).flattened
}

fn numbered<'n, 'a>(node: Option<&'n Node<'a>>) -> Result<Vec<&'n Node<'a>>> {
    let Some(node) = node else { return Ok(Vec::new()) };
    if !node.has_numbers() {
        // A list without a number is a list of one; an empty parameter is an empty list.
        let is_empty = node.children.is_empty() && node.text.unwrap_or("").is_empty();
        return Ok(if is_empty { Vec::new() } else { vec![node] });
    }
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

fn missing(parameter: &str) -> WireError {
    let message = format!("The request must contain the parameter {parameter}.");
    WireError::new("MissingParameter", 400, message)
}
