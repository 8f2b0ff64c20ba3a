//! The canonical form of a request: what both sides sign.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::signature::Signature;
use crate::codec::uri;
use crate::error::{Result, WireError};
use crate::message::Request;

/// The canonical request, ready to be hashed.
pub(super) fn request(request: &Request<'_>, signature: &Signature<'_>) -> Result<String> {
    let is_s3 = signature.service == "s3";
    let mut text = String::new();
    text.push_str(request.method);
    text.push('\n');
    text.push_str(&path(request.path, is_s3));
    text.push('\n');
    text.push_str(&query(request.query));
    text.push('\n');
    for name in &signature.signed_headers {
        text.push_str(name);
        text.push(':');
        let mut values = request.headers.get_all(*name).iter().peekable();
        if values.peek().is_none() {
            let message = format!("The signed header '{name}' is not in the request.");
            return Err(WireError::new("InvalidSignatureException", 403, message)
                .with_query_code("SignatureDoesNotMatch"));
        }
        for (place, value) in values.enumerate() {
            if place > 0 {
                text.push(',');
            }
            let value = String::from_utf8_lossy(value.as_bytes());
            let words: Vec<&str> = value.split_ascii_whitespace().collect();
            text.push_str(&words.join(" "));
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&signature.signed_headers.join(";"));
    text.push('\n');
    text.push_str(&payload(request, signature)?);
    Ok(text)
}

/// The SHA-256 of `bytes`, in hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn payload(request: &Request<'_>, signature: &Signature<'_>) -> Result<String> {
    let is_s3 = signature.service == "s3";
    let Some(stated) = request.header("x-amz-content-sha256") else {
        return Ok(match signature.expires {
            Some(_) if is_s3 => "UNSIGNED-PAYLOAD".to_owned(),
            _ => hash(request.body),
        });
    };
    if is_s3 {
        // The body may be longer than what is held: the service compares it as it comes.
        return Ok(stated.to_owned());
    }
    let is_special = stated == "UNSIGNED-PAYLOAD" || stated.starts_with("STREAMING-");
    if !is_special && stated != hash(request.body) {
        let message =
            "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(WireError::new("XAmzContentSHA256Mismatch", 400, message));
    }
    Ok(stated.to_owned())
}

fn path(raw: &str, is_s3: bool) -> String {
    if is_s3 {
        return if raw.is_empty() { "/".to_owned() } else { raw.to_owned() };
    }
    // Every service but S3 signs the normalised path, escaped once more.
    uri::encode(normalised_path(raw).as_bytes(), true)
}

/// The path without empty and relative segments.
pub(super) fn normalised_path(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut joined = format!("/{}", segments.join("/"));
    if raw.ends_with('/') && joined.len() > 1 {
        joined.push('/');
    }
    joined
}

fn query(raw: &str) -> String {
    let mut pairs: Vec<(String, String)> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (normalised(name), normalised(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

// However the sender escaped, the signed form is the strict one. A plus is a space, as it is for
// the operation: what is signed is what is read.
fn normalised(text: &str) -> String {
    uri::encode(&uri::decode(text.as_bytes(), true), false)
}
