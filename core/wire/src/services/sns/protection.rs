//! Data protection policies of topics: what a publish may not contain, or what is masked in it.
//!
//! A statement is about messages that come in, or about those that go out. One that goes out to
//! everyone comes to the same as one that comes in, so both are applied when a message is
//! published: an inbound Deny refuses it, an outbound Deny has it delivered to no subscription, and
//! Deidentify masks what it finds. Audit tells of it: see `audit`.

use std::borrow::Cow;
use std::ops::Range;

use regex::Regex;
use serde_json::{Map, Value};
use trunkline_engine::Topic;

use super::audit::Audit;
use super::finder::{Finder, Flaw, read_custom};
use crate::error::{Result, WireError};
use crate::limits::SAMPLE_RATE_MAX;

/// A policy, ready to be applied.
pub struct Protection(Vec<Statement>);

struct Statement {
    is_inbound: bool,
    principals: Vec<String>,
    finders: Vec<Finder>,
    operation: Operation,
}

enum Operation {
    /// Of so many messages in a hundred.
    Audit(u8),
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
        let statements: Vec<Statement> = statements.collect::<Flaw<_>>()?;
        if statements.iter().filter(|one| matches!(one.operation, Operation::Audit(_))).count() > 1
        {
            return Err("Only one Statement may have the Operation Audit.".to_owned());
        }
        Ok(Self(statements))
    }

    /// The audit of a text, if a statement wants one of what `principals` publish: the first of
    /// them is who publishes. `streams` are those that get its records.
    pub(super) fn audit(&self, text: &str, principals: &[&str], streams: &Value) -> Option<Audit> {
        self.0.iter().filter(|one| one.concerns(principals)).find_map(|one| match one.operation {
            Operation::Audit(rate) => {
                Audit::new((&one.finders, rate), text, principals.first()?, streams)
            }
            _ => None,
        })
    }

    /// What of a message `principal` may publish.
    pub(super) fn apply<'a>(&self, text: &'a str, principals: &[&str]) -> Verdict<'a> {
        let (mut text, mut is_withheld) = (Cow::Borrowed(text), false);
        for statement in self.0.iter().filter(|one| one.concerns(principals)) {
            if matches!(statement.operation, Operation::Audit(_)) {
                continue;
            }
            let found = statement.find(&text);
            if found.is_empty() {
                continue;
            }
            match statement.operation {
                Operation::Audit(_) => {}
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
        let is_audit = matches!(operation, Operation::Audit(_));
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
        let finders = names.iter().map(|name| Finder::read(name, custom)).collect::<Flaw<_>>()?;
        Ok(Self { is_inbound, principals, finders, operation })
    }

    fn concerns(&self, principals: &[&str]) -> bool {
        self.principals.iter().any(|one| one == "*" || principals.contains(&one.as_str()))
    }

    /// Where its data is in a text, in order; what overlaps is one.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.finders.iter().for_each(|finder| finder.find(text, &mut found));
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
            Some(("Audit", how)) => Self::read_audit(&how["SampleRate"]),
            Some(("Deny", _)) => Ok(Self::Deny),
            Some(("Deidentify", how)) => Self::read_masking(how.as_object()),
            _ => Err(flaw()),
        }
    }

    fn read_audit(rate: &Value) -> Flaw<Self> {
        let text = rate.as_str().map(str::to_owned).unwrap_or_else(|| rate.to_string());
        match text.parse() {
            Ok(rate) if rate <= SAMPLE_RATE_MAX => Ok(Self::Audit(rate)),
            _ => Err(format!(
                "Audit must have a SampleRate, which is an integer from 0 to {SAMPLE_RATE_MAX}."
            )),
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

/// Whether it can be known that a caller is this principal.
fn is_told_apart(principal: &str) -> bool {
    let root = principal.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    let account = root.unwrap_or(principal);
    principal == "*" || account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
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

/// The policy of a topic, if it has one, and the streams that its audit tells. Most have none, and
/// pay for a look at a short text.
pub(super) fn of(topic: &Topic) -> Result<Option<(Protection, Value)>> {
    let document = topic.document();
    if memchr::memmem::find(&document, b"\"protection\"").is_none() {
        return Ok(None);
    }
    let document: Value = serde_json::from_slice(&document).unwrap_or_default();
    let Some(text) = document["sns"]["protection"].as_str() else { return Ok(None) };
    // It was checked when it was put. If it cannot be read all the same, nothing is published.
    let streams = document["sns"]["audit"].clone();
    Protection::read(text).map(|policy| Some((policy, streams))).map_err(|flaw| {
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
    use super::super::finder::PREFIX;
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
        for rate in ["{}", r#"{"SampleRate":"100"}"#, r#"{"SampleRate":"-1"}"#, "[]"] {
            let audit = policy("Inbound", "\"Employee\"", &format!(r#"{{"Audit":{rate}}}"#));
            assert!(Protection::read(&audit).err().unwrap().contains("SampleRate"), "{rate}");
        }
        for text in ["", "[]", "1", "{}", "null", r#"{"Version":"2021-06-01","Statement":{}}"#] {
            assert!(Protection::read(text).is_err(), "{text}");
        }
    }
}
