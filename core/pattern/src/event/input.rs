//! What is matched: a JSON text, or the attributes of a message.

use crate::error::InvalidEvent;
use crate::event::fields::{Found, OUTSIDE};
use crate::event::flatten;
use crate::event::value::Kind;
use crate::json::escape::push_unit;
use crate::limits::EVENT_DEPTH_MAX;
use crate::paths::Paths;

/// An event: a JSON object as UTF-8 text.
///
/// ```
/// use trunkline_pattern::{Dialect, Event, Limits, Pattern};
/// let pattern = Pattern::compile(br#"{"a":["x"]}"#, Dialect::EventPattern, &Limits::default())?;
/// assert!(pattern.matches(Event::new(br#"{"a":"x"}"#))?);
/// assert!(pattern.matches(Event::new(br#"{"a":"x"#)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) is_trusted: bool,
    pub(crate) is_plain: bool,
    pub(crate) depth_max: usize,
}

/// Nesting that no limit raises: a walk calls itself for each level of a rule's path.
const DEPTH_CEILING: usize = 4096;

impl<'a> Event<'a> {
    /// An event that is validated while it is read: all of it is JSON, or the match is an error.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, is_trusted: false, is_plain: false, depth_max: EVENT_DEPTH_MAX }
    }

    /// An event that the caller has validated: what no rule names is skipped unread. All of it is
    /// passed over nevertheless, because of two members with one key the last counts.
    ///
    /// A text that is no JSON gives an error or some answer, and nothing worse.
    pub fn trusted(text: &'a [u8]) -> Self {
        Self { is_trusted: true, ..Self::new(text) }
    }

    /// An event that the caller has validated, in which no object has a key twice and no key has a
    /// dot: reading ends as soon as everything that rules name was met.
    pub fn plain(text: &'a [u8]) -> Self {
        Self { is_plain: true, ..Self::trusted(text) }
    }

    /// The same event, refused where it is nested deeper than this (at most 4,096).
    #[must_use]
    pub fn depth(self, depth_max: usize) -> Self {
        Self { depth_max: depth_max.min(DEPTH_CEILING), ..self }
    }

    /// Finds the values at `paths`.
    pub(crate) fn walk(&self, paths: &Paths, found: &mut Found) -> Result<(), InvalidEvent> {
        found.clear(paths.len());
        if u32::try_from(self.text.len()).is_err() {
            return Err(InvalidEvent::new("it is larger than 4 GiB", 0));
        }
        if self.is_trusted {
            flatten::trusted(self, paths, found)?;
        } else {
            flatten::strict(self, paths, found)?;
        }
        found.settle();
        Ok(())
    }
}

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
pub(crate) fn walk_attributes(
    attributes: &[Attribute<'_>],
    paths: &Paths,
    found: &mut Found,
) -> Result<(), InvalidEvent> {
    found.clear(paths.len());
    for attribute in attributes {
        let Some(field) = paths.find(attribute.name.as_bytes()) else {
            continue;
        };
        let kind = match attribute.kind {
            AttributeKind::String => Kind::Text,
            AttributeKind::Number => Kind::Number,
            AttributeKind::Binary => Kind::Binary,
            AttributeKind::StringArray => {
                flatten::array(attribute.value.as_bytes(), field, paths, found).map_err(
                    |error| named(error, "a String.Array that is a JSON array", attribute),
                )?;
                continue;
            }
        };
        if kind == Kind::Number && !flatten::is_number(attribute.value.as_bytes()) {
            let error = InvalidEvent::new("", 0);
            return Err(named(error, "a Number", attribute));
        }
        if !paths.node(field).is_named {
            continue;
        }
        let start = found.decoded.len();
        if kind != Kind::Binary {
            found.decoded.extend_from_slice(attribute.value.as_bytes());
        }
        found.push(field, kind, (start, found.decoded.len()), true, OUTSIDE);
    }
    Ok(())
}

fn named(error: InvalidEvent, wanted: &str, attribute: &Attribute<'_>) -> InvalidEvent {
    let message = format!("the value of the attribute {:?} is not {wanted}", attribute.name);
    InvalidEvent::new(message, error.offset)
}

/// Decodes a string that has escapes; `text` is what stands between its quotes.
pub(crate) fn decode(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    let from = out.len();
    while at < text.len() {
        let plain = memchr::memchr(b'\\', &text[at..]).map_or(text.len(), |found| at + found);
        out.extend_from_slice(&text[at..plain]);
        at = plain + 1;
        match text.get(at) {
            Some(b'u') => {
                let digits = text.get(at + 1..at + 5).unwrap_or_default();
                let unit = digits.iter().fold(0, |unit, &digit| {
                    unit << 4 | char::from(digit).to_digit(16).unwrap_or(0)
                });
                // Halves of a pair join only if both belong to this string.
                let mut own = out.split_off(from);
                push_unit(&mut own, unit);
                out.append(&mut own);
                at += 5;
            }
            Some(&byte) => {
                out.push(crate::json::escape::plain_escape(byte).unwrap_or(byte));
                at += 1;
            }
            None => {}
        }
    }
}
