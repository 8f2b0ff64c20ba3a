//! Attributes of a message as input: filter policies of the scope `MessageAttributes`.

use crate::error::InvalidEvent;
use crate::event::fields::{ExtractedFields, ROOT_ELEMENT};
use crate::event::flatten;
use crate::event::value::ValueKind;
use crate::paths::Paths;

/// An attribute of a message, as filter policies of the scope `MessageAttributes` see it.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// The attribute's name.
    pub name: &'a str,
    /// Its data type.
    pub kind: AttributeKind,
    /// Its value; a JSON array if it is a `String.Array`. Of a binary nothing is read.
    pub value: &'a str,
}

/// The data types of attributes, without what follows a dot in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// Compared as a string.
    String,
    /// Compared as a number.
    Number,
    /// There, and equal to nothing: only `exists` sees it.
    Binary,
    /// Each element of the array is compared by its own type.
    StringArray,
}

/// Finds the attributes that `paths` names; returns the text that the leaves refer to.
pub(crate) fn flatten_attributes(
    attributes: &[Attribute<'_>],
    paths: &Paths,
    extracted: &mut ExtractedFields,
) -> Result<(), InvalidEvent> {
    extracted.clear(paths.len());
    for attribute in attributes {
        let Some(field) = paths.find(attribute.name.as_bytes()) else {
            continue;
        };
        let kind = match attribute.kind {
            AttributeKind::String => ValueKind::Text,
            AttributeKind::Number => ValueKind::Number,
            AttributeKind::Binary => ValueKind::Binary,
            AttributeKind::StringArray => {
                flatten::array(attribute.value.as_bytes(), field, paths, extracted).map_err(
                    |error| named(error, "a String.Array that is a JSON array", attribute),
                )?;
                continue;
            }
        };
        if kind == ValueKind::Number && !flatten::is_number(attribute.value.as_bytes()) {
            let error = InvalidEvent::new("", 0);
            return Err(named(error, "a Number", attribute));
        }
        if !paths.node(field).is_named {
            continue;
        }
        let start = extracted.decoded.len();
        if kind != ValueKind::Binary {
            extracted.decoded.extend_from_slice(attribute.value.as_bytes());
        }
        extracted.push(field, kind, (start, extracted.decoded.len()), true, ROOT_ELEMENT);
    }
    Ok(())
}

fn named(error: InvalidEvent, wanted: &str, attribute: &Attribute<'_>) -> InvalidEvent {
    let message = format!("the value of the attribute {:?} is not {wanted}", attribute.name);
    InvalidEvent::new(message, error.offset)
}
