//! An output in JSON as the members of an XML answer, without a value in between. Ours are written
//! in the order of their models; what is not, or is of a type that needs more care, is left to the
//! longer way by way of a value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::xml::{self, Names};
use crate::model::{Kind, Location, Member, Model, Shape};

/// Appends the members of the structure `shape` to `out`. False: nothing was appended.
pub fn write_members(
    model: &Model,
    names: Names,
    shape: &Shape,
    json: &[u8],
    out: &mut String,
) -> bool {
    let start = out.len();
    let Kind::Structure(members) = &shape.kind else { return false };
    let mut reader = serde_json::Deserializer::from_slice(json);
    let writer = Members { model, names, members, out };
    let is_written = writer.deserialize(&mut reader).is_ok() && reader.end().is_ok();
    if !is_written {
        out.truncate(start);
    }
    is_written
}

/// The members of a structure.
struct Members<'m, 'o> {
    model: &'m Model,
    names: Names,
    members: &'m [Member],
    out: &'o mut String,
}

impl<'de> DeserializeSeed<'de> for Members<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { model, names, members, out } = self;
        let mut next = 0;
        while let Some(key) = map.next_key::<&str>()? {
            let Some(place) = members.iter().position(|member| member.wire() == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let member = &members[place];
            if place < next || member.xml_attribute || member.location != Location::Body {
                return Err(A::Error::custom("a member out of its order, or of another place"));
            }
            next = place + 1;
            let name = names.of(member).unwrap_or(&member.name);
            map.next_value_seed(Element { model, names, member, name, out })?;
        }
        Ok(())
    }
}

/// A member of a structure or an element of a list.
struct Element<'m, 'o> {
    model: &'m Model,
    names: Names,
    member: &'m Member,
    name: &'m str,
    out: &'o mut String,
}

impl Element<'_, '_> {
    fn kind(&self) -> &Kind {
        &self.model.shape(self.member.shape).kind
    }

    fn write<E: Error>(self, is_of_its_kind: bool, text: &str) -> Result<(), E> {
        if !is_of_its_kind {
            return Err(E::custom("a value of another kind"));
        }
        xml::open(self.name, self.member, self.out);
        xml::escape(text, self.out);
        xml::close(self.name, self.out);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a flag, a list or a structure")
    }

    // A member without a value is none.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        let is_bool = matches!(self.kind(), Kind::Bool);
        self.write(is_bool, if flag { "true" } else { "false" })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        let fits = match self.kind() {
            Kind::Int => i32::try_from(number).is_ok(),
            Kind::Long => i64::try_from(number).is_ok(),
            _ => false,
        };
        self.write(fits, &number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let is_text = matches!(self.kind(), Kind::Text);
        self.write(is_text, text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { model, names, member: list, name, out } = self;
        let shape = model.shape(list.shape);
        let Kind::List(member) = &shape.kind else {
            return Err(A::Error::custom("a list where none belongs"));
        };
        let is_flattened = list.flattened || shape.flattened;
        let default = if is_flattened { name } else { "member" };
        let inner = names.of(member).unwrap_or(default);
        if !is_flattened {
            xml::open(name, list, out);
        }
        loop {
            let item = Element { model, names, member, name: inner, out: &mut *out };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
        }
        if !is_flattened {
            xml::close(name, out);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Self { model, names, member, name, out } = self;
        let Kind::Structure(members) = &model.shape(member.shape).kind else {
            return Err(A::Error::custom("a structure where none belongs"));
        };
        xml::open(name, member, out);
        Members { model, names, members, out: &mut *out }.visit_map(map)?;
        xml::close(name, out);
        Ok(())
    }
}
