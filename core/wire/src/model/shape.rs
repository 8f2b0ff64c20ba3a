//! Shapes: the types of a service model.

use std::sync::OnceLock;

use regex::Regex;

use crate::limits::PATTERN_BYTES_MAX;

/// A place in a model's table of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShapeId(pub u32);

/// One type.
#[derive(Debug)]
pub struct Shape {
    /// Its name in the model.
    pub name: Box<str>,
    /// What it is.
    pub kind: Kind,
    /// What its values must satisfy.
    pub constraints: Constraints,
    /// Set for errors.
    pub error: Option<ErrorTrait>,
    /// A list or map without a wrapping element in query and XML.
    pub flattened: bool,
    /// A list or map whose values may be null.
    pub sparse: bool,
    /// How timestamps of this shape are written, where it says so.
    pub time: Option<TimeFormat>,
    /// A structure of which exactly one member is set.
    pub union: bool,
    /// The member that is the whole body in the REST protocols.
    pub payload: Option<Box<str>>,
    /// A stream of events.
    pub event_stream: bool,
    /// The element name and namespace the shape itself asks for.
    pub element: (Option<Box<str>>, Option<Box<str>>),
}

/// What a shape is.
#[derive(Debug)]
pub enum Kind {
    /// Named members.
    Structure(Vec<Member>),
    /// Values of one shape.
    List(Member),
    /// Keys (strings) and values of one shape.
    Map(Member, Member),
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// True or false.
    Bool,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// A floating-point number.
    Float,
    /// A point in time.
    Time,
    /// Any JSON value.
    Document,
}

/// A member of a structure, or the element of a list or map.
#[derive(Debug)]
pub struct Member {
    /// Its name; empty for elements.
    pub name: Box<str>,
    /// Its type.
    pub shape: ShapeId,
    /// Where it travels in the REST protocols.
    pub location: Location,
    /// Its name on the wire, where that differs.
    pub wire_name: Option<Box<str>>,
    /// Its name in the query protocol, where that differs again.
    pub query_name: Option<Box<str>>,
    /// The input is refused without it.
    pub required: bool,
    /// As for the shape.
    pub flattened: bool,
    /// Written as an attribute of the enclosing element.
    pub xml_attribute: bool,
    /// A namespace for its element: prefix and address.
    pub xml_namespace: Option<(Option<Box<str>>, Box<str>)>,
    /// As for the shape.
    pub time: Option<TimeFormat>,
    /// JSON in a string (base64 in headers).
    pub json_value: bool,
    /// The payload of an event.
    pub event_payload: bool,
    /// A header of an event.
    pub event_header: bool,
}

impl Member {
    /// The name on the wire: the given one, else the member's own.
    pub fn wire(&self) -> &str {
        self.wire_name.as_deref().unwrap_or(&self.name)
    }

    /// The name in forms and in XML answers to them.
    pub fn query(&self) -> Option<&str> {
        self.query_name.as_deref().or(self.wire_name.as_deref())
    }
}

/// Where a member travels in the REST protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the body.
    Body,
    /// A label of the path.
    Uri,
    /// A parameter of the query string; a map is spread.
    Query,
    /// A header.
    Header,
    /// All headers of a prefix, as a map.
    Headers,
    /// The status of the answer.
    Status,
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970.
    Epoch,
    /// `2026-01-02T03:04:05Z`.
    Iso,
    /// `Fri, 02 Jan 2026 03:04:05 GMT`.
    Http,
}

/// What an error says about itself.
#[derive(Debug, Default)]
pub struct ErrorTrait {
    /// Its code, where that differs from the shape's name.
    pub code: Option<Box<str>>,
    /// Its HTTP status.
    pub status: Option<u16>,
}

/// What values must satisfy.
#[derive(Debug, Default)]
pub struct Constraints {
    /// Smallest number, or shortest length.
    pub min: Option<f64>,
    /// Largest number, or longest length.
    pub max: Option<f64>,
    /// The allowed values.
    pub values: Vec<Box<str>>,
    /// The regular expression as the model writes it.
    pub pattern: Option<Box<str>>,
    compiled: OnceLock<Option<Regex>>,
}

impl Constraints {
    pub(super) fn new(
        min: Option<f64>,
        max: Option<f64>,
        values: Vec<Box<str>>,
        pattern: Option<Box<str>>,
    ) -> Self {
        Self { min, max, values, pattern, compiled: OnceLock::new() }
    }

    /// Whether `text` satisfies the pattern. Patterns are Java's: one that uses what a linear-time
    /// engine cannot offer (look-around, back-references) is not enforced.
    pub fn matches(&self, text: &str) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        let compiled = self.compiled.get_or_init(|| {
            regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
                .size_limit(PATTERN_BYTES_MAX)
                .build()
                .ok()
        });
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}
