//! What a target gets of an event: the whole event, a constant text, a part of it, or a template
//! that is filled from it.
//!
//! A template that starts with a brace or a bracket is JSON: a placeholder outside of quotes stands
//! for a JSON value, one inside of quotes for its text, and what results must be JSON. A template
//! that starts with a quote is one or more quoted lines: objects and arrays lose their quotes
//! there, and nothing is checked. Extracted text is never escaped. `tests/vectors/events` has AWS's
//! answers.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use trunkline_host::{Put, Take, damaged};
use trunkline_types::{Millis, Result};

use super::event::{Envelope, invalid, iso};
use crate::json_path::Path;

/// What a target gets, as a caller says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Input {
    /// The event.
    #[default]
    Event,
    /// This JSON text, whatever the event is.
    Constant(String),
    /// The part of the event at this path.
    Path(String),
    /// This template, filled in with the values of these paths.
    Template {
        /// Names of placeholders, and the paths of their values.
        paths: Vec<(String, String)>,
        /// The text with placeholders: `<name>`.
        template: String,
    },
}

/// The most characters of a constant or a template, of a path, and the most paths: EventBridge's.
const TEXT_MAX: usize = 8_192;
const PATH_MAX: usize = 256;
const PATHS_MAX: usize = 100;
const NAME_MAX: usize = 256;

const EVENT: u8 = 0;
const CONSTANT: u8 = 1;
const PATH: u8 = 2;
const TEMPLATE: u8 = 3;

impl Input {
    /// Writes it into a record.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Event => out.put_u8(EVENT),
            Self::Constant(text) => {
                out.put_u8(CONSTANT);
                out.put_bytes(text.as_bytes());
            }
            Self::Path(path) => {
                out.put_u8(PATH);
                out.put_bytes(path.as_bytes());
            }
            Self::Template { paths, template } => {
                out.put_u8(TEMPLATE);
                out.put_u32(paths.len() as u32);
                for text in paths.iter().flat_map(|(name, path)| [name, path]) {
                    out.put_bytes(text.as_bytes());
                }
                out.put_bytes(template.as_bytes());
            }
        }
    }

    /// Reads it from a record.
    pub(super) fn take(take: &mut Take<'_>) -> Result<Self> {
        Ok(match take.u8()? {
            EVENT => Self::Event,
            CONSTANT => Self::Constant(take.text()?.to_owned()),
            PATH => Self::Path(take.text()?.to_owned()),
            TEMPLATE => {
                let mut paths = Vec::new();
                for _ in 0..take.u32()? {
                    paths.push((take.text()?.to_owned(), take.text()?.to_owned()));
                }
                Self::Template { paths, template: take.text()?.to_owned() }
            }
            _ => return Err(damaged("an input of an event that this version does not know")),
        })
    }
}

/// An input that was checked, ready to be filled.
#[derive(Debug)]
pub(super) enum Transformer {
    Event,
    Constant(Box<str>),
    Path(Box<Path>),
    Template(Box<Template>),
}

/// A template in parts.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    is_json: bool,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value { of: Value, is_quoted: bool },
}

#[derive(Debug)]
enum Value {
    Path(Path),
    RuleArn,
    RuleName,
    IngestionTime,
    /// The event without its detail.
    Event,
    /// The whole event.
    EventJson,
}

/// What a template may speak of beside the event.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub rule_arn: &'a str,
    pub rule_name: &'a str,
    pub ingested: Millis,
}

impl Transformer {
    /// Checks an input for the target `target`.
    pub fn new(input: &Input, target: &str) -> Result<Self> {
        Ok(match input {
            Input::Event => Self::Event,
            Input::Constant(text) => {
                check_length("input", text, TEXT_MAX)?;
                if serde_json::from_str::<IgnoredAny>(text).is_err() {
                    return Err(invalid(format!(
                        "input of target {target} is not JSON. Give a JSON text; a text alone is \
                         written with quotes."
                    )));
                }
                Self::Constant(text.as_str().into())
            }
            Input::Path(path) => {
                check_length("input_path", path, PATH_MAX)?;
                Self::Path(Box::new(Path::parse(path, "input_path")?))
            }
            Input::Template { paths, template } => {
                Self::Template(Box::new(Template::parse(paths, template, target)?))
            }
        })
    }

    /// Whether the target gets every event as it is.
    pub fn is_whole_event(&self) -> bool {
        matches!(self, Self::Event)
    }

    /// What the target gets of an event, or why it gets nothing.
    pub fn fill<'a>(&'a self, event: &'a [u8], about: About<'_>) -> Result<Cow<'a, [u8]>> {
        Ok(match self {
            Self::Event => event.into(),
            Self::Constant(text) => text.as_bytes().into(),
            Self::Path(path) => path.find(event).unwrap_or("null").as_bytes().into(),
            Self::Template(template) => template.fill(event, about)?.into_bytes().into(),
        })
    }
}

