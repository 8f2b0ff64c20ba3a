//! Condition operators: their names, and the values that each of them takes.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use serde_json::Value;

use super::template::{Keys, Template};
use crate::codec::time;

/// An operator with its prefix and its suffix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator {
    pub quantifier: Quantifier,
    pub is_negated: bool,
    pub if_exists: bool,
    test: Test,
}

/// What a prefix says about keys with several values. Keys here have one value each, so the
/// quantifiers differ only where the key is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    None,
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Null,
    Bool,
    Binary,
    Text,
    TextIgnoreCase,
    Like,
    Arn,
    Number(Compare),
    Date(Compare),
    Network,
}

/// How a value of the request stands to the one of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value of a policy, read for its operator.
#[derive(Debug)]
pub(super) enum Operand {
    Bool(bool),
    Binary(Vec<u8>),
    Text(Template),
    /// Compared without regard to case; variables stand for values in lower case.
    TextIgnoreCase(Template),
    /// The six parts of an ARN, each a pattern of its own.
    Arn(Vec<Template>),
    Number(f64, Compare),
    Date(f64, Compare),
    Network(IpNet),
}

const ARN_PARTS: usize = 6;

impl Operator {
    /// The operator of this name, with its prefix and its suffix.
    pub fn named(name: &str) -> Option<Self> {
        let (quantifier, plain) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return None,
            None => (Quantifier::None, name),
        };
        if plain == "Null" && quantifier == Quantifier::None {
            return Some(Self {
                quantifier,
                is_negated: false,
                if_exists: false,
                test: Test::Null,
            });
        }
        let stripped = plain.strip_suffix("IfExists");
        let (test, is_negated) = find(stripped.unwrap_or(plain))?;
        Some(Self { quantifier, is_negated, if_exists: stripped.is_some(), test })
    }

    /// Whether the operator asks for the absence of the key.
    pub fn is_null(&self) -> bool {
        self.test == Test::Null
    }

    /// Reads a value of the policy; the error says what is wrong with it.
    pub fn read(&self, value: &Value, with_variables: bool) -> Result<Operand, String> {
        // Numbers and booleans may stand without quotes.
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err("a value must be text, a number or a boolean.".to_owned()),
        };
        let wrong = |what: &str| format!("'{text}' is no {what}.");
        Ok(match self.test {
            Test::Null | Test::Bool => match text.to_ascii_lowercase().as_str() {
                "true" => Operand::Bool(true),
                "false" => Operand::Bool(false),
                _ => return Err(wrong("boolean")),
            },
            Test::Binary => {
                Operand::Binary(STANDARD.decode(&text).map_err(|_| wrong("base64 text"))?)
            }
            Test::Text => Operand::Text(Template::literal(&text, with_variables)?),
            Test::TextIgnoreCase => {
                Operand::TextIgnoreCase(Template::literal(&text.to_lowercase(), with_variables)?)
            }
            Test::Like => Operand::Text(Template::pattern(&text, with_variables)?),
            Test::Arn => {
                let parts = Template::pattern(&text, with_variables)?.parts(ARN_PARTS);
                let parts = parts.filter(|parts| parts[0].is("arn"));
                Operand::Arn(parts.ok_or_else(|| wrong("ARN of six parts"))?)
            }
            Test::Number(compare) => {
                Operand::Number(number(&text).ok_or_else(|| wrong("number"))?, compare)
            }
            Test::Date(compare) => {
                Operand::Date(date(&text).ok_or_else(|| wrong("date"))?, compare)
            }
            Test::Network => {
                Operand::Network(network(&text).ok_or_else(|| wrong("IP address or network"))?)
            }
        })
    }
}

