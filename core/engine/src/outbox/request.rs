//! What a request over HTTP is made of beside its destination's transport: parts that each delivery
//! takes from its event, the rate at which the endpoint may be called, and its access token.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use trunkline_host::{Put, Take, damaged};
use trunkline_types::{Code, Error, ResourceId, Result};

use crate::json_path::Path;

/// Options of a destination over HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpOptions {
    /// Parts of each request, in order: of those with the same name the last counts.
    pub parameters: Vec<Parameter>,
    /// How often the endpoint may be called.
    pub rate: Option<Rate>,
    /// Where the access token of its requests comes from.
    pub token: Option<TokenSource>,
}

/// A bound that all destinations with the same key share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Names the endpoint.
    pub key: String,
    /// Most attempts a second.
    pub per_second: u32,
}

/// An access token that all destinations with the same key share. The engine only keeps it: who
/// handles the notices asks the authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSource {
    /// Names the token.
    pub key: String,
    /// The destination that is told, by the key, when a token is needed.
    pub notices: ResourceId,
}

/// One part of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Where it stands.
    pub place: Place,
    /// Its name; empty for a part of the path.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// Where a part of a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In place of the next `*` in the path.
    Path,
    /// In the query.
    Query,
    /// A header line.
    Header,
    /// A member of the body, if that is a JSON object.
    Body,
}

/// The value of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Always the same.
    Text(String),
    /// What is at this path in the event; a part that finds nothing is left out.
    Event(String),
}

/// A constant value may be a secret, so it is not written.
impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter").field("place", &self.place).field("name", &self.name).finish()
    }
}

/// The parts of one request, with their values.
#[derive(Debug, Default)]
pub(super) struct Filled {
    path: Vec<String>,
    query: Vec<(String, String)>,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    body: Vec<(String, String)>,
}

impl HttpOptions {
    /// Checks what can be known before the first attempt.
    pub(super) fn check(&self) -> Result<()> {
        for parameter in &self.parameters {
            if let Value::Event(path) = &parameter.value {
                Path::parse(path, "The value of an HTTP parameter")?;
            }
        }
        match &self.rate {
            Some(rate) if rate.per_second == 0 => Err(Error::new(
                Code::InvalidParameterValue,
                "The rate of the endpoint is 0 calls a second; at least 1.",
            )),
            _ => Ok(()),
        }
    }

    /// The parts of the request for an event.
    pub(super) fn fill(&self, event: &[u8]) -> Result<Filled> {
        let mut filled = Filled::default();
        for Parameter { place, name, value } in &self.parameters {
            let found = match value {
                Value::Text(text) => Some(text.clone()),
                Value::Event(path) => Path::parse(path, name)?.find(event).and_then(plain),
            };
            let into = match place {
                Place::Path => {
                    filled.path.push(found.unwrap_or_default());
                    continue;
                }
                Place::Query => &mut filled.query,
                Place::Header => &mut filled.headers,
                Place::Body => &mut filled.body,
            };
            into.retain(|(old, _)| match place {
                Place::Header => !old.eq_ignore_ascii_case(name),
                _ => old != name,
            });
            into.extend(found.map(|value| (name.clone(), value)));
        }
        Ok(filled)
    }
}

impl Filled {
    /// The URL of the request, if it differs from `url`. Its host never does.
    pub fn url(&self, url: &str) -> Option<String> {
        if self.path.is_empty() && self.query.is_empty() {
            return None;
        }
        let start = url.find("://").map_or(0, |at| at + 3);
        let start = url[start..].find('/').map_or(url.len(), |at| at + start);
        let (mut made, mut rest) = (url[..start].to_owned(), &url[start..]);
        for value in &self.path {
            let Some((before, behind)) = rest.split_once('*') else { break };
            made.push_str(before);
            escape(value, &mut made);
            rest = behind;
        }
        made.push_str(rest);
        for (name, value) in &self.query {
            made.push(if made.contains('?') { '&' } else { '?' });
            escape(name, &mut made);
            made.push('=');
            escape(value, &mut made);
        }
        Some(made)
    }

    /// The body with the parts that go there. A body that is no JSON object stays as it is.
    pub fn body(&self, body: Vec<u8>) -> Vec<u8> {
        if self.body.is_empty() || body.trim_ascii_start().first() != Some(&b'{') {
            return body;
        }
        let Ok(Members(old)) = serde_json::from_slice::<Members<'_>>(&body) else { return body };
        let texts = self
            .body
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), serde_json::to_string(value).ok()?)));
        let texts: Vec<(&str, String)> = texts.collect();
        let kept = old.iter().filter(|(name, _)| !texts.iter().any(|(new, _)| new == name));
        let mut members: Vec<(&str, &str)> =
            kept.map(|(name, value)| (name.as_ref(), value.get())).collect();
        members.extend(texts.iter().map(|(name, text)| (*name, text.as_str())));
        let mut made = vec![b'{'];
        for (place, (name, value)) in members.into_iter().enumerate() {
            if place > 0 {
                made.push(b',');
            }
            made.extend(serde_json::to_string(name).unwrap_or_default().into_bytes());
            made.push(b':');
            made.extend_from_slice(value.as_bytes());
        }
        made.push(b'}');
        made
    }
}

/// A JSON value as a part of a request; `null` is nothing.
fn plain(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'n' => None,
        _ => Some(json.to_owned()),
    }
}

