//! An answer as an HTTP response.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, InvalidHeaderName, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};

use super::connections::Connection;
use super::stream::{Reply, ReplyBody};
use super::unread::unread;

/// The HTTP response that carries `reply`.
pub(super) fn response(reply: Reply, connection: &Arc<Connection>) -> http::Response<ReplyBody> {
    let Reply { response: answer, events, source } = reply;
    // A connection is busy for as long as events or pieces may come.
    let events = events.map(|events| (events, connection.request()));
    let body = match source {
        Some((left, rest)) => ReplyBody::Source { left, rest, _busy: connection.request() },
        None => ReplyBody::new(unread(connection, answer.body), events),
    };
    let mut response = http::Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        let value = match value {
            Cow::Borrowed(text) => HeaderValue::from_str(text),
            Cow::Owned(text) => HeaderValue::try_from(text),
        };
        // A header that HTTP cannot carry is left out: the body says the same.
        if let (Ok(name), Ok(value)) = (header_name(&name), value) {
            match name {
                // Each cookie has a header of its own.
                SET_COOKIE => headers.append(name, value),
                name => headers.insert(name, value).is_some(),
            };
        }
    }
    response
}

// The two headers of nearly every answer are not parsed each time.
fn header_name(name: &str) -> Result<HeaderName, InvalidHeaderName> {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
    match name {
        "content-type" => Ok(CONTENT_TYPE),
        "x-amzn-requestid" => Ok(REQUEST_ID),
        other => HeaderName::from_bytes(other.as_bytes()),
    }
}
