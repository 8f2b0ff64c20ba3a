//! What the policies of resources are asked with, when they are enforced.

use super::Dispatcher;
use crate::arn::partition;
use crate::auth::{Identity, Mode};
use crate::codec::time;
use crate::message::Request;
use crate::model::TimeFormat;
use crate::service::Access;

impl Dispatcher {
    /// The right by which `identity` calls; `None` where callers prove no identity, for then a
    /// policy would protect nothing.
    pub(super) fn access(
        &self,
        request: &Request<'_>,
        identity: &Identity,
        base: &str,
        now: i64,
    ) -> Option<Access> {
        let is_trusted = match self.auth {
            Mode::Strict(_) => false,
            // Another dispatcher to this engine proves signatures.
            Mode::Trusted if self.engine.is_authorized() => true,
            Mode::Off | Mode::Parse | Mode::Trusted => return None,
        };
        // From the connection, never from the address that the caller says it has called. What the
        // program calls itself is on no line.
        let is_secure = request.peer.map_or(base.starts_with("https://"), |peer| peer.is_secure);
        let is_secure = is_trusted || is_secure;
        let partition = partition(&identity.region);
        let principal = format!("arn:{partition}:iam::{}:root", identity.account);
        let mut keys = vec![
            ("aws:PrincipalAccount", identity.account.clone()),
            ("aws:PrincipalArn", principal.clone()),
            ("aws:PrincipalType", "Account".to_owned()),
            ("aws:userid", identity.account.clone()),
            ("aws:RequestedRegion", identity.region.clone()),
            ("aws:SecureTransport", is_secure.to_string()),
            ("aws:CurrentTime", time::write(now as f64, TimeFormat::Iso)),
            ("aws:EpochTime", now.to_string()),
        ];
        if let Some(peer) = request.peer {
            keys.push(("aws:SourceIp", peer.address.to_string()));
        }
        for (key, header) in [("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")] {
            if let Some(text) = request.header(header) {
                keys.push((key, text.to_owned()));
            }
        }
        Some(Access { principal, keys })
    }
}
