//! Bytes to values and back, driven by a model. Pure functions: no input makes them panic or
//! allocate more than a fixed multiple of its size.

pub mod cbor;
pub mod event;
pub mod form;
pub mod json;
pub(crate) mod object;
pub mod query;
pub mod rest;
mod scalar;
pub(crate) mod text;
pub mod time;
pub mod typed;
pub mod uri;
pub mod xml;
pub mod xml_from_json;
pub mod xml_read;

pub(crate) use scalar::{append_blob, append_decoded, encode_blob};

#[cfg(test)]
mod tests;
