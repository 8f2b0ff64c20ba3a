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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The signer of AWS's examples of signed chunks.
    fn signer(seed: &str) -> ChunkSigner {
        let signature = Signature {
            access_key: "AKIAIOSFODNN7EXAMPLE",
            date: "20130524",
            region: "us-east-1",
            service: "s3",
            signed_headers: Vec::new(),
            signature: seed,
            time: ("20130524T000000Z", 0),
            expires: None,
            is_asymmetric: false,
            token: None,
        };
        ChunkSigner {
            key: signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &signature).unwrap(),
            time: signature.time.0.to_owned(),
            scope: signature.scope(),
            previous: seed.to_owned(),
        }
    }

    fn hash(length: usize) -> Vec<u8> {
        Sha256::digest(vec![b'a'; length]).to_vec()
    }

    const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    const CHUNKS: [(usize, &str); 3] = [
        (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ];

    #[test]
    fn chunks_of_the_example_are_proved_in_their_order() {
        let mut signer = signer(SEED);
        for (length, signature) in CHUNKS {
            assert!(signer.prove_chunk(&hash(length), signature).unwrap(), "{length}");
        }
    }

    #[test]
    fn chunks_that_are_changed_left_out_or_swapped_are_not_proved() {
        let [first, second, _] = CHUNKS;
        assert!(!signer(SEED).prove_chunk(&hash(65_535), first.1).unwrap());
        assert!(!signer(SEED).prove_chunk(&hash(second.0), second.1).unwrap());
        for none in ["", "x", "4f2", &first.1[2..]] {
            assert!(!signer(SEED).prove_chunk(&hash(first.0), none).unwrap(), "{none}");
        }
    }

    #[test]
    fn trailers_of_the_example_are_proved() {
        let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
        let mut signer = signer(seed);
        for (length, signature) in [
            (65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
            (1_024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
            (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
        ] {
            assert!(signer.prove_chunk(&hash(length), signature).unwrap(), "{length}");
        }
        let signature = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
        let trailers = b"x-amz-checksum-crc32c:sOO8/Q==\n";
        assert!(signer.clone().prove_trailers(trailers, signature).unwrap());
        assert!(!signer.prove_trailers(b"x-amz-checksum-crc32c:AAAAAA==\n", signature).unwrap());
    }
}
