//! Signatures of notifications: a service that serves SNS over a wire installs what makes them.
//!
//! A signature proves to a receiver that a message came from the service. A program that reads from
//! its own engine needs no proof, and an RSA signature takes a millisecond, so an engine without a
//! signer sends its envelopes unsigned.

use std::sync::{Arc, PoisonError};

use trunkline_types::ResourceName;
use trunkline_types::sync::RwLock;

/// A signature in the form of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `1` for SHA-1, `2` for SHA-256.
    pub version: u8,
    /// The signature, in base64.
    pub value: String,
    /// Where the certificate of the key is.
    pub certificate_url: String,
}

/// What signs the notifications of an engine.
pub trait Signer: Send + Sync {
    /// The address at which the service is reached, for links in the messages of `region`; without
    /// a slash at its end.
    fn address(&self, region: &str) -> String;

    /// Sets that address.
    fn announce(&self, address: String);

    /// The signature of a text in this version, or else in the one that `topic` wants. `None` where
    /// it cannot be made: then the message goes out unsigned, which a receiver that verifies
    /// refuses.
    fn sign(&self, topic: &ResourceName, text: &str, version: Option<u8>) -> Option<Signature>;

    /// Makes the key in the background, so that the first message need not wait for it.
    fn prepare(self: Arc<Self>);

    /// The certificate at `path` of that address.
    fn certificate(&self, path: &str) -> Option<String>;
}

/// The place of the signer.
#[derive(Default)]
pub(crate) struct Signing(RwLock<Option<Arc<dyn Signer>>>);

impl Signing {
    /// What signs, if anything does.
    pub fn signer(&self) -> Option<Arc<dyn Signer>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Installs a signer where there is none.
    pub fn install(&self, signer: Arc<dyn Signer>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(signer);
    }
}

/// The text that a signature is of: fields that have a value, in this order.
pub(crate) fn string_to_sign(fields: &[(&str, Option<&str>)]) -> String {
    let given = fields.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    given.map(|(name, value)| format!("{name}\n{value}\n")).collect()
}
