//! Web pages that may call. A browser sends requests to this machine on behalf of any page, so
//! pages of strangers are refused unless they are allowed by name.

use http::{HeaderMap, Method};

use crate::message::Response;

/// Origins that may call beside those of this machine.
#[derive(Debug, Clone, Default)]
pub struct Origins(pub Vec<String>);

impl Origins {
    /// Whether pages of `origin` may call a server that they reach as `host`.
    pub(super) fn allow(&self, origin: &str, host: Option<&str>) -> bool {
        let Some((_, authority)) = origin.split_once("://") else { return false };
        self.0.iter().any(|allowed| allowed == "*" || allowed == origin)
            || host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
            || is_this_machine(host_of(authority))
    }
}

/// The name in an authority, without its port.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Whether a name always means the machine that asks for it.
pub(super) fn is_this_machine(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

/// The answer to a browser that asks before it sends.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    if *method != Method::OPTIONS {
        return None;
    }
    let asked = headers.get("access-control-request-headers").and_then(|value| value.to_str().ok());
    let mut answer = Response { status: 204, ..Response::default() }
        .with("access-control-allow-methods", "HEAD,GET,PUT,POST,DELETE,OPTIONS,PATCH")
        .with("access-control-allow-headers", asked.unwrap_or("*").to_owned())
        .with("access-control-max-age", "600");
    if headers.contains_key("access-control-request-private-network") {
        answer = answer.with("access-control-allow-private-network", "true");
    }
    Some(answer)
}

/// The headers that let a page read the answer.
pub(super) fn expose(answer: Response, origin: &str) -> Response {
    answer
        .with("access-control-allow-origin", origin.to_owned())
        .with(
            "access-control-expose-headers",
            "x-amzn-requestid,x-amzn-query-error,x-amzn-errortype",
        )
        .with("vary", "origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(origins: &[&str], origin: &str) -> bool {
        let origins = Origins(origins.iter().map(|origin| (*origin).to_owned()).collect());
        origins.allow(origin, Some("sqs.test:4566"))
    }

    #[test]
    fn pages_of_this_machine_and_named_ones_may_call_and_no_others() {
        for origin in [
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://[::1]:80",
            "http://app.localhost",
            "http://sqs.test:4566",
        ] {
            assert!(allows(&[], origin), "{origin}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "http://localhost.evil.example",
            "http://evil-localhost",
            "http://sqs.test:1",
            "localhost",
        ] {
            assert!(!allows(&[], origin), "{origin}");
        }
        assert!(allows(&["https://app.example"], "https://app.example"));
        assert!(allows(&["*"], "https://any.example"));
        assert!(!allows(&["*"], "null"));
    }
}
