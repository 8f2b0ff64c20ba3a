//! Parameters of the query protocol read straight into typed structures. The shape says how they
//! are named; texts borrow from the form.

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{Node, is_flattened};
use crate::codec::scalar;
use crate::codec::typed::TypedError;
use crate::error::{Result, WireError};
use crate::model::{Kind, Model, Shape};
use crate::value::Value;

/// Reads a typed structure of `shape`.
pub fn from_node<'de, T: Deserialize<'de>>(
    model: &Model,
    shape: &Shape,
    node: Node<'_, 'de>,
) -> Result<T> {
    T::deserialize(Parameters { model, shape, node, flattened: false }).map_err(WireError::from)
}

#[derive(Clone, Copy)]
struct Parameters<'n, 'de> {
    model: &'n Model,
    shape: &'n Shape,
    node: Node<'n, 'de>,
    flattened: bool,
}

impl<'de> IntoDeserializer<'de, TypedError> for Parameters<'_, 'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Parameters<'_, 'de> {
    fn structure<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        let Kind::Structure(members) = &self.shape.kind else { return self.scalar(visitor) };
        let present = self.node.members(self.model, members).map(|(member, node)| {
            let shape = self.model.shape(member.shape);
            let flattened = is_flattened(self.model, member);
            (&*member.name, Self { shape, node, flattened, ..self })
        });
        visitor.visit_map(MapDeserializer::new(present))
    }

    fn scalar<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        let text = self.node.text().unwrap_or("");
        match self.shape.kind {
            // Bytes travel as base64; the typed structure decodes them.
            Kind::Text | Kind::Blob | Kind::Document => visitor.visit_borrowed_str(text),
            _ => match scalar::read(self.shape, text)? {
                Value::Bool(flag) => visitor.visit_bool(flag),
                Value::Int(number) => visitor.visit_i64(number),
                Value::Float(number) | Value::Time(number) => visitor.visit_f64(number),
                _ => visitor.visit_borrowed_str(text),
            },
        }
    }
}

impl<'de> Deserializer<'de> for Parameters<'_, 'de> {
    type Error = TypedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        let inside = |shape, node| {
            let flattened = self.model.shape(shape).flattened;
            Self { shape: self.model.shape(shape), node, flattened, ..self }
        };
        match &self.shape.kind {
            Kind::Structure(_) => self.structure(visitor),
            Kind::List(element) => {
                let items = self.node.items(element, self.flattened)?.into_iter();
                let items = items.map(|node| inside(element.shape, node));
                visitor.visit_seq(SeqDeserializer::new(items))
            }
            Kind::Map(key, element) => {
                let entries = self.node.entries(key, element, self.flattened)?.into_iter();
                let entries = entries.map(|(key, node)| {
                    (BorrowedStrDeserializer::new(key), inside(element.shape, node))
                });
                visitor.visit_map(MapDeserializer::new(entries))
            }
            _ => self.scalar(visitor),
        }
    }

    // What is not there is not visited at all.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
