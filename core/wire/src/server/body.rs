//! Reading a request's body, within its limits of size and time.

use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::Shared;
use crate::limits::CODE_BODY_BYTES_MAX;
use crate::memory::Share;
use crate::message::Response;

/// How often a body that does not come is looked at again.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Bytes that are reserved for a body because its length is stated, and before they come.
const RESERVED_BYTES_MAX: usize = 1 << 20;
/// How long a body may pause while memory is short.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

/// A body that was read.
pub(super) enum Body {
    /// It came in one piece.
    Piece(Bytes),
    /// It came in several, which were put together.
    Gathered(Vec<u8>),
}

impl Body {
    /// Lets the next body have its memory.
    pub fn recycle(self, shared: &Shared) {
        if let Self::Gathered(buffer) = self {
            shared.buffers.give_back(buffer);
        }
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Piece(bytes) => bytes,
            Self::Gathered(bytes) => bytes,
        }
    }
}

/// The most bytes that a body may have which is sent to `path`.
pub(super) fn largest(path: &str, usual: usize) -> usize {
    let path = path.trim_end_matches('/');
    let holds_code = match path.strip_prefix("/2015-03-31/functions") {
        Some(function) => function.is_empty() || function.ends_with("/code"),
        None => path.starts_with("/2018-10-31/layers/") && path.ends_with("/versions"),
    };
    if holds_code { usual.max(CODE_BODY_BYTES_MAX) } else { usual }
}

/// The body, or the answer that refuses it: it has `max` bytes at most. `share` counts what is
/// held.
pub(super) async fn read(
    shared: &Shared,
    mut body: Incoming,
    share: &mut Share,
    max: usize,
) -> Result<Body, Response> {
    if body.is_end_stream() {
        return Ok(Body::Piece(Bytes::new()));
    }
    // A length that is stated is refused before anything is read.
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    let mut first = Bytes::new();
    let mut rest: Vec<u8> = Vec::new();
    let mut pace = Pace::new(shared.options.read_timeout);
    while let Some(frame) = next(shared, &mut body, &mut pace).await? {
        // What is no data is a trailer; no operation reads one.
        let Ok(data) = frame.into_data() else { continue };
        // The first piece moves to `rest` as soon as there is a second.
        if rest.len().max(first.len()) + data.len() > max {
            return Err(too_large(max));
        }
        if !share.take(data.len()) {
            return Err(no_memory());
        }
        if first.is_empty() && rest.is_empty() {
            // Most bodies come in one piece, which is used as it is.
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest = shared.buffers.take();
            // What is still to come is stated, or 0.
            let stated = first.len() as u64 + data.len() as u64 + body.size_hint().lower();
            rest.reserve(RESERVED_BYTES_MAX.min(usize::try_from(stated).unwrap_or(usize::MAX)));
            rest.extend_from_slice(&first);
            // The connection reads on into memory that is not used otherwise.
            first = Bytes::new();
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { Body::Piece(first) } else { Body::Gathered(rest) })
}

/// How long a body may take as a whole, and when its last piece came.
pub(super) struct Pace {
    end: Instant,
    last: Instant,
}

impl Pace {
    pub(super) fn new(patience: Duration) -> Self {
        let last = Instant::now();
        Self { end: last + patience, last }
    }
}

type Frame = hyper::body::Frame<Bytes>;

/// The next piece of a body; `None` at its end.
pub(super) async fn next(
    shared: &Shared,
    body: &mut Incoming,
    pace: &mut Pace,
) -> Result<Option<Frame>, Response> {
    loop {
        let look = pace.end.min(Instant::now() + LOOK_INTERVAL);
        if let Ok(frame) = timeout_at(look, body.frame()).await {
            pace.last = Instant::now();
            let broken = |_| refuse(400, "IncompleteBody", "The body of the request is broken.");
            return frame.transpose().map_err(broken);
        }
        let now = Instant::now();
        let is_short = shared.memory.is_short() && now >= pace.last + SHORT_PATIENCE;
        if now >= pace.end || is_short {
            let message = "The body of the request came too slowly.";
            return Err(refuse(408, "RequestTimeout", message).with("connection", "close"));
        }
    }
}

fn no_memory() -> Response {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_requests_that_bring_code_may_be_larger() {
        for path in [
            "/2015-03-31/functions",
            "/2015-03-31/functions/",
            "/2015-03-31/functions/charge/code",
            "/2018-10-31/layers/tools/versions",
        ] {
            assert_eq!(largest(path, 10), CODE_BODY_BYTES_MAX, "{path}");
        }
        for path in ["/", "/2015-03-31/functions/charge/invocations", "/bucket/key/code"] {
            assert_eq!(largest(path, 10), 10, "{path}");
        }
    }
}
