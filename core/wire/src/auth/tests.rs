//! Signatures that AWS published, and what a proved signature does not cover.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::canonical;
use super::*;
use crate::codec::time::read_compact;

const SUITE: &str = include_str!("../../../../tests/vectors/sigv4/requests.json");

/// A request that owns its parts.
#[derive(Clone)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap();
        // A line that begins with a space belongs to the one before it.
        let head = head.replace("\n ", " ");
        let mut lines = head.lines();
        let first = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
        let (method, target) = first.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value.trim()).unwrap(),
            );
        }
        let [method, path, query] = [method, path, query].map(str::to_owned);
        Self { method, path, query, headers, body: body.trim_end().as_bytes().to_vec() }
    }

    fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
            peer: None,
            seen: None,
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }
}

struct Case {
    name: String,
    sent: Sent,
    canonical: String,
    credentials: Credentials,
    /// Tokens that are added after signing are not part of what AWS's services accept in a query.
    is_refused: bool,
}

fn cases() -> Vec<Case> {
    let suite: Value = serde_json::from_str(SUITE).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found = Vec::new();
    for case in suite["cases"].as_array().unwrap() {
        for form in ["header", "query"] {
            let credential = Credential {
                secret: text(&suite["secret_access_key"]),
                token: case.get("token").map(text),
                account: None,
            };
            let known = [(text(&suite["access_key_id"]), credential)];
            found.push(Case {
                name: format!("{} by {form}", text(&case["name"])),
                sent: Sent::read(case[form]["request"].as_str().unwrap()),
                canonical: text(&case[form]["canonical"]),
                credentials: Credentials(known.into()),
                is_refused: form == "query" && case.get("token_is_unsigned").is_some(),
            });
        }
    }
    assert_eq!(found.len(), 62);
    found
}

fn now() -> i64 {
    read_compact("20150830T123600Z").unwrap()
}

impl Case {
    fn verify(&self, sent: &Sent) -> Result<()> {
        let request = sent.request();
        let signature = Signature::of(&request)?.unwrap();
        self.credentials.check(&request, &signature, now()).map(|_| ())
    }
}

#[test]
fn the_published_signatures_are_right() {
    for case in cases() {
        let request = case.sent.request();
        let signature = Signature::of(&request).unwrap().unwrap();
        if case.is_refused {
            assert!(case.verify(&case.sent).is_err(), "{}", case.name);
            continue;
        }
        let canonical = canonical::request(&request, &signature).unwrap();
        assert_eq!(canonical, case.canonical, "{}", case.name);
        assert_eq!(case.verify(&case.sent), Ok(()), "{}", case.name);
    }
}

#[test]
fn a_published_request_that_is_changed_is_refused() {
    let changes: [fn(&mut Sent); 6] = [
        |sent| sent.method = "PUT".to_owned(),
        |sent| sent.path.push('x'),
        |sent| sent.query = format!("{}&Added=1", sent.query).trim_start_matches('&').to_owned(),
        |sent| sent.body.push(b'x'),
        |sent| {
            sent.headers = std::mem::take(&mut sent.headers).into_iter().fold(
                HeaderMap::new(),
                |mut headers, (name, value)| {
                    let name = name.unwrap_or(http::header::HOST);
                    let is_host = name == http::header::HOST;
                    headers.append(
                        name,
                        if is_host { "other.example".parse().unwrap() } else { value },
                    );
                    headers
                },
            )
        },
        |sent| {
            let flip = |text: &str| {
                let last = if text.ends_with('0') { '1' } else { '0' };
                format!("{}{last}", &text[..text.len() - 1])
            };
            match sent.headers.get("authorization") {
                Some(value) => {
                    let flipped = flip(value.to_str().unwrap());
                    sent.headers.insert("authorization", flipped.parse().unwrap());
                }
                None => sent.query = flip(&sent.query),
            }
        },
    ];
    for case in cases() {
        for (number, change) in changes.iter().enumerate() {
            let mut sent = case.sent.clone();
            change(&mut sent);
            assert!(case.verify(&sent).is_err(), "{}, change {number}", case.name);
        }
    }
}

