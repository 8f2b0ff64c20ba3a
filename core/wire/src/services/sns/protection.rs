//! Data protection policies of topics: what a publish may not contain, or what is masked in it.
//!
//! A statement is about messages that come in, or about those that go out. One that goes out to
//! everyone comes to the same as one that comes in, so both are applied when a message is
//! published: an inbound Deny refuses it, an outbound Deny has it delivered to no subscription, and
//! Deidentify masks what it finds. Audit keeps no statistics here.

use std::borrow::Cow;
use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};
use trunkline_engine::Topic;

use crate::data_identifiers::IDENTIFIERS;
use crate::error::{Result, WireError};
use crate::limits::{
    COMPILED_IDENTIFIER_BYTES_MAX, IDENTIFIER_NAME_CHARS_MAX, IDENTIFIER_REGEX_CHARS_MAX,
    IDENTIFIERS_MAX,
};

const PREFIX: &str = "arn:aws:dataprotection::aws:data-identifier/";

/// A policy, ready to be applied.
pub struct Protection(Vec<Statement>);

struct Statement {
    is_inbound: bool,
    principals: Vec<String>,
    finders: Vec<Finder>,
    operation: Operation,
}

enum Finder {
    Managed(String),
    Custom(Regex),
}

enum Operation {
    Audit,
    Deny,
    Mask(char),
    Redact,
}

/// What is published of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    /// This text, to subscriptions or to none of them.
    Publish { text: Cow<'a, str>, is_withheld: bool },
    /// Nothing: a statement denies it.
    Denied,
}

type Flaw<T> = std::result::Result<T, String>;

impl Protection {
    /// The policy in a text, or what is wrong with it.
    pub fn read(text: &str) -> Flaw<Self> {
        let policy: Value = serde_json::from_str(text).map_err(|_| "It is no JSON.".to_owned())?;
        if policy["Version"] != "2021-06-01" {
            return Err("Version must be 2021-06-01.".to_owned());
        }
        let custom = read_custom(&policy["Configuration"]["CustomDataIdentifier"])?;
        let statements = policy["Statement"].as_array().filter(|all| !all.is_empty());
        let statements = statements.ok_or("Statement must be a list that is not empty.")?;
        let statements = statements.iter().map(|one| Statement::read(one, &custom));
        Ok(Self(statements.collect::<Flaw<_>>()?))
    }

    /// What of a message `principal` may publish.
    pub(super) fn apply<'a>(&self, text: &'a str, principals: &[&str]) -> Verdict<'a> {
        let (mut text, mut is_withheld) = (Cow::Borrowed(text), false);
        for statement in self.0.iter().filter(|one| one.concerns(principals)) {
            let found = statement.find(&text);
            if found.is_empty() {
                continue;
            }
            match statement.operation {
                Operation::Audit => {}
                Operation::Deny if statement.is_inbound => return Verdict::Denied,
                Operation::Deny => is_withheld = true,
                Operation::Mask(mask) => text = replace(&text, &found, Some(mask)).into(),
                Operation::Redact => text = replace(&text, &found, None).into(),
            }
        }
        Verdict::Publish { text, is_withheld }
    }
}

impl Statement {
    fn read(statement: &Value, custom: &[(String, Regex)]) -> Flaw<Self> {
        let is_inbound = match statement["DataDirection"].as_str() {
            Some("Inbound") => true,
            Some("Outbound") => false,
            _ => return Err("DataDirection must be Inbound or Outbound.".to_owned()),
        };
        let operation = Operation::read(&statement["Operation"])?;
        let principals = texts(&statement["Principal"], "Principal")?;
        let is_everyone = principals.iter().all(|name| name == "*");
        let is_audit = matches!(operation, Operation::Audit);
        if !is_inbound && !is_audit && !is_everyone {
            return Err("The Principal of an Outbound statement must be \"*\" here: messages are \
                        not told apart by who subscribes."
                .to_owned());
        }
        if let Some(other) = principals.iter().find(|name| !is_audit && !is_told_apart(name)) {
            return Err(format!(
                "The Principal {other:?} is not told apart here. Name \"*\", an account, or its \
                 root user."
            ));
        }
        let names = texts(&statement["DataIdentifier"], "DataIdentifier")?;
        // An audit finds nothing here, so it may name what is not found.
        let finders = match is_audit {
            true => Vec::new(),
            false => names.iter().map(|name| Finder::read(name, custom)).collect::<Flaw<_>>()?,
        };
        Ok(Self { is_inbound, principals, finders, operation })
    }

    fn concerns(&self, principals: &[&str]) -> bool {
        self.principals.iter().any(|one| one == "*" || principals.contains(&one.as_str()))
    }