impl Template {
    fn parse(paths: &[(String, String)], template: &str, target: &str) -> Result<Self> {
        check_length("input_template", template, TEXT_MAX)?;
        if paths.len() > PATHS_MAX {
            return Err(invalid(format!(
                "The paths of input_template are {}; at most {PATHS_MAX}.",
                paths.len()
            )));
        }
        let mut values = Vec::new();
        for (name, path) in paths {
            check_name(name)?;
            check_length("A path of input_template", path, PATH_MAX)?;
            values.push((name.as_str(), Path::parse(path, "The path of input_template")?));
        }
        let is_json = !template.trim_start().starts_with('"');
        let parsed = Self { parts: parts(template, &values, target)?, is_json };
        // With any values: what is no JSON then never is.
        let sample = br#"{"detail":{}}"#;
        let about = About { rule_arn: "a", rule_name: "n", ingested: 0 };
        parsed.fill(sample, about).map_err(|_| {
            invalid(format!(
                "input_template of target {target} gives no JSON. Write text in quotes, or a JSON \
                 object with placeholders as its values."
            ))
        })?;
        Ok(parsed)
    }

    fn fill(&self, event: &[u8], about: About<'_>) -> Result<String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value { of, is_quoted } => {
                    let value = of.json(event, about)?;
                    out.push_str(&self.written(&value, *is_quoted));
                }
            }
        }
        if self.is_json && serde_json::from_str::<IgnoredAny>(&out).is_err() {
            return Err(invalid(format!("The input template gives no JSON for this event: {out}")));
        }
        Ok(out)
    }

    /// A JSON value as it stands in the result.
    fn written<'a>(&self, value: &'a str, is_quoted: bool) -> Cow<'a, str> {
        if !is_quoted {
            return if value.is_empty() { "\"\"".into() } else { value.into() };
        }
        if value.starts_with('"') {
            return serde_json::from_str::<String>(value).map_or(value.into(), Cow::Owned);
        }
        if self.is_json { value.into() } else { without_quotes(value) }
    }
}

impl Value {
    /// The value as JSON; empty when there is none.
    fn json<'a>(&self, event: &'a [u8], about: About<'_>) -> Result<Cow<'a, str>> {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default().into();
        Ok(match self {
            Self::Path(path) => path.find(event).unwrap_or_default().into(),
            Self::RuleArn => quoted(about.rule_arn),
            Self::RuleName => quoted(about.rule_name),
            Self::IngestionTime => quoted(&iso(about.ingested)),
            Self::EventJson => String::from_utf8_lossy(event),
            Self::Event => without_detail(event, about)?.into(),
        })
    }
}

/// The event without its detail, as `aws.events.event` gives it.
fn without_detail(event: &[u8], about: About<'_>) -> Result<String> {
    let mut envelope = Envelope::read(event)?;
    let time = envelope.time.is_some().then(|| iso(about.ingested));
    (envelope.detail, envelope.time) = (None, time.map(Cow::Owned));
    let text = serde_json::to_string(&envelope).map_err(|problem| invalid(problem.to_string()))?;
    Ok(text.replacen("\"detail-type\":", "\"detailType\":", 1))
}

/// Takes a template apart at its placeholders.
fn parts(template: &str, paths: &[(&str, Path)], target: &str) -> Result<Vec<Part>> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    let (mut is_quoted, mut rest) = (false, template);
    while let Some(character) = rest.chars().next() {
        if let Some((name, behind)) = placeholder(rest) {
            let of = value(name, paths).ok_or_else(|| {
                invalid(format!(
                    "InputTemplate for target {target} contains invalid placeholder {name}."
                ))
            })?;
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Value { of, is_quoted });
            rest = behind;
            continue;
        }
        // A character behind a backslash stands for itself.
        let escaped = if character == '\\' && is_quoted { rest.chars().nth(1) } else { None };
        let length = character.len_utf8() + escaped.map_or(0, char::len_utf8);
        is_quoted ^= character == '"';
        text.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    parts.push(Part::Text(text));
    Ok(parts)
}

/// The name of the placeholder that `text` starts with, and what follows it.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = text.strip_prefix('<')?.split_once('>')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (!name.is_empty() && name.bytes().all(is_name)).then_some((name, behind))
}

fn value(name: &str, paths: &[(&str, Path)]) -> Option<Value> {
    Some(match name {
        "aws.events.rule-arn" => Value::RuleArn,
        "aws.events.rule-name" => Value::RuleName,
        "aws.events.event.ingestion-time" => Value::IngestionTime,
        "aws.events.event" => Value::Event,
        "aws.events.event.json" => Value::EventJson,
        _ => Value::Path(paths.iter().find(|(own, _)| *own == name)?.1.clone()),
    })
}

/// A JSON value as it stands in a text: without the quotes of its strings, and without space
/// between its parts.
fn without_quotes(value: &str) -> Cow<'_, str> {
    if !value.starts_with(['{', '[']) {
        return value.into();
    }
    let (mut text, mut is_string) = (String::with_capacity(value.len()), false);
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => is_string = !is_string,
            '\\' => {
                text.push(character);
                text.extend(characters.next());
            }
            _ if !is_string && character.is_ascii_whitespace() => {}
            _ => text.push(character),
        }
    }
    text.into()
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(is_plain) {
        return Err(invalid(format!(
            "The name {name:?} of a path of input_template is not valid: 1 to {NAME_MAX} letters, \
             digits, - and _."
        )));
    }
    if name.to_ascii_uppercase().starts_with("AWS") {
        return Err(invalid(format!(
            "The name {name:?} of a path of input_template is reserved: it must not start with AWS."
        )));
    }
    Ok(())
}

fn check_length(what: &str, text: &str, max: usize) -> Result<()> {
    let length = text.chars().count();
    if length > max {
        return Err(invalid(format!("{what} has {length} characters; at most {max}.")));
    }
    Ok(())
}
