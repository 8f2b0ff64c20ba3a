//! CBOR read straight into typed structures. Texts and bytes borrow from the body.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{INDEFINITE, Reader, malformed};
use crate::codec::typed::TypedError;
use crate::error::{Result, WireError};
use crate::limits::DEPTH_MAX;
use crate::value::Value;

/// Reads a typed structure from a whole body.
pub fn from_slice<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T> {
    let mut reader = Reader { rest: body, values: 0 };
    let value = T::deserialize(Typed { reader: &mut reader, depth: 0 }).map_err(WireError::from)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(malformed()) }
}

struct Typed<'r, 'de> {
    reader: &'r mut Reader<'de>,
    depth: usize,
}

impl<'de> Deserializer<'de> for Typed<'_, 'de> {
    type Error = TypedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        if self.depth > DEPTH_MAX {
            return Err(malformed().into());
        }
        let head = self.reader.take(1)?[0];
        let (major, info) = (head >> 5, head & 31);
        let depth = self.depth + 1;
        match major {
            0 => visitor.visit_u64(self.reader.number(info)?),
            1 => {
                let number = i64::try_from(self.reader.number(info)?).map_err(|_| malformed())?;
                visitor.visit_i64(-1 - number)
            }
            2 if info == INDEFINITE => visitor.visit_byte_buf(self.reader.bytes(info, 2)?),
            2 => {
                let length = self.reader.number(info)?;
                visitor.visit_borrowed_bytes(self.reader.take(length)?)
            }
            3 if info == INDEFINITE => visitor.visit_string(self.reader.text(info)?),
            3 => {
                let length = self.reader.number(info)?;
                let bytes = self.reader.take(length)?;
                visitor.visit_borrowed_str(std::str::from_utf8(bytes).map_err(|_| malformed())?)
            }
            4 => {
                let left = self.reader.length(info)?;
                visitor.visit_seq(Elements { reader: self.reader, left, depth })
            }
            5 => {
                let left = self.reader.length(info)?;
                visitor.visit_map(Elements { reader: self.reader, left, depth })
            }
            6 => {
                self.reader.number(info)?;
                Self { reader: self.reader, depth }.deserialize_any(visitor)
            }
            _ => match self.reader.simple(info)? {
                Value::Bool(flag) => visitor.visit_bool(flag),
                // Some encoders write whole numbers as floats.
                Value::Float(n) if n.fract() == 0.0 && n.abs() < 9e15 => {
                    visitor.visit_i64(n as i64)
                }
                Value::Float(number) => visitor.visit_f64(number),
                _ => visitor.visit_unit(),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.reader.rest.first() {
            Some(0xf6 | 0xf7) => {
                self.reader.take(1)?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
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

/// The elements of an array, or the keys and values of a map.
struct Elements<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: Option<u64>,
    depth: usize,
}

impl<'de> Elements<'_, 'de> {
    fn seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TypedError> {
        seed.deserialize(Typed { reader: self.reader, depth: self.depth })
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = TypedError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TypedError> {
        let has_more = self.reader.more(&mut self.left);
        has_more.then(|| self.seed(seed)).transpose()
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = TypedError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TypedError> {
        let has_more = self.reader.more(&mut self.left);
        has_more.then(|| self.seed(seed)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TypedError> {
        self.seed(seed)
    }
}
