//! What finds the data of an identifier in a text: a managed one of AWS, or a policy's own.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::data_identifiers::IDENTIFIERS;
use crate::limits::{
    COMPILED_IDENTIFIER_BYTES_MAX, IDENTIFIER_NAME_CHARS_MAX, IDENTIFIER_REGEX_CHARS_MAX,
    IDENTIFIERS_MAX,
};

pub(super) const PREFIX: &str = "arn:aws:dataprotection::aws:data-identifier/";

/// What was read of a policy, or what is wrong with it.
pub(super) type Flaw<T> = std::result::Result<T, String>;

/// What finds the data of one identifier.
#[derive(Clone)]
pub(super) enum Finder {
    Managed(String),
    Custom(String, Regex),
}

impl Finder {
    /// The name of the identifier, as the policy's own or as AWS has it.
    pub fn name(&self) -> &str {
        match self {
            Self::Managed(name) | Self::Custom(name, _) => name,
        }
    }

    /// Adds where its data is in a text.
    pub fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        match self {
            Self::Managed(name) => IDENTIFIERS
                .iter()
                .filter(|one| one.name == name)
                .for_each(|one| one.find(text, found)),
            Self::Custom(_, regex) => found.extend(regex.find_iter(text).map(|one| one.range())),
        }
    }

    /// The finder of an identifier, which `custom` are the policy's own.
    pub fn read(name: &str, custom: &[(String, Regex)]) -> Flaw<Self> {
        if let Some((_, regex)) = custom.iter().find(|(known, _)| known == name) {
            return Ok(Self::Custom(name.to_owned(), regex.clone()));
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

/// The identifiers that a policy defines.
pub(super) fn read_custom(value: &Value) -> Flaw<Vec<(String, Regex)>> {
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