    /// Where its data is in a text, in order; what overlaps is one.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for finder in &self.finders {
            match finder {
                Finder::Managed(name) => IDENTIFIERS
                    .iter()
                    .filter(|one| one.name == name)
                    .for_each(|one| one.find(text, &mut found)),
                Finder::Custom(regex) => {
                    found.extend(regex.find_iter(text).map(|one| one.range()));
                }
            }
        }
        found.retain(|range| !range.is_empty());
        found.sort_unstable_by_key(|range| range.start);
        found.dedup_by(|next, range| {
            let overlaps = next.start <= range.end;
            if overlaps {
                range.end = range.end.max(next.end);
            }
            overlaps
        });
        found
    }
}

impl Operation {
    fn read(value: &Value) -> Flaw<Self> {
        let flaw = || "Operation must be one of Audit, Deidentify and Deny.".to_owned();
        let mut entries = value.as_object().filter(|one| one.len() == 1).ok_or_else(flaw)?.iter();
        match entries.next().map(|(name, value)| (name.as_str(), value)) {
            Some(("Audit", _)) => Ok(Self::Audit),
            Some(("Deny", _)) => Ok(Self::Deny),
            Some(("Deidentify", how)) => Self::read_masking(how.as_object()),
            _ => Err(flaw()),
        }
    }

    fn read_masking(how: Option<&Map<String, Value>>) -> Flaw<Self> {
        let flaw = || {
            "Deidentify must have a MaskConfig with a MaskWithCharacter, or a RedactConfig."
                .to_owned()
        };
        let how = how.filter(|how| how.len() == 1).ok_or_else(flaw)?;
        if how.contains_key("RedactConfig") {
            return Ok(Self::Redact);
        }
        let mask = how.get("MaskConfig").ok_or_else(flaw)?.get("MaskWithCharacter");
        let mask = mask.map_or(Some("#"), Value::as_str).ok_or_else(flaw)?;
        let mut characters = mask.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) if one.is_ascii_graphic() || one == ' ' => Ok(Self::Mask(one)),
            _ => Err("MaskWithCharacter must be one printable ASCII character.".to_owned()),
        }
    }
}

impl Finder {
    fn read(name: &str, custom: &[(String, Regex)]) -> Flaw<Self> {
        if let Some((_, regex)) = custom.iter().find(|(known, _)| known == name) {
            return Ok(Self::Custom(regex.clone()));
        }
        let short = name.strip_prefix(PREFIX).unwrap_or(name);
        if name != short && IDENTIFIERS.iter().any(|one| one.name == short) {
            return Ok(Self::Managed(short.to_owned()));
        }
        let mut served: Vec<&str> = IDENTIFIERS.iter().map(|one| one.name).collect();
        served.dedup();
        Err(format!(
            "The data identifier {name:?} is not served here. Served are {PREFIX}NAME with a NAME \
             of {}, and those of the policy's own CustomDataIdentifier.",
            served.join(", ")
        ))
    }
}

