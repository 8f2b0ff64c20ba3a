//! Message attributes as input, for filter policies of the scope `MessageAttributes`.

use crate::error::InvalidEvent;
use crate::event::fields::{ExtractedFields, ROOT_ELEMENT};
use crate::event::flatten;
use crate::event::value::ValueKind;
use crate::paths::Paths;

/// A message attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// The attribute's name.
    pub name: &'a str,
    /// Its data type.
    pub kind: AttributeKind,
    /// Its value; for `StringArray` a JSON array. The value of a `Binary` is not read.
    pub value: &'a str,
}

/// Data types of attributes, without custom suffixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// Compares as a string.
    String,
    /// Compares as a number.
    Number,
    /// Matches `exists` only.
    Binary,
    /// Each element compares by its own JSON type.
    StringArray,
}

/// Extracts the attributes that `paths` names.
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