/// Writes `text` so that it is one part of a URL, whatever it holds.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// The members of a JSON object, in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Read)
    }
}

const PLACES: [Place; 4] = [Place::Path, Place::Query, Place::Header, Place::Body];

impl HttpOptions {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.put_u32(self.parameters.len() as u32);
        for Parameter { place, name, value } in &self.parameters {
            let (is_path, text) = match value {
                Value::Text(text) => (0, text),
                Value::Event(path) => (1, path),
            };
            out.put_u8(PLACES.iter().position(|known| known == place).unwrap_or(0) as u8);
            out.put_u8(is_path);
            out.put_bytes(name.as_bytes());
            out.put_bytes(text.as_bytes());
        }
        out.put_u32(self.rate.as_ref().map_or(0, |rate| rate.per_second));
        if let Some(rate) = &self.rate {
            out.put_bytes(rate.key.as_bytes());
        }
        out.put_u32(self.token.as_ref().map_or(0, |token| token.notices.0));
        if let Some(token) = &self.token {
            out.put_bytes(token.key.as_bytes());
        }
    }

    pub(super) fn take(take: &mut Take<'_>) -> Result<Self> {
        let mut made = Self::default();
        for _ in 0..take.u32()? {
            let place = PLACES.get(usize::from(take.u8()?)).copied();
            let place = place.ok_or_else(|| damaged("a parameter this version does not know"))?;
            let (is_path, name) = (take.u8()? != 0, take.text()?.to_owned());
            let text = take.text()?.to_owned();
            let value = if is_path { Value::Event(text) } else { Value::Text(text) };
            made.parameters.push(Parameter { place, name, value });
        }
        let per_second = take.u32()?;
        if per_second > 0 {
            made.rate = Some(Rate { key: take.text()?.to_owned(), per_second });
        }
        let notices = ResourceId(take.u32()?);
        if notices.0 > 0 {
            made.token = Some(TokenSource { key: take.text()?.to_owned(), notices });
        }
        Ok(made)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn options(parts: &[(Place, &str, &str)]) -> HttpOptions {
        let part = |(place, name, value): &(Place, &str, &str)| Parameter {
            place: *place,
            name: (*name).to_owned(),
            value: match value.starts_with('$') {
                true => Value::Event((*value).to_owned()),
                false => Value::Text((*value).to_owned()),
            },
        };
        HttpOptions { parameters: parts.iter().map(part).collect(), ..HttpOptions::default() }
    }

    const EVENT: &[u8] = br#"{"id":"a/b ?","detail":{"n":7,"none":null,"deep":{"x":1}}}"#;

    #[test]
    fn parts_are_taken_from_the_event_and_cannot_leave_their_place() {
        let options = options(&[
            (Place::Path, "", "$.id"),
            (Place::Path, "", "$.absent"),
            (Place::Query, "n", "$.detail.n"),
            (Place::Query, "gone", "$.detail.none"),
            (Place::Query, "deep", "$.detail.deep"),
            (Place::Header, "X-Id", "first"),
            (Place::Header, "x-id", "$.id"),
        ]);
        let filled = options.fill(EVENT).unwrap();
        assert_eq!(
            filled.url("https://h/*/x/*?a=1").unwrap(),
            "https://h/a%2Fb%20%3F/x/?a=1&n=7&deep=%7B%22x%22%3A1%7D"
        );
        assert_eq!(filled.headers, [("x-id".to_owned(), "a/b ?".to_owned())]);
        assert_eq!(filled.url("https://*.h").unwrap(), "https://*.h?n=7&deep=%7B%22x%22%3A1%7D");
    }

    #[test]
    fn members_of_the_body_replace_those_of_their_name() {
        let filled = options(&[(Place::Body, "b", "x\"y"), (Place::Body, "c", "$.detail.n")]);
        let filled = filled.fill(EVENT).unwrap();
        let body = |text: &str| String::from_utf8(filled.body(text.into())).unwrap();
        assert_eq!(body(r#"{"z":1.0,"b":2,"a":[1]}"#), r#"{"z":1.0,"a":[1],"b":"x\"y","c":"7"}"#);
        assert_eq!(body("{}"), r#"{"b":"x\"y","c":"7"}"#);
        for other in ["[1]", "\"text\"", "{broken", ""] {
            assert_eq!(body(other), other);
        }
    }

    #[test]
    fn options_survive_their_bytes_and_show_no_value() {
        let mut given = options(&[(Place::Header, "k", "hidden"), (Place::Path, "", "$.id")]);
        given.rate = Some(Rate { key: "r".to_owned(), per_second: 3 });
        given.token = Some(TokenSource { key: "t".to_owned(), notices: ResourceId(9) });
        let mut bytes = Vec::new();
        given.put(&mut bytes);
        assert_eq!(HttpOptions::take(&mut Take(&bytes)).unwrap(), given);
        for length in 0..bytes.len() {
            assert!(HttpOptions::take(&mut Take(&bytes[..length])).is_err());
        }
        assert!(!format!("{given:?}").contains("hidden"));
    }

    #[test]
    fn what_can_never_be_filled_is_refused() {
        assert!(options(&[(Place::Path, "", "$.a b")]).check().is_err());
        let rate = Some(Rate { key: "r".to_owned(), per_second: 0 });
        assert!(HttpOptions { rate, ..HttpOptions::default() }.check().is_err());
    }
}
