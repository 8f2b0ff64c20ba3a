//! Reading a request's body, within its limits of size and time.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use super::Shared;
use crate::message::Answer;

/// The body, or the answer that refuses it.
pub(super) async fn read(shared: &Shared, body: Incoming) -> Result<Bytes, Answer> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let max = shared.options.body_bytes_max;
    // A length that is stated is refused before anything is read.
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    let collecting = Limited::new(body, max).collect();
    match tokio::time::timeout(shared.options.read_timeout, collecting).await {
        Err(_) => Err(refuse(408, "RequestTimeout", "The body of the request came too slowly.")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(max)),
        Ok(Err(_)) => Err(refuse(400, "IncompleteBody", "The body of the request is broken.")),
    }
}

fn too_large(max: usize) -> Answer {
    let message = format!("The body of a request may have {max} bytes at most.");
    refuse(413, "RequestEntityTooLarge", &message).with("connection", "close")
}

/// An answer that belongs to no service: the request was not even read.
pub(super) fn refuse(status: u16, code: &str, message: &str) -> Answer {
    let body = serde_json::json!({"__type": code, "message": message});
    Answer::new(status, "application/json", body.to_string())
}
