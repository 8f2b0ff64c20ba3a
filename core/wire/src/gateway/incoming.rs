//! A request to an API as templates read it. What cannot be read plainly is `None`, and then the
//! control plane serves the request.

use std::borrow::Cow;
use std::cell::OnceCell;

use trunkline_engine::states;

use super::routes::unescaped;
use super::spaced_json;
use super::table::{Piece, Source, Style, Transform};
use crate::codec::uri;
use crate::message::Request;

/// A request that met a route.
pub(super) struct Incoming<'a> {
    pub style: Style,
    pub request: &'a Request<'a>,
    /// Names and values, as the route's kind of API has them.
    pub variables: &'a [(&'a str, String)],
    pub request_id: &'a str,
    /// The engine's time, in milliseconds.
    pub now: u64,
    pub body: Body<'a>,
}

/// A body that templates read: of a request, or what an integration answered.
pub(super) struct Body<'a> {
    bytes: &'a [u8],
    document: OnceCell<Option<states::Value>>,
}

/// A text, or nothing where a source names none.
type Found<'a> = Option<Cow<'a, str>>;

impl<'a> Body<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, document: OnceCell::new() }
    }

    fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes)
    }

    fn document(&self) -> Option<&states::Value> {
        self.document.get_or_init(|| states::parse(&self.text()).ok()).as_ref()
    }

    fn is_empty(&self) -> bool {
        self.text().chars().all(char::is_whitespace)
    }

    fn select(&self, path: &str) -> Option<Option<states::Value>> {
        states::select(self.document()?, path).ok()
    }

    /// What a source names that reads the body alone. The outer `None`: it cannot be told here.
    pub fn read(&self, source: &Source) -> Option<Found<'a>> {
        match source {
            Source::Input if self.bytes.is_empty() => Some(Some("{}".into())),
            Source::Input | Source::Payload => Some(Some(self.text())),
            Source::Json(path) if self.is_empty() => {
                Some(Some(if path == "$" { "{}" } else { "\"\"" }.into()))
            }
            Source::Json(path) => Some(Some(match self.select(path)? {
                Some(value) => written(&value).into(),
                None => "\"\"".into(),
            })),
            Source::Path(path) if self.is_empty() => (path != "$").then_some(None),
            Source::Path(path) | Source::PayloadPath(path) => match self.select(path)? {
                None | Some(states::Value::Null) => Some(None),
                Some(states::Value::String(text)) => Some(Some(text.to_string().into())),
                Some(_) => None,
            },
            _ => None,
        }
    }
}

impl<'a> Incoming<'a> {
    /// What a variable names that is a whole member: of a body, JSON text stands for what is no
    /// text. The outer `None`: it cannot be told here.
    pub fn read_whole<'s: 'a>(&self, source: &'s Source) -> Option<Found<'a>> {
        let Source::PayloadPath(path) = source else { return self.read(source) };
        match self.body.select(path)? {
            None | Some(states::Value::Null) => Some(None),
            Some(states::Value::String(text)) => Some(Some(text.to_string().into())),
            Some(value) => {
                let mut out = String::new();
                spaced_json::write_compact(&value, &mut out)?;
                Some(Some(out.into()))
            }
        }
    }
}

fn written(value: &states::Value) -> String {
    let mut out = String::new();
    value.write(&mut out);
    out
}

impl Source {
    /// Whether it reads the body.
    pub fn is_of_body(&self) -> bool {
        matches!(
            self,
            Self::Input | Self::Payload | Self::Json(_) | Self::Path(_) | Self::PayloadPath(_)
        )
    }
}

impl<'a> Incoming<'a> {
    /// What a source names. The outer `None`: it cannot be told here.
    pub fn read<'s: 'a>(&self, source: &'s Source) -> Option<Found<'a>> {
        match source {
            Source::Text(text) => Some(Some(text.as_str().into())),
            Source::Parameter(name) => self.parameter(name),
            Source::Header(name) => joined(self.headers(name)?),
            Source::Query(name) => joined(self.parameters(name)),
            Source::Variable(name) => Some(self.variable(name)),
            Source::Method => Some(Some(self.request.method.into())),
            Source::RequestId => Some(Some(self.request_id.into())),
            Source::ClientAddress => Some(Some(match self.request.peer {
                Some(peer) => peer.address.to_string().into(),
                None => "127.0.0.1".into(),
            })),
            Source::EpochMillis => Some(Some(self.now.to_string().into())),
            _ => self.body.read(source),
        }
    }

    fn variable(&self, name: &str) -> Found<'a> {
        let value = self.variables.iter().rev().find(|(known, _)| *known == name)?.1.as_str();
        Some(match self.style {
            Style::Rest => unescaped(value),
            Style::Http => value.into(),
        })
    }

    /// In the path, the query string, the headers; nothing is an empty text.
    fn parameter(&self, name: &str) -> Option<Found<'a>> {
        if let Some(value) = self.variable(name) {
            return Some(Some(value));
        }
        if let Some(value) = self.parameters(name).pop() {
            return Some(Some(value));
        }
        Some(Some(self.headers(name)?.pop().unwrap_or_default()))
    }

