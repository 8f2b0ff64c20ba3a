//! What topics check before anything changes, and what they refuse.

use trunkline_types::{Code, Error, Result};

use super::{Topic, TopicConfig};

/// Longest name of a topic: SNS's.
const NAME_MAX: usize = 256;

/// Checks the name of a new topic; its rules if it is given none.
pub(super) fn check_name(name: &str, config: Option<TopicConfig>) -> Result<TopicConfig> {
    let stem = name.strip_suffix(".fifo");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let plain = stem.unwrap_or(name);
    if plain.is_empty() || name.len() > NAME_MAX || !plain.bytes().all(is_plain) {
        return Err(invalid(format!(
            "The name {name:?} of a topic is not valid: 1 to {NAME_MAX} letters, digits, - and _, \
             and .fifo at the end of a FIFO topic."
        )));
    }
    let config =
        config.unwrap_or(TopicConfig { is_fifo: stem.is_some(), ..TopicConfig::default() });
    check_config(name, config)?;
    Ok(config)
}

pub(super) fn check_config(name: &str, config: TopicConfig) -> Result<()> {
    if config.is_fifo != name.ends_with(".fifo") {
        return Err(invalid(format!(
            "The topic {name} is FIFO if its name ends in .fifo, and only then; that never changes."
        )));
    }
    if !config.is_fifo && (config.content_based_dedup || config.dedup_by_group) {
        return Err(invalid(format!(
            "The topic {name} is no FIFO topic, so it has no deduplication. Leave \
             content_based_dedup and dedup_scope out, or end its name in .fifo."
        )));
    }
    Ok(())
}

#[cold]
pub(super) fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

#[cold]
pub(super) fn differs(topic: &Topic) -> Error {
    Error::new(
        Code::InvalidParameterValue,
        format!(
            "The topic {} already exists with different attributes. Leave them out, or change the \
             topic with configure().",
            topic.name.name
        ),
    )
}

#[cold]
pub(crate) fn no_such_topic(name: &str) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("The topic {name} does not exist."))
}

#[cold]
pub(super) fn no_such_subscription() -> Error {
    Error::new(Code::ResourceNotFoundException, "The subscription does not exist.")
}