// The signature of a case, and what is refused beside it.
fn bound(sent: &Sent) -> Result<()> {
    let request = sent.request();
    let signature = Signature::of(&request).unwrap().unwrap();
    binding::check(&request, &signature)
}

fn case(name: &str) -> Sent {
    cases().into_iter().find(|case| case.name == name).unwrap().sent
}

#[test]
fn what_chooses_the_operation_has_to_be_signed() {
    for form in ["get-vanilla by header", "get-vanilla by query"] {
        assert_eq!(bound(&case(form)), Ok(()));
        for (name, value) in [
            ("x-amz-target", "AmazonSQS.DeleteQueue"),
            ("smithy-protocol", "rpc-v2-cbor"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-encoding", "gzip"),
            ("x-amz-invocation-type", "Event"),
        ] {
            let error = bound(&case(form).with(name, value)).unwrap_err();
            assert_eq!(error.query_code(), "SignatureDoesNotMatch");
            assert!(error.message().contains(name), "{error}");
        }
        assert_eq!(bound(&case(form).with("x-other", "1")), Ok(()));
    }
    let form = case("post-x-www-form-urlencoded by header");
    assert_eq!(bound(&form), Ok(()));
    assert!(bound(&form.with("content-type", "application/json")).is_err());
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for path in ["//", "/a//b", "/./", "/a/../b", "/queue//000000000000/q", "a", ""] {
        let sent = Sent { path: path.to_owned(), ..case("get-vanilla by header") };
        assert!(bound(&sent).is_err(), "{path}");
    }
    for query in ["Action=A&Action=B", "Action=A&x=1&%78=2"] {
        let sent = Sent { query: query.to_owned(), ..case("get-vanilla by header") };
        assert_eq!(bound(&sent).unwrap_err().name(), "MalformedQueryString", "{query}");
    }
    let twice = case("get-vanilla by query");
    let query = format!("{}&X-Amz-Expires=604800", twice.query);
    assert!(bound(&Sent { query, ..twice }).is_err());
    // Lists of a REST service.
    let sent = Sent { query: "tag=1&tag=2".to_owned(), ..case("get-vanilla by header") };
    assert_eq!(bound(&sent), Ok(()));
    for payload in ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"] {
        let sent = case("get-vanilla by header").with("x-amz-content-sha256", payload);
        assert!(bound(&sent).is_err(), "{payload}");
    }
}

#[test]
fn a_plus_is_signed_as_the_space_that_it_is_read_as() {
    let at = |query: &str| {
        let sent = Sent { query: query.to_owned(), ..case("get-vanilla by header") };
        let request = sent.request();
        let signature = Signature::of(&request).unwrap().unwrap();
        canonical::request(&request, &signature).unwrap()
    };
    assert_eq!(at("a=b+c"), at("a=b%20c"));
    assert_ne!(at("a=b+c"), at("a=b%2Bc"));
}

#[test]
fn a_signature_is_for_the_service_in_its_scope() {
    let scope = |service: &str, is_proved| Scope {
        service: Some(service.to_owned()),
        is_presigned: false,
        is_proved,
    };
    let names = ["sqs".to_owned(), "queue".to_owned()];
    assert_eq!(scope("sqs", true).check_service(&names), Ok(()));
    assert_eq!(scope("sts", false).check_service(&names), Ok(()));
    let error = scope("sts", true).check_service(&names).unwrap_err();
    assert_eq!(error.message(), "Credential should be scoped to correct service: 'sqs'. ");
    assert!(scope("", true).check_service(&[]).is_err());
}

#[test]
fn a_trusted_caller_is_believed() {
    let scope = "Credential=222222222222/20150830/us-west-2/sqs/aws4_request";
    let text = format!(
        "POST / HTTP/1.1\nHost: localhost\nX-Amz-Date: 20150830T123600Z\n\
         Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\n\n"
    );
    let sent = Sent::read(&text);
    let (identity, scope) = identify(&Mode::Trusted, &sent.request(), 0).unwrap();
    assert_eq!((&*identity.account, &*identity.region), ("222222222222", "us-west-2"));
    assert!(scope.is_proved, "it acts for its account alone");
    assert!(scope.check_service(&["sns".to_owned()]).is_err());
}