/// Whether it can be known that a caller is this principal.
fn is_told_apart(principal: &str) -> bool {
    let root = principal.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    let account = root.unwrap_or(principal);
    principal == "*" || account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

/// The identifiers that a policy defines.
fn read_custom(value: &Value) -> Flaw<Vec<(String, Regex)>> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let flaw = || {
        format!(
            "CustomDataIdentifier must be a list of up to {IDENTIFIERS_MAX} objects, each with a \
             Name of 1 to {IDENTIFIER_NAME_CHARS_MAX} letters, digits, - and _, and a Regex of 1 \
             to {IDENTIFIER_REGEX_CHARS_MAX} characters."
        )
    };
    let list = value.as_array().filter(|list| list.len() <= IDENTIFIERS_MAX).ok_or_else(flaw)?;
    let mut custom = Vec::with_capacity(list.len());
    for one in list {
        let (Some(name), Some(regex)) = (one["Name"].as_str(), one["Regex"].as_str()) else {
            return Err(flaw());
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_name =
            (1..=IDENTIFIER_NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_plain);
        if !is_name || !(1..=IDENTIFIER_REGEX_CHARS_MAX).contains(&regex.chars().count()) {
            return Err(flaw());
        }
        let compiled = RegexBuilder::new(regex).size_limit(COMPILED_IDENTIFIER_BYTES_MAX).build();
        let compiled = compiled.map_err(|_| {
            format!("The Regex of the CustomDataIdentifier {name} cannot be compiled.")
        })?;
        custom.push((name.to_owned(), compiled));
    }
    Ok(custom)
}

fn texts(value: &Value, name: &str) -> Flaw<Vec<String>> {
    let all = value.as_array().filter(|all| !all.is_empty());
    let all = all.map(|all| all.iter().map(|one| one.as_str().map(str::to_owned)));
    all.and_then(Iterator::collect)
        .ok_or_else(|| format!("{name} must be a list of texts that is not empty."))
}

/// A text with some of its parts masked, or left out.
fn replace(text: &str, parts: &[Range<usize>], mask: Option<char>) -> String {
    let (mut masked, mut from) = (String::with_capacity(text.len()), 0);
    for part in parts {
        masked.push_str(&text[from..part.start]);
        if let Some(mask) = mask {
            masked.extend(text[part.clone()].chars().map(|_| mask));
        }
        from = part.end;
    }
    masked.push_str(&text[from..]);
    masked
}

/// The policy of a topic, if it has one. Most have none, and pay for a look at a short text.
pub(super) fn of(topic: &Topic) -> Result<Option<Protection>> {
    let document = topic.document();
    if memchr::memmem::find(&document, b"\"protection\"").is_none() {
        return Ok(None);
    }
    let document: Value = serde_json::from_slice(&document).unwrap_or_default();
    let Some(text) = document["sns"]["protection"].as_str() else { return Ok(None) };
    // It was checked when it was put. If it cannot be read all the same, nothing is published.
    Protection::read(text).map(Some).map_err(|flaw| {
        let message = format!("The data protection policy of the topic cannot be applied: {flaw}");
        WireError::new("InternalError", 500, message)
    })
}

/// A publish that a policy denies.
pub(super) fn denied() -> WireError {
    let message = "The message contains data that a Deny statement of the topic's data protection \
                   policy does not allow.";
    WireError::new("AuthorizationError", 403, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn policy(direction: &str, identifiers: &str, operation: &str) -> String {
        format!(
            r#"{{"Name":"p","Version":"2021-06-01","Configuration":{{"CustomDataIdentifier":
            [{{"Name":"Employee","Regex":"EMP-[0-9]+"}}]}},"Statement":[{{"Sid":"s",
            "DataDirection":"{direction}","Principal":["*"],"DataIdentifier":[{identifiers}],
            "Operation":{operation}}}]}}"#
        )
    }

    fn apply(policy: &str, text: &str) -> (String, bool) {
        match Protection::read(policy).unwrap().apply(text, &["arn:aws:iam::1:root"]) {
            Verdict::Publish { text, is_withheld } => (text.into_owned(), is_withheld),
            Verdict::Denied => ("denied".to_owned(), false),
        }
    }

    #[test]
    fn what_is_found_is_denied_withheld_masked_or_left_out() {
        let mail = format!("\"{PREFIX}EmailAddress\",\"Employee\"");
        let text = "é a@b.example of EMP-17";
        let masked = r#"{"Deidentify":{"MaskConfig":{"MaskWithCharacter":"*"}}}"#;
        let told = |direction, operation| apply(&policy(direction, &mail, operation), text);
        assert_eq!(told("Inbound", masked), ("é *********** of ******".to_owned(), false));
        let redacted = r#"{"Deidentify":{"RedactConfig":{}}}"#;
        assert_eq!(told("Outbound", redacted), ("é  of ".to_owned(), false));
        assert_eq!(told("Inbound", r#"{"Deny":{}}"#), ("denied".to_owned(), false));
        assert_eq!(told("Outbound", r#"{"Deny":{}}"#), (text.to_owned(), true));
        assert_eq!(told("Inbound", r#"{"Audit":{"SampleRate":"99"}}"#), (text.to_owned(), false));
        let deny = policy("Inbound", &mail, r#"{"Deny":{}}"#);
        let other = deny.replace("\"*\"", "\"222222222222\"");
        assert_eq!(apply(&other, text), (text.to_owned(), false));
    }

    #[test]
    fn a_policy_that_cannot_be_applied_names_its_flaw() {
        let card = format!("\"{PREFIX}CreditCardNumber\"");
        let right = policy("Inbound", &card, r#"{"Deny":{}}"#);
        assert!(Protection::read(&right).is_ok());
        for (from, to, part) in [
            ("2021-06-01", "2020", "Version"),
            ("Inbound", "Up", "DataDirection"),
            ("Deny", "Forbid", "Operation"),
            ("[\"*\"]", "[]", "Principal"),
            ("\"*\"", "\"arn:aws:iam::111111111111:user/anna\"", "user/anna\" is not told apart"),
            ("CreditCardNumber", "Address", "data-identifier/Address\" is not served"),
            ("EMP-[0-9]+", "(", "Employee cannot be compiled"),
            ("EMP-[0-9]+", "(a{999}){999}", "Employee cannot be compiled"),
            ("\"Employee\"", "\"a b\"", "CustomDataIdentifier"),
            ("{\"Deny\":{}}", "{\"Deidentify\":{}}", "Deidentify"),
        ] {
            let flaw = Protection::read(&right.replace(from, to)).err().unwrap();
            assert!(flaw.contains(part), "{flaw}");
        }
        let outbound = right.replace("Inbound", "Outbound").replace("[\"*\"]", "[\"arn:x\"]");
        assert!(Protection::read(&outbound).err().unwrap().contains("Outbound"));
        let audit = policy("Inbound", "\"Unknown\"", r#"{"Audit":{}}"#);
        assert!(Protection::read(&audit).is_ok());
        for text in ["", "[]", "1", "{}", "null", r#"{"Version":"2021-06-01","Statement":{}}"#] {
            assert!(Protection::read(text).is_err(), "{text}");
        }
    }
}
