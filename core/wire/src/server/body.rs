//! Reading a request's body, within its limits of size and time.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use super::Shared;
use super::memory::{COUNTED_BYTES_MIN, Share};
use crate::message::Response;

/// A body, and what it takes of the room for large ones.
pub(super) struct Body {
    pub bytes: Bytes,
    _share: Option<Share>,
}

/// The body, or the answer that refuses it.
pub(super) async fn read(shared: &Shared, body: Incoming) -> Result<Body, Response> {
    if body.is_end_stream() {
        return Ok(Body { bytes: Bytes::new(), _share: None });
    }
    // A length that is stated is refused before anything is read.
    if body.size_hint().lower() > shared.options.body_bytes_max as u64 {
        return Err(too_large(shared.options.body_bytes_max));
    }
    let reading = tokio::time::timeout(shared.options.read_timeout, collect(shared, body));
    reading.await.unwrap_or_else(|_| {
        Err(refuse(408, "RequestTimeout", "The body of the request came too slowly."))
    })
}

async fn collect(shared: &Shared, mut body: Incoming) -> Result<Body, Response> {
    let max = shared.options.body_bytes_max;
    let mut share = None;
    let mut first = Bytes::new();
    let mut rest: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let broken = |_| refuse(400, "IncompleteBody", "The body of the request is broken.");
        // What is no data is a trailer, which nobody asked for.
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        // The first piece is in `rest` as well, as soon as there is a second.
        let held = rest.len().max(first.len()) + data.len();
        if held > max {
            return Err(too_large(max));
        }
        if held >= COUNTED_BYTES_MIN {
            let share = share.get_or_insert_with(|| Share::none(&shared.memory));
            if !share.take(held - share.bytes()) {
                return Err(no_room());
            }
        }
        if first.is_empty() {
            // Most bodies come in one piece, which is used as it is.
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(&data);
    }
    let bytes = if rest.is_empty() { first } else { Bytes::from(rest) };
    Ok(Body { bytes, _share: share })
}

fn no_room() -> Response {
    let message = "The bodies of other requests fill the server's memory. Try again.";
    refuse(503, "ServiceUnavailable", message).with("connection", "close")
}

fn too_large(max: usize) -> Response {
    let message = format!("The body of a request may have {max} bytes at most.");
    refuse(413, "RequestEntityTooLarge", &message).with("connection", "close")
}

/// An answer that belongs to no service: the request was not even read.
pub(super) fn refuse(status: u16, code: &str, message: &str) -> Response {
    let body = serde_json::json!({"__type": code, "message": message});
    Response::new(status, "application/json", body.to_string())
}
