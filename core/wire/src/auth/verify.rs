//! Checking a signature against the secret of its access key.

use std::collections::HashMap;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::canonical;
use super::signature::Signature;
use crate::codec::time;
use crate::error::{Result, WireError};
use crate::limits::{PRESIGNED_SECONDS_MAX, SKEW_SECONDS_MAX, SKEW_SECONDS_MAX_S3};
use crate::message::Request;
use crate::model::TimeFormat;

/// AWS's sentence for a signature that is wrong.
pub const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

/// A secret, and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The secret access key.
    pub secret: String,
    /// Temporary credentials: the token that must come along.
    pub token: Option<String>,
    /// The account, where the access key id does not say it.
    pub account: Option<String>,
}

// Secrets do not belong into logs.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The credentials that are known, by access key id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials(pub HashMap<String, Credential>);

impl Credentials {
    /// The credential that signed `request`, if the signature is right and in time.
    pub fn check(
        &self,
        request: &Request<'_>,
        signature: &Signature<'_>,
        now: i64,
    ) -> Result<&Credential> {
        let unknown = || {
            let message = "The security token included in the request is invalid.";
            WireError::new("UnrecognizedClientException", 403, message)
                .with_query_code("InvalidClientTokenId")
        };
        let credential = self.0.get(signature.access_key).ok_or_else(unknown)?;
        if credential.token.as_deref() != signature.token.as_deref() {
            return Err(unknown());
        }
        if signature.is_asymmetric {
            return Err(asymmetric());
        }
        in_time(signature, now)?;
        check_host(signature)?;
        let canonical = canonical::request(request, signature)?;
        let scope = signature.scope();
        let hash = canonical::hash(canonical.as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", signature.time.0);
        let key = signing_key(&credential.secret, signature)?;
        let given = decode_hex(signature.signature).ok_or_else(mismatch)?;
        // Compares in constant time.
        keyed(&key, &text)?.verify_slice(&given).map_err(|_| mismatch())?;
        check_headers(request, signature)?;
        Ok(credential)
    }
}

/// The key that signs what is of the scope of a signature.
pub(super) fn signing_key(secret: &str, signature: &Signature<'_>) -> Result<Vec<u8>> {
    let mut key = sign(format!("AWS4{secret}").as_bytes(), signature.date)?;
    for part in [signature.region, signature.service, "aws4_request"] {
        key = sign(&key, part)?;
    }
    Ok(key)
}

#[cold]
fn asymmetric() -> WireError {
    let message = "Signatures of AWS4-ECDSA-P256-SHA256 are not checked here. Sign with \
                   AWS4-HMAC-SHA256, or serve without --auth strict.";
    WireError::new("InvalidSignatureException", 403, message)
        .with_query_code("SignatureDoesNotMatch")
}

fn mismatch() -> WireError {
    WireError::new("InvalidSignatureException", 403, MISMATCH)
        .with_query_code("SignatureDoesNotMatch")
}

// A signature that leaves the host out could be replayed against another service.
fn check_host(signature: &Signature<'_>) -> Result<()> {
    if signature.signs("host") || signature.signs(":authority") {
        return Ok(());
    }
    let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
    Err(WireError::new("InvalidSignatureException", 403, message)
        .with_query_code("SignatureDoesNotMatch"))
}

// A header of S3 that is not signed could make another operation of a request, such as a copy of a
// presigned upload. The hash of the body is part of what is signed in any case.
fn check_headers(request: &Request<'_>, signature: &Signature<'_>) -> Result<()> {
    if signature.service != "s3" {
        return Ok(());
    }
    let mut names = request.headers.keys().map(http::HeaderName::as_str);
    let unsigned = names.find(|name| {
        name.starts_with("x-amz-") && *name != "x-amz-content-sha256" && !signature.signs(name)
    });
    let Some(name) = unsigned else { return Ok(()) };
    let message = "There were headers present in the request which were not signed";
    let members = vec![("HeadersNotSigned".to_owned(), name.into())];
    Err(WireError::new("AccessDenied", 403, message).with_members(members))
}

/// Refuses a signature that is not yet, or no longer, in time.
pub(super) fn in_time(signature: &Signature<'_>, now: i64) -> Result<()> {
    let (text, signed) = signature.time;
    let skew = if signature.service == "s3" { SKEW_SECONDS_MAX_S3 } else { SKEW_SECONDS_MAX };
    let expired = |why: String| {
        WireError::new("InvalidSignatureException", 403, why)
            .with_query_code("SignatureDoesNotMatch")
    };
    if !text.starts_with(signature.date) {
        return Err(expired(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 \
            version of date from HTTP"
                .to_owned(),
        ));
    }
    let clock = |seconds: i64| time::write(seconds as f64, TimeFormat::Iso).replace(['-', ':'], "");
    if signed > now + skew {
        return Err(expired(format!(
            "Signature not yet current: {text} is still later than {} ({} + {} min.)",
            clock(now + skew),
            clock(now),
            skew / 60
        )));
    }
    match signature.expires {
        None if signed < now - skew => Err(expired(format!(
            "Signature expired: {text} is now earlier than {} ({} - {} min.)",
            clock(now - skew),
            clock(now),
            skew / 60
        ))),
        Some(life) if !(1..=PRESIGNED_SECONDS_MAX).contains(&life) => Err(WireError::new(
            "InvalidParameterValue",
            400,
            "X-Amz-Expires must be between 1 and 604800 seconds",
        )),
        Some(life) if signed + life < now => {
            Err(WireError::new("RequestExpired", 400, "Request has expired."))
        }
        _ => Ok(()),
    }
}

fn keyed(key: &[u8], text: &str) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| WireError::internal("A signing key could not be made."))?;
    mac.update(text.as_bytes());
    Ok(mac)
}

fn sign(key: &[u8], text: &str) -> Result<Vec<u8>> {
    Ok(keyed(key, text)?.finalize().into_bytes().to_vec())
}

pub(super) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|value| value as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}