    /// The values of a header; `None` if one of them is not plain text.
    fn headers(&self, name: &str) -> Option<Vec<Cow<'a, str>>> {
        let values = self.request.headers.get_all(name).iter();
        values.map(|value| value.to_str().ok().map(Cow::Borrowed)).collect()
    }

    fn parameters(&self, name: &str) -> Vec<Cow<'a, str>> {
        let pairs = self.request.query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let named = pairs.filter(|(key, _)| form_text(key) == name);
        named.map(|(_, value)| form_text(value)).collect()
    }

    /// What a template renders.
    pub fn render<'s: 'a>(&self, pieces: &'s [Piece]) -> Option<String> {
        let mut out = String::new();
        for piece in pieces {
            if let Some(text) = self.read(&piece.source)? {
                out.push_str(&transformed(text, &piece.apply)?);
            }
        }
        Some(out)
    }

    /// The same pieces, with the text of those that do not read the body.
    pub fn settled<'s: 'a>(&self, pieces: &'s [Piece]) -> Option<Vec<Piece>> {
        let settle = |piece: &'s Piece| {
            if piece.source.is_of_body() {
                return Some(piece.clone());
            }
            let text = self.read(&piece.source)?.unwrap_or_default();
            let text = transformed(text, &piece.apply)?.into_owned();
            Some(Piece { source: Source::Text(text), apply: Vec::new() })
        };
        pieces.iter().map(settle).collect()
    }
}

/// A piece of a query string.
fn form_text(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return text.into();
    }
    String::from_utf8_lossy(&uri::decode(text.as_bytes(), true)).into_owned().into()
}

fn joined<'a>(mut values: Vec<Cow<'a, str>>) -> Option<Found<'a>> {
    Some(match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(values.join(",").into()),
    })
}

/// `None`: it cannot be told here.
pub(super) fn transformed<'t>(text: Cow<'t, str>, apply: &[Transform]) -> Option<Cow<'t, str>> {
    apply.iter().try_fold(text, |text, transform| {
        Some(match transform {
            Transform::UrlEncode => url_encoded(&text).into(),
            Transform::EscapeJavaScript => escaped(&text).into(),
            Transform::Base64Encode => {
                base64_simd::STANDARD.encode_to_string(text.as_bytes()).into()
            }
            Transform::PlainQuotes => text.replace("\\'", "'").into(),
            Transform::FormDecode => return form_decoded(text),
        })
    })
}

/// A text that stands in a form as it is. One with another parameter in it is not plain.
fn form_decoded(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if text.contains('&') {
        return None;
    }
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(text);
    }
    String::from_utf8(uri::decode(text.as_bytes(), true)).ok().map(Cow::Owned)
}

/// `$util.urlEncode`: as Java encodes forms.
fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&uri::encode(&[byte], false).replace('~', "%7E")),
        }
    }
    out
}

/// `$util.escapeJavaScript`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '\u{8}' => out.push_str("\\b"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '"' | '\'' | '\\' => out.extend(['\\', letter]),
            ' '..='~' => out.push(letter),
            _ => {
                let mut units = [0_u16; 2];
                for unit in letter.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_as_templates_encode_them() {
        assert_eq!(url_encoded("a b*-._~/é"), "a+b*-._%7E%2F%C3%A9");
        assert_eq!(
            escaped("a\"'\\\n\u{1}é😀\u{7f}"),
            "a\\\"\\'\\\\\\n\\u0001\\u00e9\\ud83d\\ude00\\u007f"
        );
        assert_eq!(form_decoded("a+b%20c".into()).as_deref(), Some("a b c"));
        assert_eq!(form_decoded("a&b".into()), None);
        assert_eq!(form_decoded("%ff".into()), None);
    }

    #[test]
    fn a_body_is_read_as_mapping_templates_read_it() {
        let read = |body: &'static str, source: Source| Body::new(body.as_bytes()).read(&source);
        let json = |path: &str| Source::Json(path.into());
        let path = |path: &str| Source::Path(path.into());
        let text = |text: &'static str| Some(Some(Cow::Borrowed(text)));
        assert_eq!(read("", Source::Input), text("{}"));
        assert_eq!(read("", Source::Payload), text(""));
        assert_eq!(read(" ", json("$")), text("{}"));
        assert_eq!(read(" ", json("$.a")), text("\"\""));
        assert_eq!(read("{ \"a\" : [1, \"x\"] }", json("$.a")), text("[1,\"x\"]"));
        assert_eq!(read("{}", json("$.a")), text("\"\""));
        assert_eq!(read("no json", json("$")), None);
        assert_eq!(read("{\"a\":\"x\"}", path("$.a")), text("x"));
        assert_eq!(read("{\"a\":null}", path("$.a")), Some(None));
        assert_eq!(read("{\"a\":7}", path("$.a")), None);
        assert_eq!(read("{\"a\":7}", path("a[")), None);
    }
}
