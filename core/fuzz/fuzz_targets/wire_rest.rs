//! Any path, query, header and body are a request of the REST protocols or an error.
#![no_main]

mod wire;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use trunkline_wire::message::Request;
use trunkline_wire::model::Protocol;
use trunkline_wire::policy::{AuthorizationRequest, Policy};
use trunkline_wire::protocol::{self, Dialect};

fuzz_target!(|parts: (&str, &str, &[u8], &[u8])| {
    let (path, query, header, body) = parts;
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(header) {
        headers.insert("x-marks", value);
    }
    let headers = &headers;
    let request = Request { method: "PUT", path, query, headers, body, peer: None, seen: None };
    for protocol in [Protocol::RestJson, Protocol::RestXml] {
        let _ = protocol::read(wire::model(), &Dialect::new(protocol), &request);
    }
    // A policy is any text as well.
    let (account, principal) = ("000000000000", "arn:aws:iam::000000000000:root");
    let keys = [("aws:SourceIp", path.to_owned()), ("aws:CurrentTime", query.to_owned())];
    let action = "sqs:SendMessage";
    let asked = AuthorizationRequest { account, principal, action, resource: path, keys: &keys };
    if let Ok(policy) = std::str::from_utf8(body) {
        let _ = Policy::read(policy).evaluate(&asked);
    }
});
