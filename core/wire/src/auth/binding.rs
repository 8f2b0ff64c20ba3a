//! What a signature covers: everything that chooses the operation, read the way it was signed.
//!
//! A proved signature says that its owner sent this canonical request. It says nothing about what
//! the canonical form leaves out, so a request is refused when something in it that chooses the
//! operation is not signed, or could be read in more than one way.

use super::canonical;
use super::signature::Signature;
use crate::codec::form::Form;
use crate::error::{Result, WireError};
use crate::message::Request;

/// Headers that choose the protocol, and with it the operation and the form of its input.
const CHOOSING_HEADERS: [&str; 4] =
    ["x-amz-target", "smithy-protocol", "content-type", "content-encoding"];

/// Headers of AWS that are proved in other ways: the hash is part of what is signed, and the token
/// is compared with the one of the credentials.
const PROVED_HEADERS: [&str; 2] = ["x-amz-content-sha256", "x-amz-security-token"];

/// Refuses a request whose operation is chosen by something that `signature` does not cover.
pub(super) fn check(request: &Request<'_>, signature: &Signature<'_>) -> Result<()> {
    check_headers(request, signature)?;
    if signature.service == "s3" {
        // S3 signs paths as they are sent, and bodies need not be signed.
        return Ok(());
    }
    if canonical::normalised_path(request.path) != request.path {
        return Err(refused("The path of a signed request must be sent in its normalised form."));
    }
    if let Some(stated) = request.header("x-amz-content-sha256")
        && !is_hash(stated)
    {
        return Err(refused(&format!("The payload of this service must be signed, not {stated}.")));
    }
    check_query(request, signature)
}

fn check_headers(request: &Request<'_>, signature: &Signature<'_>) -> Result<()> {
    for name in request.headers.keys().map(http::HeaderName::as_str) {
        // Other headers of AWS are a part of the input, such as how a function is to be called.
        let is_input = name.starts_with("x-amz-") && !PROVED_HEADERS.contains(&name);
        let chooses = CHOOSING_HEADERS.contains(&name);
        if (chooses || is_input) && !signature.signs(name) {
            let message = format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.");
            return Err(refused(&message));
        }
        // Several values are signed as one, with commas between them.
        if chooses && request.headers.get_all(name).iter().nth(1).is_some() {
            return Err(refused(&format!("'{name}' must be sent once.")));
        }
    }
    Ok(())
}

// The canonical form sorts the parameters: of two with one name it does not tell which was first.
// REST services repeat parameters to send lists, so this concerns what is chosen by a parameter.
fn check_query(request: &Request<'_>, signature: &Signature<'_>) -> Result<()> {
    if request.query.is_empty() {
        return Ok(());
    }
    let form = Form::read(request.query.as_bytes())?;
    if form.get("Action").is_none() && signature.expires.is_none() {
        return Ok(());
    }
    let mut names: Vec<&str> = form.pairs().iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(WireError::new(
            "MalformedQueryString",
            400,
            format!("The parameter '{}' must be sent once.", pair[0]),
        )),
        None => Ok(()),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn refused(message: &str) -> WireError {
    WireError::new("InvalidSignatureException", 403, message)
        .with_query_code("SignatureDoesNotMatch")
}
