//! Web pages that may call. A browser sends requests to this machine on behalf of any page, so
//! pages of strangers are refused unless they are allowed by name.

use http::{HeaderMap, Method};

use crate::message::Response;

/// Origins that may call beside those of this machine.
#[derive(Debug, Clone, Default)]
pub struct Origins(pub Vec<String>);

/// What to do with a request that a page sent.
pub(super) enum Verdict<'a> {
    /// No page sent it.
    NotAPage,
    /// The page of this origin may call.
    Allowed(&'a str),
    /// It may not.
    Refused,
}

impl Origins {
    pub(super) fn judge<'a>(&self, headers: &'a HeaderMap) -> Verdict<'a> {
        let Some(origin) = headers.get("origin") else { return Verdict::NotAPage };
        let Ok(origin) = origin.to_str() else { return Verdict::Refused };
        let named = self.0.iter().any(|allowed| allowed == "*" || allowed == origin);
        if named || is_local(origin) { Verdict::Allowed(origin) } else { Verdict::Refused }
    }
}

fn is_local(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

/// The answer to a browser that asks before it sends.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    if *method != Method::OPTIONS {
        return None;
    }
    let asked = headers.get("access-control-request-headers").and_then(|value| value.to_str().ok());
    let answer = Response { status: 204, ..Response::default() }
        .with("access-control-allow-methods", "HEAD,GET,PUT,POST,DELETE,OPTIONS,PATCH")
        .with("access-control-allow-headers", asked.unwrap_or("*").to_owned())
        .with("access-control-max-age", "600");
    Some(answer)
}

/// The headers that let a page read the answer.
pub(super) fn allow(answer: Response, origin: &str) -> Response {
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

    fn verdict(origins: &[&str], origin: &str) -> bool {
        let origins = Origins(origins.iter().map(|origin| (*origin).to_owned()).collect());
        let mut headers = HeaderMap::new();
        headers.insert("origin", origin.parse().unwrap());
        matches!(origins.judge(&headers), Verdict::Allowed(_))
    }

    #[test]
    fn pages_of_this_machine_and_named_ones_may_call_and_no_others() {
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:80"] {
            assert!(verdict(&[], origin), "{origin}");
        }
        for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
            assert!(!verdict(&[], origin), "{origin}");
        }
        assert!(verdict(&["https://app.example"], "https://app.example"));
        assert!(verdict(&["*"], "https://any.example"));
    }
}
