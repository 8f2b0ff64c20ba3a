//! Parameters of the query protocol as a value, for the control plane.

use super::{Node, is_flattened};
use crate::codec::scalar;
use crate::error::Result;
use crate::model::{Kind, Model, Shape};
use crate::value::Value;

pub(super) fn structure(model: &Model, shape: &Shape, node: Node<'_, '_>) -> Result<Value> {
    let Kind::Structure(members) = &shape.kind else { return value(model, shape, node, false) };
    let mut values = Vec::new();
    for (member, child) in node.members(model, members) {
        let flattened = is_flattened(model, member);
        let value = value(model, model.shape(member.shape), child, flattened)?;
        values.push((member.name.to_string(), value));
    }
    Ok(Value::Map(values))
}

fn value(model: &Model, shape: &Shape, node: Node<'_, '_>, flattened: bool) -> Result<Value> {
    match &shape.kind {
        Kind::Structure(_) => structure(model, shape, node),
        Kind::List(element) => {
            let shape = model.shape(element.shape);
            let items = node.items(element, flattened)?.into_iter();
            let items = items.map(|item| value(model, shape, item, shape.flattened));
            Ok(Value::List(items.collect::<Result<_>>()?))
        }
        Kind::Map(key, element) => {
            let shape = model.shape(element.shape);
            let entries = node.entries(key, element, flattened)?.into_iter();
            let entries = entries.map(|(key, node)| {
                value(model, shape, node, shape.flattened).map(|value| (key.to_owned(), value))
            });
            Ok(Value::Map(entries.collect::<Result<_>>()?))
        }
        _ => scalar::read(shape, node.text().unwrap_or("")),
    }
}
