//! Requests for services that are not served are told so by name, in the protocol that their
//! clients read.

use trunkline_types::sync::atomic::Ordering;

use super::Dispatcher;
use crate::auth::{Scope, Signature};
use crate::error::WireError;
use crate::message::Request;
use crate::model::Protocol;
use crate::protocol::Dialect;

/// Services whose REST protocol is XML, by the names in their signatures. All others use JSON.
const XML_SERVICES: [&str; 6] =
    ["s3", "s3express", "s3-outposts", "s3-object-lambda", "cloudfront", "route53"];
/// Longest name that is repeated to the caller.
const NAME_CHARS_MAX: usize = 64;

impl Dispatcher {
    /// What a request is told that no service answers.
    pub(super) fn unserved(
        &self,
        request: &Request<'_>,
        scope: &Scope,
        dialect: Option<&Dialect>,
    ) -> WireError {
        self.metrics.unserved.fetch_add(1, Ordering::Relaxed);
        let names: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        let served = names.join(", ");
        let version = env!("CARGO_PKG_VERSION");
        let message = match asked_for(request, scope) {
            Some(name) => format!("{name} is not served by Trunkline {version}; served: {served}."),
            None => format!("No service that is served answers to this request; served: {served}."),
        };
        match dialect.map(|dialect| dialect.protocol) {
            Some(Protocol::Query) => WireError::new("InvalidAction", 400, message),
            Some(_) => WireError::new("UnknownOperationException", 400, message),
            None => WireError::new("UnknownOperationException", 404, message),
        }
    }
}

/// The service that a request asks for, as its signature or its target names it.
fn asked_for<'a>(request: &Request<'a>, scope: &'a Scope) -> Option<&'a str> {
    let target = || request.header("x-amz-target").and_then(|target| target.split('.').next());
    let name = scope.service.as_deref().or_else(target)?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    (name.len() <= NAME_CHARS_MAX && name.bytes().all(is_plain)).then_some(name)
}

/// How to answer a request that shows no protocol and whose service has no model here.
pub(super) fn dialect(request: &Request<'_>) -> Dialect {
    let service = Signature::of(request).ok().flatten().map(|signature| signature.service);
    Dialect::new(match service {
        Some(name) if !XML_SERVICES.contains(&name) => Protocol::RestJson,
        _ => Protocol::RestXml,
    })
}