fn find(name: &str) -> Option<(Test, bool)> {
    use Compare::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    Some(match name {
        "StringEquals" => (Test::Text, false),
        "StringNotEquals" => (Test::Text, true),
        "StringEqualsIgnoreCase" => (Test::TextIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Test::TextIgnoreCase, true),
        "StringLike" => (Test::Like, false),
        "StringNotLike" => (Test::Like, true),
        "ArnLike" | "ArnEquals" => (Test::Arn, false),
        "ArnNotLike" | "ArnNotEquals" => (Test::Arn, true),
        "Bool" => (Test::Bool, false),
        "BinaryEquals" => (Test::Binary, false),
        "NumericEquals" => (Test::Number(Equal), false),
        "NumericNotEquals" => (Test::Number(Equal), true),
        "NumericLessThan" => (Test::Number(Less), false),
        "NumericLessThanEquals" => (Test::Number(LessOrEqual), false),
        "NumericGreaterThan" => (Test::Number(Greater), false),
        "NumericGreaterThanEquals" => (Test::Number(GreaterOrEqual), false),
        "DateEquals" => (Test::Date(Equal), false),
        "DateNotEquals" => (Test::Date(Equal), true),
        "DateLessThan" => (Test::Date(Less), false),
        "DateLessThanEquals" => (Test::Date(LessOrEqual), false),
        "DateGreaterThan" => (Test::Date(Greater), false),
        "DateGreaterThanEquals" => (Test::Date(GreaterOrEqual), false),
        "IpAddress" => (Test::Network, false),
        "NotIpAddress" => (Test::Network, true),
        _ => return None,
    })
}

impl Operand {
    /// Whether this is the boolean `true`.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// Whether `given`, a value of the request, satisfies this; `None` if that cannot be told.
    pub fn matches(&self, given: &str, keys: Keys<'_>) -> Option<bool> {
        match self {
            Self::Bool(wanted) => Some(given.eq_ignore_ascii_case(&wanted.to_string())),
            Self::Binary(wanted) => Some(STANDARD.decode(given).is_ok_and(|it| it == *wanted)),
            Self::Text(template) => template.matches(given, keys),
            Self::TextIgnoreCase(template) => {
                let lower = |(name, value): &(&'static str, String)| (*name, value.to_lowercase());
                let keys: Vec<_> = keys.iter().map(lower).collect();
                template.matches(&given.to_lowercase(), &keys)
            }
            Self::Arn(parts) => {
                let given: Vec<&str> = given.splitn(ARN_PARTS, ':').collect();
                if given.len() != ARN_PARTS {
                    return Some(false);
                }
                let mut all = true;
                for (part, given) in parts.iter().zip(given) {
                    all &= part.matches(given, keys)?;
                }
                Some(all)
            }
            Self::Number(wanted, compare) => {
                Some(number(given).is_some_and(|given| compare.holds(given, *wanted)))
            }
            Self::Date(wanted, compare) => {
                Some(date(given).is_some_and(|given| compare.holds(given, *wanted)))
            }
            Self::Network(network) => {
                let given = given.parse().map(|ip: IpAddr| ip.to_canonical());
                Some(given.is_ok_and(|ip| network.contains(&ip)))
            }
        }
    }
}

impl Compare {
    fn holds(self, given: f64, wanted: f64) -> bool {
        match self {
            Self::Equal => given == wanted,
            Self::Less => given < wanted,
            Self::LessOrEqual => given <= wanted,
            Self::Greater => given > wanted,
            Self::GreaterOrEqual => given >= wanted,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

// Seconds since 1970, or one of the forms of ISO 8601.
fn date(text: &str) -> Option<f64> {
    number(text).or_else(|| time::read(text))
}

fn network(text: &str) -> Option<IpNet> {
    let network = match text.contains('/') {
        true => text.parse().ok()?,
        false => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    // An IPv4 network in the form of IPv6: callers are known by their plain address.
    if let IpNet::V6(v6) = network
        && let (Some(v4), Some(bits)) =
            (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
    {
        return IpNet::new(v4.into(), bits).ok();
    }
    Some(network)
}
