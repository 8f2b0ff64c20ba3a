//! How one attempt ended, as a value; and which failures are worth another attempt.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::RetryAfter;

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint took the delivery (2xx).
    Delivered(Response),
    /// The attempt failed, and a later one may succeed.
    Transient {
        /// What happened.
        why: Failure,
        /// When the endpoint wants the next attempt.
        retry_after: Option<RetryAfter>,
    },
    /// The attempt failed, and every other one would.
    Permanent {
        /// What happened.
        why: Failure,
    },
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The lines of the header.
    pub headers: Box<HeaderMap>,
    /// The first bytes of the body, up to the client's bound.
    pub body: Bytes,
    /// Whether the body was longer.
    pub is_cut: bool,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The endpoint answered with another status than 2xx.
    Status(Response),
    /// No whole answer came in time.
    TimedOut,
    /// No connection could be made: the name, the network, or the encryption.
    Connection(String),
    /// The name stands only for addresses that deliveries may not reach.
    Forbidden(String),
    /// The connection broke, or what came is not HTTP.
    Protocol(String),
    /// The request cannot be sent, whatever the endpoint does.
    Request(String),
}

impl Outcome {
    /// The outcome of an answer: 2xx is success; 429 and 5xx may be tried again; every other
    /// status is final, redirects included, because the address they name was not allowed.
    pub(super) fn of(response: Response, retry_after: Option<RetryAfter>) -> Self {
        let status = StatusCode::from_u16(response.status).unwrap_or_default();
        if status.is_success() {
            return Self::Delivered(response);
        }
        let why = Failure::Status(response);
        let is_transient = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        if is_transient && retry_after != Some(RetryAfter::Never) {
            Self::Transient { why, retry_after }
        } else {
            Self::Permanent { why }
        }
    }

    pub(super) fn transient(why: Failure) -> Self {
        Self::Transient { why, retry_after: None }
    }

    /// Whether the endpoint is alive: it answered, and not with a failure of its own.
    pub(super) fn is_healthy(&self) -> bool {
        match self {
            Self::Delivered(_) => true,
            Self::Transient { .. } => false,
            Self::Permanent { why } => matches!(why, Failure::Status(_)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(response) if (300..400).contains(&response.status) => {
                write!(f, "the endpoint redirects (status {}), which is refused", response.status)
            }
            Self::Status(response) => write!(f, "the endpoint answered {}", response.status),
            Self::TimedOut => f.write_str("the endpoint did not answer in time"),
            Self::Connection(why) => write!(f, "no connection: {why}"),
            Self::Forbidden(why) => write!(f, "the address may not be reached: {why}"),
            Self::Protocol(why) => write!(f, "the connection failed: {why}"),
            Self::Request(why) => write!(f, "the request cannot be sent: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, retry_after: Option<RetryAfter>) -> Outcome {
        Outcome::of(
            Response { status, headers: Box::default(), body: Bytes::new(), is_cut: false },
            retry_after,
        )
    }

    #[test]
    fn the_status_decides_as_it_does_at_sns() {
        for status in [200, 201, 202, 204, 299] {
            assert!(matches!(of(status, None), Outcome::Delivered(_)), "{status}");
        }
        for status in [429, 500, 502, 503, 504, 599] {
            assert!(matches!(of(status, None), Outcome::Transient { .. }), "{status}");
        }
        for status in [101, 300, 301, 302, 307, 308, 400, 401, 403, 404, 410, 418, 600] {
            assert!(matches!(of(status, None), Outcome::Permanent { .. }), "{status}");
        }
        assert!(matches!(of(503, Some(RetryAfter::Never)), Outcome::Permanent { .. }));
    }

    #[test]
    fn a_redirect_says_that_it_is_refused() {
        let Outcome::Permanent { why } = of(302, None) else { panic!("not final") };
        assert!(why.to_string().contains("redirects"), "{why}");
    }
}
