//! A test: one parsed entry of a field's list.

use crate::compare::address::Network;
use crate::compare::wildcard;

/// A condition on the value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// The field has no value.
    Absent,
    /// The field has a value.
    Exists,
    True,
    False,
    Null,
    Text(Vec<u8>),
    /// A number that a double represents.
    Double(f64),
    /// A number that compares by its text.
    Digits(String),
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    EqualsIgnoreCase(Vec<u8>),
    PrefixIgnoreCase(Vec<u8>),
    SuffixIgnoreCase(Vec<u8>),
    /// A wildcard as returned by `wildcard::parse`.
    Wildcard(Vec<u8>),
    Range(Range),
    Network(Network),
    /// The field has a value that passes none of these tests.
    AnythingBut(Vec<Test>),
}

/// A numeric range. An unbounded side is infinite and closed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) is_open_low: bool,
    pub(crate) is_open_high: bool,
}

impl Range {
    pub(crate) fn holds(&self, value: f64) -> bool {
        let is_above = if self.is_open_low { value > self.low } else { value >= self.low };
        let is_below = if self.is_open_high { value < self.high } else { value <= self.high };
        is_above && is_below
    }
}

impl Test {
    /// The test as a JSON entry of a pattern, for messages and drawings.
    pub(crate) fn shown(&self) -> String {
        let text = |bytes: &[u8]| quoted(&String::from_utf8_lossy(bytes));
        let operator = |name: &str, operand: String| format!("{{\"{name}\":{operand}}}");
        let ignoring = |bytes: &[u8]| operator("equals-ignore-case", text(bytes));
        match self {
            Test::Absent => operator("exists", "false".to_owned()),
            Test::Exists => operator("exists", "true".to_owned()),
            Test::True => "true".to_owned(),
            Test::False => "false".to_owned(),
            Test::Null => "null".to_owned(),
            Test::Text(bytes) => text(bytes),
            Test::Double(value) => shown_double(*value),
            Test::Digits(digits) => digits.clone(),
            Test::Prefix(bytes) => operator("prefix", text(bytes)),
            Test::Suffix(bytes) => operator("suffix", text(bytes)),
            Test::EqualsIgnoreCase(bytes) => ignoring(bytes),
            Test::PrefixIgnoreCase(bytes) => operator("prefix", ignoring(bytes)),
            Test::SuffixIgnoreCase(bytes) => operator("suffix", ignoring(bytes)),
            Test::Wildcard(bytes) => operator("wildcard", quoted(&shown_wildcard(bytes))),
            Test::Range(range) => operator("numeric", shown_range(range)),
            Test::Network(network) => operator("cidr", quoted(&shown_network(network))),
            Test::AnythingBut(tests) => {
                let shown: Vec<String> = tests.iter().map(Test::shown).collect();
                operator("anything-but", format!("[{}]", shown.join(",")))
            }
        }
    }
}

fn shown_double(value: f64) -> String {
    let plain = format!("{value}");
    if plain.len() <= 21 { plain } else { format!("{value:e}") }
}

fn shown_wildcard(bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    for &byte in bytes {
        match byte {
            wildcard::ANY => shown.push(b'*'),
            b'*' | b'\\' => shown.extend_from_slice(&[b'\\', byte]),
            _ => shown.push(byte),
        }
    }
    String::from_utf8_lossy(&shown).into_owned()
}

fn shown_range(range: &Range) -> String {
    let mut terms = Vec::new();
    if range.low.is_finite() {
        let comparison = if range.is_open_low { ">" } else { ">=" };
        terms.push(format!("\"{comparison}\",{}", shown_double(range.low)));
    }
    if range.high.is_finite() {
        let comparison = if range.is_open_high { "<" } else { "<=" };
        terms.push(format!("\"{comparison}\",{}", shown_double(range.high)));
    }
    format!("[{}]", terms.join(","))
}

fn shown_network(network: &Network) -> String {
    let base = if network.is_v6 {
        std::net::Ipv6Addr::from(network.bits).to_string()
    } else {
        std::net::Ipv4Addr::from((network.bits >> 96) as u32).to_string()
    };
    format!("{base}/{}", network.length)
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
