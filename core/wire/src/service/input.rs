//! The input of an operation, as its protocol brought it.

use serde::Deserialize;

use crate::codec::query::{self, Node};
use crate::codec::{cbor, json};
use crate::error::Result;
use crate::model::{Model, Shape};

/// An input that was not read yet. Typed structures are read straight from it, whatever the
/// protocol; texts borrow from the request wherever nothing in them was escaped.
pub enum Input<'a> {
    /// A JSON document; nothing at all stands for an empty one.
    Json(&'a [u8]),
    /// Parameters of the query protocol, with the shape that says how they are named.
    Form(&'a Model, &'a Shape, Node<'a, 'a>),
    /// A CBOR document; nothing at all stands for an empty one.
    Cbor(&'a [u8]),
}

impl<'a> Input<'a> {
    /// Reads the input; what is malformed or has a wrong type is a `SerializationException`.
    pub fn read<T: Deserialize<'a>>(&self) -> Result<T> {
        match *self {
            Self::Json(body) => {
                let body = if body.is_empty() { b"{}" } else { body };
                serde_json::from_slice(body).map_err(|error| json::unreadable(&error))
            }
            Self::Form(model, shape, node) => query::from_node(model, shape, node),
            Self::Cbor(body) => {
                let body = if body.is_empty() { b"\xa0" } else { body };
                cbor::from_slice(body)
            }
        }
    }
}
