//! Forms and query strings: name-value pairs in order.

use super::uri;
use crate::error::{Result, WireError};
use crate::limits::FORM_PARAMETERS_MAX;

/// The pairs of a form, in order of arrival.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `a=b&c=d`. Names and values must be UTF-8 once decoded.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut pairs = Vec::new();
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
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
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The pairs, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Appends another form's pairs.
    pub fn extend(&mut self, other: Form) {
        self.0.extend(other.0);
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(uri::decode(bytes, true)).map_err(|_| {
        WireError::new("MalformedQueryString", 400, "The request holds text that is not UTF-8.")
    })
}
