//! The query protocol's requests: dotted names of a form become a tree, and the tree becomes a
//! value or a typed structure.

mod typed;
mod value;

pub use typed::from_node;

use std::cmp::Ordering;

use super::form::Form;
use crate::error::{Result, WireError};
use crate::limits::{DEPTH_MAX, FORM_INDEX_MAX};
use crate::model::{Kind, Member, Model, Shape};
use crate::value::Value;

/// The parameters of a form in the order of their names, part by part: those under one name lie
/// side by side, so nodes are slices.
pub struct Tree<'a>(Vec<(&'a str, &'a str)>);

/// The parameters under one name, split at their dots.
#[derive(Debug, Clone, Copy)]
pub struct Node<'n, 'a> {
    pairs: &'n [(&'a str, &'a str)],
    /// The length of the name, with the dot behind it.
    prefix: usize,
}

/// Reads the input of `shape` from a form.
pub fn read(model: &Model, shape: &Shape, form: &Form<'_>) -> Result<Value> {
    value::structure(model, shape, tree(form)?.root())
}

/// The parameters of a form as a tree.
pub fn tree<'a>(form: &'a Form<'_>) -> Result<Tree<'a>> {
    let mut pairs = Vec::with_capacity(form.pairs().len());
    for (name, value) in form.pairs() {
        if memchr::memchr_iter(b'.', name.as_bytes()).count() >= DEPTH_MAX {
            return Err(malformed("A parameter is nested too deeply."));
        }
        pairs.push((&**name, &**value));
    }
    // Stable: of two values with one name the first one counts. Names have nothing below a dot as a
    // rule: then their bytes are in the order that is wanted, and are compared in wide steps.
    let is_plain = |name: &str| !name.bytes().fold(false, |found, byte| found | (byte < b'.'));
    if pairs.iter().all(|(name, _)| is_plain(name)) {
        pairs.sort_by_key(|(name, _)| *name);
    } else {
        pairs.sort_by(|(one, _), (other, _)| by_parts(one, other));
    }
    Ok(Tree(pairs))
}

/// The order of two names in which a dot comes before every other byte.
fn by_parts(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let next = |name: &[u8]| name.get(same).map(|byte| (*byte != b'.', *byte));
    next(one).cmp(&next(other))
}

impl<'a> Tree<'a> {
    /// All parameters.
    pub fn root(&self) -> Node<'_, 'a> {
        Node { pairs: &self.0, prefix: 0 }
    }
}

impl<'n, 'a> Node<'n, 'a> {
    /// The value of the name itself.
    fn text(&self) -> Option<&'a str> {
        let (name, value) = self.pairs.first()?;
        (self.prefix > 0 && name.len() < self.prefix).then_some(*value)
    }

    /// The children: what their names are called in this node, and the parameters under each.
    fn children(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'n, 'a> {
        let (mut rest, prefix) = (self.pairs, self.prefix);
        while rest.first().is_some_and(|(name, _)| name.len() < prefix) {
            rest = &rest[1..];
        }
        std::iter::from_fn(move || {
            let part = part_of(rest.first()?.0, prefix);
            let (pairs, others) = rest.split_at(count_under(rest, prefix, part));
            rest = others;
            Some((part, Node { pairs, prefix: prefix + part.len() + 1 }))
        })
    }

    fn child(&self, wanted: &str) -> Option<Self> {
        let is_before = |(name, _): &(&str, &str)| {
            name.len() < self.prefix || by_parts(part_of(name, self.prefix), wanted).is_lt()
        };
        let rest = match self.pairs.len() {
            ..=FEW => {
                let is_there = |pair| is_under(pair, self.prefix, wanted);
                &self.pairs[self.pairs.iter().position(is_there)?..]
            }
            _ => &self.pairs[self.pairs.partition_point(is_before)..],
        };
        let count = count_under(rest, self.prefix, wanted);
        let prefix = self.prefix + wanted.len() + 1;
        (count > 0).then(|| Self { pairs: &rest[..count], prefix })
    }

    fn is_leaf(&self) -> bool {
        self.children().next().is_none()
    }

    /// The members of a structure that are there, in the order of the model, and the parameters of
    /// each.
    fn members<'m>(
        &self,
        model: &'m Model,
        members: &'m [Member],
    ) -> impl Iterator<Item = (&'m Member, Self)> + use<'m, 'n, 'a> {
        // A structure may have many members, and few of them are there.
        let children: Vec<_> = self.children().collect();
        let find = move |wanted: &str| {
            children.iter().find(|(name, _)| *name == wanted).map(|(_, node)| *node)
        };
        members.iter().filter_map(move |member| {
            let own = member.query().unwrap_or(&member.name);
            // A flattened list goes by the name of its elements, where they have one.
            let name = match &model.shape(member.shape).kind {
                Kind::List(element) if is_flattened(model, member) => {
                    element.query().unwrap_or(own)
                }
                _ => own,
            };
            // Services accept the names with a capital, and those of the model, as well.
            let named = find(name).or_else(|| find(&capitalised(name)?));
            let node = named.or_else(|| match name == &*member.name {
                true => None,
                false => find(&member.name),
            });
            node.map(|node| (member, node))
        })
    }

    /// The elements of a list, in the order of their numbers.
    fn items(&self, element: &Member, flattened: bool) -> Result<Vec<Self>> {
        let items = if flattened { Some(*self) } else { self.wrapped(element.query(), "member") };
        numbered(items)
    }

    /// The entries of a map, in the order of their numbers: names, and the nodes of the values.
    fn entries(
        &self,
        key: &Member,
        element: &Member,
        flattened: bool,
    ) -> Result<Vec<(&'a str, Self)>> {
        let entries = if flattened { Some(*self) } else { self.wrapped(None, "entry") };
        let key_name = key.query().unwrap_or("key");
        let value_name = element.query().unwrap_or("value");
        let mut found = Vec::new();
        for entry in numbered(entries)? {
            let key = entry.child(key_name).and_then(|node| node.text());
            let key = key.ok_or_else(|| missing(key_name))?;
            let value = entry.child(value_name).ok_or_else(|| missing(value_name))?;
            found.push((key, value));
        }
        Ok(found)
    }

    // Some clients write `X.member.1` where the model has a name of its own, and the other way
    // round.
    fn wrapped(&self, name: Option<&str>, default: &str) -> Option<Self> {
        let named = name.and_then(|name| self.child(name));
        named.or_else(|| self.child(default)).or_else(|| self.has_numbers().then_some(*self))
    }

    fn has_numbers(&self) -> bool {
        self.children().any(|(key, _)| key.parse::<usize>().is_ok())
    }
}

