//! What the data plane needs of a stream's document.

use std::collections::BTreeMap;

use serde::Deserialize;
use trunkline_types::Millis;

/// The part of the document that Kinesis keeps.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// `KMS` if the stream says that its records are encrypted.
    pub encryption: Option<String>,
    /// The resource policy of the stream.
    pub policy: Option<String>,
    /// `AUTO` if partition keys do not decide the shards of records.
    pub strategy: Option<String>,
    /// The consumers, by name.
    pub consumers: BTreeMap<String, Consumer>,
}

/// A consumer; times are in seconds.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Consumer {
    created: f64,
    active: f64,
    gone: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    kinesis: Settings,
}

impl Settings {
    /// Reads a document; one that Kinesis never wrote to has the defaults.
    pub fn read(document: &[u8]) -> Self {
        let document: Document = serde_json::from_slice(document).unwrap_or_default();
        document.kinesis
    }

    /// Whether Kinesis chooses the shards of records.
    pub fn is_auto(&self) -> bool {
        self.strategy.as_deref() == Some("AUTO")
    }

    /// Whether a consumer of this name, created in this second, may subscribe now.
    pub fn has_consumer(&self, name: &str, created: &str, now: Millis) -> bool {
        let now = now as f64 / 1_000.0;
        self.consumers.get(name).is_some_and(|consumer| {
            (consumer.created as u64).to_string() == created
                && consumer.active <= now
                && consumer.gone.is_none_or(|gone| gone > now)
        })
    }

    /// The EncryptionType that answers carry.
    pub fn encryption_type(&self) -> Option<&str> {
        self.encryption.as_deref().filter(|kind| *kind == "KMS")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_others_and_none_at_all_have_the_defaults() {
        for document in [&b""[..], b"{}", br#"{"other":1}"#, b"nonsense"] {
            assert_eq!(Settings::read(document), Settings::default());
        }
        let found = Settings::read(br#"{"kinesis":{"encryption":"KMS","tags":{}}}"#);
        assert_eq!(found.encryption_type(), Some("KMS"));
    }
}
