//! What is set for a bucket.

use serde::{Deserialize, Serialize};
use trunkline_types::{Code, Error, Millis, ResourceName, Result};

use super::object::{Object, Pairs};

/// Whether earlier versions of objects are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never were.
    #[default]
    Off,
    /// They are.
    Enabled,
    /// They were, and new ones are not.
    Suspended,
}

/// When objects expire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpiryRule {
    /// Its id, for the answers that tell of it.
    pub id: String,
    /// Keys start with it.
    pub prefix: String,
    /// Objects have these tags.
    pub tags: Pairs,
    /// Objects are larger.
    pub larger_than: Option<u64>,
    /// Objects are smaller.
    pub smaller_than: Option<u64>,
    /// So many days after it was put, at the end of the day.
    pub days: Option<u64>,
    /// At this moment.
    pub date: Option<Millis>,
    /// Delete markers without older versions go.
    pub removes_lone_markers: bool,
    /// Versions that are not the newest go so many days after a newer one came.
    pub noncurrent_days: Option<u64>,
    /// So many of them stay.
    pub noncurrent_kept: Option<u64>,
    /// Uploads that are not complete go so many days after they began.
    pub upload_days: Option<u64>,
}

/// What is set for a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketConfig {
    /// Whether earlier versions are kept.
    pub versioning: Versioning,
    /// When objects expire.
    pub expiry: Vec<ExpiryRule>,
    /// Who is told of changes.
    pub notifications: Vec<Notification>,
    /// What the surfaces keep, by name; the engine does not look at it.
    pub documents: std::collections::BTreeMap<String, String>,
}

/// Who is told of changes of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notification {
    /// Its id, which the event tells.
    pub id: String,
    /// The events, such as `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// Keys start with it.
    pub prefix: String,
    /// Keys end with it.
    pub suffix: String,
    /// The target: its kind, account, region and name.
    pub target: (String, String, String, String),
    /// The version or alias of the function that is told; empty for none, and for other targets.
    pub qualifier: String,
}

impl Notification {
    /// Whether it tells of `event` (such as `ObjectCreated:Put`) of this key.
    pub fn matches(&self, event: &str, key: &str) -> bool {
        let is_meant = |wanted: &String| {
            let wanted = wanted.strip_prefix("s3:").unwrap_or(wanted);
            match wanted.strip_suffix('*') {
                Some(start) => event.starts_with(start),
                None => wanted == event,
            }
        };
        key.starts_with(&self.prefix)
            && key.ends_with(&self.suffix)
            && self.events.iter().any(is_meant)
    }
}

impl ExpiryRule {
    /// Whether the rule is about this object.
    pub(super) fn covers(&self, key: &str, object: &Object) -> bool {
        key.starts_with(&self.prefix)
            && self.larger_than.is_none_or(|size| object.size > size)
            && self.smaller_than.is_none_or(|size| object.size < size)
            && self.tags.iter().all(|tag| object.tags.contains(tag))
    }
}

/// Longest key, in bytes (AWS: 1,024).
pub const KEY_BYTES_MAX: usize = 1_024;

/// Refuses a key that no object has.
pub(super) fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Error::new(
            Code::InvalidParameterValue,
            format!("key: it has {} bytes; give it 1 to {KEY_BYTES_MAX}.", key.len()),
        ));
    }
    if key.contains('\0') {
        return Err(Error::new(
            Code::InvalidParameterValue,
            "key: it contains a NUL character; remove it.",
        ));
    }
    Ok(())
}

/// Refuses a name that no bucket has: 3 to 63 lower-case letters, digits, dots and hyphens.
pub(super) fn check_name(name: &ResourceName) -> Result<()> {
    let text = name.name.as_bytes();
    let is_edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let fits = (3..=63).contains(&text.len())
        && is_edge(text.first())
        && is_edge(text.last())
        && text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(b))
        && !name.name.contains("..")
        && name.name.parse::<std::net::Ipv4Addr>().is_err();
    if fits {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidParameterValue,
        format!(
            "name: {:?} is no name of a bucket. Use 3 to 63 lower-case letters, digits, dots and \
             hyphens, with a letter or digit at both ends.",
            name.name
        ),
    ))
}
