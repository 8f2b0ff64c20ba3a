//! Web pages of other origins: the rules of a bucket say which may call, and what they may read.

use serde::Deserialize;
use trunkline_engine::Engine;

use super::{address, errors};
use crate::message::{Request, Response};
use crate::protocol;
use crate::request_id;
use crate::service::PageAnswer;

/// The document of a bucket that has its rules.
pub(super) const NAME: &str = "cors";

/// What caches have to tell apart.
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
const NOT_ALLOWED: &str = "CORSResponse: This CORS request is not allowed. This is usually because \
                           the evalution of Origin, request method / \
                           Access-Control-Request-Method or Access-Control-Request-Headers are \
                           not whitelisted by the resource's CORS spec.";

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "CORSConfiguration")]
    configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(rename = "CORSRule", alias = "CORSRules")]
    rules: Vec<Rule>,
}

/// A rule, its members named as in the document that was put.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Rule {
    #[serde(rename = "AllowedOrigin", alias = "AllowedOrigins")]
    allowed_origins: Vec<String>,
    #[serde(rename = "AllowedMethod", alias = "AllowedMethods")]
    allowed_methods: Vec<String>,
    #[serde(rename = "AllowedHeader", alias = "AllowedHeaders")]
    allowed_headers: Vec<String>,
    #[serde(rename = "ExposeHeader", alias = "ExposeHeaders")]
    expose_headers: Vec<String>,
    max_age_seconds: Option<i64>,
}

/// What a page asks for.
struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    /// The headers that a preflight names.
    headers: Vec<&'a str>,
}

/// What the bucket of a request says to the page that sends it; `None` if it says nothing of pages.
pub(super) fn answer(engine: &Engine, request: &Request<'_>) -> Option<PageAnswer> {
    let origin = request.header("origin")?;
    let path = address::path_of(request);
    let name = path.trim_start_matches('/').split('/').next().unwrap_or("");
    let bucket = engine.find_bucket(name).ok()??;
    let config = bucket.config();
    let document: Document = serde_json::from_str(config.documents.get(NAME)?).ok()?;
    let wanted = request.header("access-control-request-method");
    let is_preflight = request.method == "OPTIONS" && wanted.is_some();
    let method = if is_preflight { wanted.unwrap_or("") } else { request.method };
    let names = request.header("access-control-request-headers").filter(|_| is_preflight);
    let headers = names.unwrap_or("").split(',').map(str::trim).filter(|name| !name.is_empty());
    let asked = Asked { origin, method, headers: headers.collect() };
    let rules = &document.configuration.rules;
    let found = rules.iter().find(|rule| rule.matches(&asked)).map(|rule| rule.headers(&asked));
    Some(match (found, is_preflight) {
        (Some(headers), true) => {
            let answer = Response { status: 200, ..Response::default() };
            PageAnswer::Preflight(
                headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value)),
            )
        }
        (Some(headers), false) => PageAnswer::Allowed(headers),
        (None, true) => PageAnswer::Preflight(refusal(&asked)),
        (None, false) => PageAnswer::Refused,
    })
}

fn refusal(asked: &Asked<'_>) -> Response {
    let error = errors::error("AccessForbidden", 403, NOT_ALLOWED);
    let members = [("Method", asked.method), ("ResourceType", "OBJECT")];
    let request_id = request_id::next();
    let response = protocol::write_s3_error(&errors::with(error, &members), &request_id);
    response.with("x-amz-request-id", request_id).with("vary", VARY)
}

impl Rule {
    fn matches(&self, asked: &Asked<'_>) -> bool {
        self.origin(asked.origin).is_some()
            && self.allowed_methods.iter().any(|method| method == asked.method)
            && asked.headers.iter().all(|name| {
                let name = name.to_ascii_lowercase();
                let mut allowed = self.allowed_headers.iter();
                allowed.any(|pattern| fits(&pattern.to_ascii_lowercase(), &name))
            })
    }

    /// The pattern that an origin fits.
    fn origin(&self, origin: &str) -> Option<&str> {
        self.allowed_origins.iter().map(String::as_str).find(|pattern| fits(pattern, origin))
    }

    /// The headers that let a page read the answer.
    fn headers(&self, asked: &Asked<'_>) -> Vec<(&'static str, String)> {
        // A rule for every origin lets no page use what the browser knows of its user.
        let is_for_all = self.origin(asked.origin) == Some("*");
        let origin = if is_for_all { "*" } else { asked.origin };
        let mut headers = vec![
            ("access-control-allow-origin", origin.to_owned()),
            ("access-control-allow-methods", self.allowed_methods.join(", ")),
            ("vary", VARY.to_owned()),
        ];
        if !is_for_all {
            headers.push(("access-control-allow-credentials", "true".to_owned()));
        }
        if !asked.headers.is_empty() {
            headers.push(("access-control-allow-headers", asked.headers.join(", ")));
        }
        if !self.expose_headers.is_empty() {
            headers.push(("access-control-expose-headers", self.expose_headers.join(", ")));
        }
        if let Some(seconds) = self.max_age_seconds {
            headers.push(("access-control-max-age", seconds.to_string()));
        }
        headers
    }
}

/// Whether a text fits a pattern, in which one asterisk stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_stands_for_any_characters() {
        for (pattern, text, is_fit) in [
            ("*", "https://a.example", true),
            ("https://*.example", "https://a.example", true),
            ("https://*.example", "http://a.example", false),
            ("https://*.example", "https://.example", true),
            ("https://a.example", "https://a.example", true),
            ("https://a.example", "https://a.example:1", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), is_fit, "{pattern} {text}");
        }
    }

    #[test]
    fn a_rule_allows_its_origins_methods_and_headers() {
        let rule = Rule {
            allowed_origins: vec!["https://a.example".to_owned()],
            allowed_methods: vec!["PUT".to_owned()],
            allowed_headers: vec!["X-Amz-*".to_owned()],
            ..Rule::default()
        };
        let asked =
            |method, header| Asked { origin: "https://a.example", method, headers: vec![header] };
        assert!(rule.matches(&asked("PUT", "x-amz-date")));
        assert!(!rule.matches(&asked("GET", "x-amz-date")));
        assert!(!rule.matches(&asked("PUT", "authorization")));
    }
}
