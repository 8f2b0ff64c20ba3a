//! Message attributes on the way in: checked, sorted, and put into the engine's block.

use trunkline_engine::attributes::{Attribute, encode};
use trunkline_types::Limits;

use super::digest::{self, Hex};
use super::errors::{invalid, named};
use super::text;
use crate::error::Result;
use crate::limits::ATTRIBUTE_TYPE_BYTES_MAX;
use crate::services::message_attributes::{AttributeMap, AttributeValue};

const TRACE_HEADER: &str = "AWSTraceHeader";

/// The attributes of a message, ready to be sent.
#[derive(Default)]
pub(super) struct Prepared {
    pub block: Vec<u8>,
    pub digest: Option<Hex>,
    pub system_digest: Option<Hex>,
    /// What they add to the message's size.
    pub size: usize,
}

/// Checks the attributes of a message.
pub(super) fn prepare(
    user: Option<AttributeMap<'_>>,
    system: Option<AttributeMap<'_>>,
    trace: Option<&str>,
    limits: &Limits,
) -> Result<Prepared> {
    let (user, system) = (user.unwrap_or_default(), system.unwrap_or_default());
    if user.0.is_empty() && system.0.is_empty() && trace.is_none() {
        return Ok(Prepared::default());
    }
    let (count, most) = (user.0.len(), limits.attributes_max);
    if count > most as usize {
        return Err(invalid(format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [{most}]."
        )));
    }
    let mut prepared = Prepared::default();
    let mut attributes = Vec::with_capacity(user.0.len() + system.0.len());
    for (name, value) in user.0 {
        check_name(&name, limits)?;
        attributes.push(convert(&name, value, false)?);
    }
    attributes.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = attributes.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let name = &pair[0].name;
        return Err(invalid(format!("Message (user) attribute '{name}' is given twice.")));
    }
    if !attributes.is_empty() {
        prepared.digest = Some(digest::of_attributes(attributes.iter()));
    }
    prepared.size =
        attributes.iter().map(|a| a.name.len() + a.data_type.len() + a.value.len()).sum();
    let users = attributes.len();
    for (name, value) in system.0 {
        if &*name != TRACE_HEADER || attributes.len() > users {
            return Err(invalid(format!("Message system attribute name '{}' is invalid.", &*name)));
        }
        let attribute = convert(&name, value, true)?;
        if attribute.data_type != "String" {
            return Err(invalid(
                "Message system attribute 'AWSTraceHeader' must be of type 'String'.",
            ));
        }
        prepared.system_digest = Some(digest::of_attributes(std::iter::once(&attribute)));
        attributes.push(attribute);
    }
    // A header of the request traces its messages, unless they say something else.
    if let (Some(trace), true) = (trace, attributes.len() == users) {
        attributes.push(Attribute {
            name: TRACE_HEADER.to_owned(),
            data_type: "String".to_owned(),
            value: trace.as_bytes().to_vec(),
            system: true,
        });
    }
    prepared.block = encode(&attributes);
    Ok(prepared)
}

fn check_name(name: &str, limits: &Limits) -> Result<()> {
    let most = limits.attribute_name_chars_max;
    if name.len() > most as usize {
        return Err(invalid(format!(
            "Message (user) attribute names must be shorter than {most} Bytes"
        )));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return Err(invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These \
             strings are reserved for internal use.",
        ));
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if name.is_empty() || dotted || !name.chars().all(allowed) {
        return Err(invalid(format!(
            "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, \
             0-9, underscore (_), hyphen (-), and period (.) characters."
        )));
    }
    Ok(())
}

fn convert(name: &str, value: AttributeValue<'_>, system: bool) -> Result<Attribute> {
    let kind = if system { "system" } else { "user" };
    let data_type = value.data_type.as_deref().unwrap_or("");
    if data_type.is_empty() {
        return Err(invalid(format!(
            "The message attribute '{name}' must contain non-empty message attribute type."
        )));
    }
    let base = data_type.split('.').next().unwrap_or(data_type);
    if !matches!(base, "String" | "Number" | "Binary") || data_type.len() > ATTRIBUTE_TYPE_BYTES_MAX
    {
        return Err(invalid(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of \
             supported type prefixes is Binary, Number, and String."
        )));
    }
    let has_items = |list: &Option<Vec<_>>| list.as_ref().is_some_and(|list| !list.is_empty());
    if has_items(&value.string_list_values) || has_items(&value.binary_list_values) {
        return Err(named(
            "UnsupportedOperation",
            "Message attribute list values in SendMessage operation are not supported.",
        ));
    }
    let bytes = match base {
        "Binary" => match value.binary_value {
            Some(blob) => blob.0.into_owned(),
            None => Vec::new(),
        },
        _ => value.string_value.map(|text| text.0.into_owned().into_bytes()).unwrap_or_default(),
    };
    if bytes.is_empty() {
        return Err(invalid(format!(
            "Message ({kind}) attribute '{name}' must contain a non-empty value of type '{base}'."
        )));
    }
    if let (false, Ok(text)) = (base == "Binary", std::str::from_utf8(&bytes)) {
        if let Some(refused) = text::invalid_character(text, name) {
            return Err(refused);
        }
        if base == "Number" && !is_number(text) {
            return Err(invalid(format!(
                "Can't cast the value of message ({kind}) attribute '{name}' to a number."
            )));
        }
    }
    Ok(Attribute { name: name.to_owned(), data_type: data_type.to_owned(), value: bytes, system })
}

fn is_number(text: &str) -> bool {
    const DIGITS_MAX: usize = 38;
    let text = text.trim();
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let mantissa = text.split(['e', 'E']).next().unwrap_or("");
    let digits = mantissa.trim_start_matches(['+', '-', '0', '.']).bytes();
    let digits = digits.filter(u8::is_ascii_digit).count();
    is_decimal && digits <= DIGITS_MAX && text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_at_most_38_digits_and_no_words() {
        for text in ["0", "-1.5", "1e10", "+.5", "00012"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "x", "nan", "inf", "1,5", &"9".repeat(39), "1e999"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn reserved_and_malformed_names_are_refused() {
        for name in ["a", "A-b_c.9", "\u{e9}t\u{e9}"] {
            assert!(check_name(name, &Limits::default()).is_ok(), "{name}");
        }
        for name in ["", ".a", "a.", "a..b", "AWS.x", "amazon.x", "a b", &"x".repeat(257)] {
            assert!(check_name(name, &Limits::default()).is_err(), "{name}");
        }
    }
}
