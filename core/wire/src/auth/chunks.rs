//! Signatures of the chunks of a body: each is of the chunk and of the signature before it.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::canonical;
use super::signature::Signature;
use super::verify::{decode_hex, signing_key};
use super::{Credentials, Mode};
use crate::error::{Result, WireError};
use crate::message::Request;

/// Proves the chunks of one body, in order.
#[derive(Clone)]
pub struct ChunkSigner {
    key: Vec<u8>,
    time: String,
    scope: String,
    previous: String,
}

impl ChunkSigner {
    /// The signer of a request whose own signature is proved; `None` where nothing is proved.
    pub fn of(mode: &Mode, request: &Request<'_>) -> Result<Option<Self>> {
        let Mode::Strict(Credentials(credentials)) = mode else { return Ok(None) };
        let Some(signature) = Signature::of(request)? else { return Ok(None) };
        let Some(credential) = credentials.get(signature.access_key) else { return Ok(None) };
        Ok(Some(Self {
            key: signing_key(&credential.secret, &signature)?,
            time: signature.time.0.to_owned(),
            scope: signature.scope(),
            previous: signature.signature.to_owned(),
        }))
    }

    /// Whether `signature` is that of the next chunk, whose SHA-256 this is.
    pub fn prove_chunk(&mut self, hash: &[u8], signature: &str) -> Result<bool> {
        let (time, scope, previous) = (&self.time, &self.scope, &self.previous);
        let (empty, hash) = (canonical::hash(b""), canonical::hex(hash));
        let text =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{scope}\n{previous}\n{empty}\n{hash}");
        self.prove(&text, signature)
    }

    /// Whether `signature` is that of these trailers.
    pub fn prove_trailers(&mut self, trailers: &[u8], signature: &str) -> Result<bool> {
        let (time, scope, previous) = (&self.time, &self.scope, &self.previous);
        let hash = canonical::hex(&Sha256::digest(trailers));
        let text = format!("AWS4-HMAC-SHA256-TRAILER\n{time}\n{scope}\n{previous}\n{hash}");
        self.prove(&text, signature)
    }

    fn prove(&mut self, text: &str, signature: &str) -> Result<bool> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key)
            .map_err(|_| WireError::internal("A signing key could not be made."))?;
        mac.update(text.as_bytes());
        let Some(given) = decode_hex(signature) else { return Ok(false) };
        // Compares in constant time.
        let is_right = mac.verify_slice(&given).is_ok();
        signature.clone_into(&mut self.previous);
        Ok(is_right)
    }
}
