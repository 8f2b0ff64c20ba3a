//! The key that notifications are signed with, and its certificate.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Bits of a key, as AWS's have.
const BITS: usize = 2_048;
/// Who the certificate is of, as AWS's says.
const COMMON_NAME: &str = "sns.amazonaws.com";

/// Why a key cannot be made or read.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A key with its certificate.
pub(super) struct Key {
    private: RsaPrivateKey,
    stored: Stored,
    /// The path that the certificate is served at.
    pub path: String,
}

/// A key as a document of the engine.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    /// PKCS#8 in base64.
    key: String,
    /// PEM.
    certificate: String,
}

impl Key {
    /// Makes a key. This takes up to seconds.
    pub fn generate() -> Result<Self, Failure> {
        let private = RsaPrivateKey::new(&mut OsRng, BITS)?;
        let der = private.to_pkcs8_der()?;
        let pair = PrivatePkcs8KeyDer::from(der.as_bytes());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pair, &PKCS_RSA_SHA256)?;
        let mut parameters = CertificateParams::new([COMMON_NAME.to_owned()])?;
        parameters.distinguished_name.push(DnType::CommonName, COMMON_NAME);
        let certificate = parameters.self_signed(&pair)?.pem();
        let key = BASE64_STANDARD.encode(der.as_bytes());
        Ok(Self::of(private, Stored { key, certificate }))
    }

    /// Reads a key from its document.
    pub fn load(document: &[u8]) -> Result<Self, Failure> {
        let stored: Stored = serde_json::from_slice(document)?;
        let private = RsaPrivateKey::from_pkcs8_der(&BASE64_STANDARD.decode(&stored.key)?)?;
        Ok(Self::of(private, stored))
    }

    fn of(private: RsaPrivateKey, stored: Stored) -> Self {
        let digest = Sha256::digest(&stored.certificate);
        let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { private, stored, path: format!("/SimpleNotificationService-{name}.pem") }
    }

    /// The document that [`Key::load`] reads.
    pub fn document(&self) -> Result<Vec<u8>, Failure> {
        Ok(serde_json::to_vec(&self.stored)?)
    }

    /// The certificate in PEM.
    pub fn certificate(&self) -> &str {
        &self.stored.certificate
    }

    /// The signature of a text in base64. The exponentiation is blinded, so that its duration tells
    /// nothing of the key.
    pub fn sign(&self, version: u8, text: &str) -> Result<String, Failure> {
        let signature = match version {
            2 => {
                let digest = Sha256::digest(text);
                self.private.sign_with_rng(&mut OsRng, Pkcs1v15Sign::new::<Sha256>(), &digest)
            }
            _ => {
                let digest = Sha1::digest(text);
                self.private.sign_with_rng(&mut OsRng, Pkcs1v15Sign::new::<Sha1>(), &digest)
            }
        };
        Ok(BASE64_STANDARD.encode(signature?))
    }
}

#[cfg(test)]
mod tests {
    use rsa::RsaPublicKey;

    use super::*;

    #[test]
    fn a_key_signs_alike_once_it_is_read_from_its_document() {
        let key = Key::generate().expect("there is randomness");
        let again = Key::load(&key.document().expect("it is plain")).expect("it was written here");
        assert_eq!((&again.path, again.certificate()), (&key.path, key.certificate()));
        let public = RsaPublicKey::from(&key.private);
        for version in [1, 2] {
            let signature = again.sign(version, "Message\na\n").expect("it signs");
            assert_eq!(signature, key.sign(version, "Message\na\n").expect("it signs"));
            let signature = BASE64_STANDARD.decode(signature).expect("it is base64");
            let verify = |text: &str| match version {
                1 => public.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text), &signature),
                _ => {
                    let scheme = Pkcs1v15Sign::new::<Sha256>();
                    public.verify(scheme, &Sha256::digest(text), &signature)
                }
            };
            assert_eq!(verify("Message\na\n"), Ok(()));
            assert!(verify("Message\nb\n").is_err());
        }
        assert!(Key::load(b"{}").is_err());
    }
}
