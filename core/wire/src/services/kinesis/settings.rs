//! What the data plane needs of a stream's document.

use serde::Deserialize;

/// The part of the document that Kinesis keeps.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// `KMS` if the stream says that its records are encrypted.
    pub encryption: Option<String>,
    /// The resource policy of the stream.
    pub policy: Option<String>,
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
