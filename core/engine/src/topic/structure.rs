//! Structured messages: one text for each protocol, in one JSON object, as SNS's
//! `MessageStructure=json` has them.

use serde_json::{Map, Value};
use trunkline_types::Result;

use super::invalid;

/// How a subscription is delivered to: the entry of a structured message that it gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The text that every protocol without its own gets.
    #[default]
    Default,
    /// A queue.
    Queue,
    /// A URL.
    Http,
    /// A URL over TLS.
    Https,
    /// A mail with the message as text.
    Email,
    /// A mail with the envelope.
    EmailJson,
    /// A text message.
    Sms,
    /// An endpoint of a platform application; the program that pushes chooses among its entries.
    Application,
    /// A function.
    Lambda,
    /// A delivery stream.
    Firehose,
}

impl Protocol {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Default, "default"),
        (Self::Queue, "sqs"),
        (Self::Http, "http"),
        (Self::Https, "https"),
        (Self::Email, "email"),
        (Self::EmailJson, "email-json"),
        (Self::Sms, "sms"),
        (Self::Application, "application"),
        (Self::Lambda, "lambda"),
        (Self::Firehose, "firehose"),
    ];

    /// The protocol of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(protocol, _)| *protocol)
    }

    /// Its name: the key of its text.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The protocol of a number that [`Protocol::number`] gave; the default of any other.
    pub(super) fn of_number(number: u64) -> Self {
        let known = usize::try_from(number).ok().and_then(|number| Self::ALL.get(number));
        known.map_or(Self::Default, |(protocol, _)| *protocol)
    }

    pub(super) fn number(self) -> u64 {
        self as u64
    }
}

/// The texts of a structured message.
pub(super) struct Structure(Map<String, Value>);

impl Structure {
    /// Reads a body; it has to be a JSON object with a text for `default`.
    pub fn read(body: &[u8]) -> Result<Self> {
        let failed = "Invalid parameter: Message Structure - JSON message body failed to parse";
        let Ok(Value::Object(texts)) = serde_json::from_slice(body) else {
            return Err(invalid(failed.to_owned()));
        };
        match texts.get("default") {
            Some(Value::String(_)) => Ok(Self(texts)),
            _ => Err(invalid(
                "Invalid parameter: Message Structure - No default entry in JSON message body"
                    .to_owned(),
            )),
        }
    }

    /// The text for a protocol: its own, or that of all others.
    pub fn text(&self, protocol: Protocol) -> &str {
        let text = |name: &str| self.0.get(name).and_then(Value::as_str);
        text(protocol.name()).or_else(|| text("default")).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_gets_its_own_text_or_the_default() {
        let texts = Structure::read(br#"{"default":"all","sqs":"queues","http":1}"#).unwrap();
        assert_eq!(texts.text(Protocol::Queue), "queues");
        assert_eq!(texts.text(Protocol::Http), "all");
        assert_eq!(texts.text(Protocol::Email), "all");
        for flawed in ["", "[]", "1", "{", r#"{"sqs":"x"}"#, r#"{"default":1}"#] {
            assert!(Structure::read(flawed.as_bytes()).is_err(), "{flawed}");
        }
    }

    #[test]
    fn protocols_are_found_by_name_and_by_number() {
        for (protocol, name) in Protocol::ALL {
            assert_eq!(Protocol::named(name), Some(protocol));
            assert_eq!(Protocol::of_number(protocol.number()), protocol);
            assert_eq!(protocol.name(), name);
        }
        assert_eq!(Protocol::named("pigeon"), None);
        assert_eq!(Protocol::of_number(99), Protocol::Default);
    }
}
