//! Forms and query strings: name-value pairs in order.

use std::borrow::Cow;

use super::uri;
use crate::error::{Result, WireError};
use crate::limits::FORM_PARAMETERS_MAX;

/// A name and its value. Texts borrow from the request wherever nothing in them was escaped.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of a form, in order of arrival.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Form<'a>(Vec<Pair<'a>>);

impl<'a> Form<'a> {
    /// Reads `a=b&c=d`. Names and values must be UTF-8 once decoded.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut pairs = Vec::new();
        let mut start = 0;
        let ends = memchr::memchr_iter(b'&', bytes).chain(std::iter::once(bytes.len()));
        for end in ends {
            let pair = &bytes[start..end];
            start = end + 1;
            if pair.is_empty() {
                continue;
            }
            if pairs.len() == FORM_PARAMETERS_MAX {
                return Err(WireError::new(
                    "MalformedQueryString",
                    400,
                    format!("The request has more than {FORM_PARAMETERS_MAX} parameters."),
                ));
            }
            let (name, value) = match memchr::memchr(b'=', pair) {
                Some(end) => (&pair[..end], &pair[end + 1..]),
                None => (pair, &b""[..]),
            };
            pairs.push((text(name)?, text(value)?));
        }
        Ok(Self(pairs))
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Every value of `name`, in order.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// The pairs, in order.
    pub fn pairs(&self) -> &[Pair<'a>] {
        &self.0
    }

    /// Appends another form's pairs.
    pub fn extend(&mut self, other: Form<'a>) {
        self.0.extend(other.0);
    }
}

fn text(bytes: &[u8]) -> Result<Cow<'_, str>> {
    let text = match memchr::memchr2(b'%', b'+', bytes) {
        None => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Some(_) => String::from_utf8(uri::decode(bytes, true)).ok().map(Cow::Owned),
    };
    text.ok_or_else(|| {
        WireError::new("MalformedQueryString", 400, "The request holds text that is not UTF-8.")
    })
}