fn is_flattened(model: &Model, member: &Member) -> bool {
    member.flattened || model.shape(member.shape).flattened
}

/// The part of a name behind `prefix` bytes, up to the next dot.
fn part_of(name: &str, prefix: usize) -> &str {
    let rest = name.get(prefix..).unwrap_or_default();
    &rest[..memchr::memchr(b'.', rest.as_bytes()).unwrap_or(rest.len())]
}

/// Most names have this many parameters, or fewer: they are looked through one by one.
const FEW: usize = 8;

/// Whether a parameter lies under `part`.
fn is_under((name, _): &(&str, &str), prefix: usize, part: &str) -> bool {
    let rest = name.as_bytes().get(prefix..).and_then(|rest| rest.strip_prefix(part.as_bytes()));
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'.'))
}

/// How many of the parameters, of which those under one name lie side by side, lie under `part`.
fn count_under(pairs: &[(&str, &str)], prefix: usize, part: &str) -> usize {
    let is_under = |pair: &(&str, &str)| is_under(pair, prefix, part);
    let few = pairs.iter().take(FEW).take_while(|pair| is_under(pair)).count();
    if few < FEW { few } else { FEW + pairs[FEW..].partition_point(is_under) }
}

fn numbered<'n, 'a>(node: Option<Node<'n, 'a>>) -> Result<Vec<Node<'n, 'a>>> {
    let Some(node) = node else { return Ok(Vec::new()) };
    if !node.has_numbers() {
        // A list without a number is a list of one; an empty parameter is an empty list.
        let is_empty = node.is_leaf() && node.text().unwrap_or("").is_empty();
        return Ok(if is_empty { Vec::new() } else { vec![node] });
    }
    let mut items = Vec::new();
    for (name, child) in node.children() {
        match name.parse::<usize>() {
            Ok(index) if index <= FORM_INDEX_MAX => items.push((index, child)),
            _ => return Err(malformed("A list's element has no valid number.")),
        }
    }
    items.sort_by_key(|(index, _)| *index);
    Ok(items.into_iter().map(|(_, child)| child).collect())
}

/// A name that begins with a small letter, with a capital.
fn capitalised(name: &str) -> Option<String> {
    let mut letters = name.chars();
    let first = letters.next().filter(|first| first.is_lowercase())?;
    Some(first.to_uppercase().chain(letters).collect())
}

fn malformed(message: &str) -> WireError {
    WireError::new("MalformedInput", 400, message)
}

fn missing(parameter: &str) -> WireError {
    let message = format!("The request must contain the parameter {parameter}.");
    WireError::new("MissingParameter", 400, message)
}
