//! Message attributes on the way in, by the rules of SNS, which are not those of SQS.

use trunkline_engine::attributes::{Attribute, encode};

use super::errors::{invalid_value, missing};
use super::place::Place;
use crate::error::Result;
use crate::limits::{ATTRIBUTE_TYPE_BYTES_MAX, PUBLISH_ATTRIBUTE_NAME_BYTES_MAX};
use crate::services::message_attributes::{AttributeMap, AttributeValue};

/// The attributes of a message, ready to be published.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub block: Vec<u8>,
    /// What they add to the message's size.
    pub size: usize,
}

/// Checks the attributes of a message that stands at `place` in the input.
pub(super) fn prepare(
    given: Option<AttributeMap<'_>>,
    trace: Option<&str>,
    place: Place,
) -> Result<Prepared> {
    let given = given.unwrap_or_default();
    if given.0.is_empty() && trace.is_none() {
        return Ok(Prepared::default());
    }
    let mut attributes = Vec::with_capacity(given.0.len() + 1);
    for (name, value) in given.0 {
        check_name(&name)?;
        attributes.push(convert(&name, value, place)?);
    }
    attributes.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = attributes.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let name = &pair[0].name;
        return Err(invalid_value(format!("The message attribute '{name}' is given twice.")));
    }
    let size = attributes.iter().map(|a| a.name.len() + a.data_type.len() + a.value.len()).sum();
    attributes.extend(trace.map(|trace| Attribute {
        name: "AWSTraceHeader".to_owned(),
        data_type: "String".to_owned(),
        value: trace.as_bytes().to_vec(),
        system: true,
    }));
    Ok(Prepared { block: encode(&attributes), size })
}

fn check_name(name: &str) -> Result<()> {
    let found = |what: String| Err(invalid_value(what));
    if name.len() > PUBLISH_ATTRIBUTE_NAME_BYTES_MAX {
        return found(format!(
            "Length of message attribute name must be less than \
             {PUBLISH_ATTRIBUTE_NAME_BYTES_MAX} bytes."
        ));
    }
    if name.is_empty() {
        return found("The message attribute name must not be empty.".to_owned());
    }
    for (is_so, place) in [(name.starts_with('.'), "starting"), (name.ends_with('.'), "ending")] {
        if is_so {
            return found(format!(
                "Invalid message attribute name {place} with character '.' was found."
            ));
        }
    }
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(refused) = name.chars().find(|c| !is_allowed(c)) {
        return found(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. \
             Can only include alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(refused)
        ));
    }
    if name.contains("..") {
        return found("Message attribute name can not have successive '.' character.".to_owned());
    }
    Ok(())
}

fn convert(name: &str, value: AttributeValue<'_>, place: Place) -> Result<Attribute> {
    let Some(data_type) = value.data_type.as_deref() else {
        return Err(missing(&place.of(&format!("messageAttributes.{name}.member.dataType"))));
    };
    let (base, suffix) = data_type.split_once('.').unwrap_or((data_type, "-"));
    let is_known = matches!(base, "String" | "Number" | "Binary");
    if !is_known || suffix.is_empty() || data_type.len() > ATTRIBUTE_TYPE_BYTES_MAX {
        return Err(invalid_value(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of \
             supported type prefixes is Binary, Number, and String."
        )));
    }
    let empty = || {
        invalid_value(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for \
             message attribute type '{data_type}'."
        ))
    };
    if value.string_value.is_none() && value.binary_value.is_none() {
        return Err(empty());
    }
    let field = if base == "Binary" { "Binary" } else { "String" };
    let bytes = match field {
        "Binary" => value.binary_value.map(|blob| blob.0.into_owned()),
        _ => value.string_value.map(|text| text.0.into_owned().into_bytes()),
    };
    let bytes = bytes.ok_or_else(|| {
        invalid_value(format!(
            "The message attribute '{name}' with type '{data_type}' must use field '{field}'."
        ))
    })?;
    if bytes.is_empty() {
        return Err(empty());
    }
    let is_number =
        || std::str::from_utf8(&bytes).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
    if base == "Number" && !is_number() {
        return Err(invalid_value(format!(
            "Could not cast message attribute '{name}' value to number."
        )));
    }
    let (name, data_type) = (name.to_owned(), data_type.to_owned());
    Ok(Attribute { name, data_type, value: bytes, system: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_in_the_words_of_aws() {
        assert!(check_name("A-b_c.9").is_ok());
        for (name, part) in [
            (".a", "starting with"),
            ("a.", "ending with"),
            ("a..b", "successive"),
            ("a^b", "'#x5E'"),
            (&"x".repeat(257), "less than 256"),
        ] {
            let refused = check_name(name).map_err(|error| error.message().to_owned());
            assert!(refused.as_ref().is_err_and(|text| text.contains(part)), "{refused:?}");
        }
    }
}
