//! GET requests that would change something. An image tag is enough to make a browser send one, so
//! a GET of an RPC protocol only reads, unless its sender is known.

use crate::auth::Scope;
use crate::error::{Result, WireError};
use crate::message::{Request, Sender};
use crate::model::Protocol;

/// Refuses `operation` if it changes something and the request may be the work of a page.
pub(super) fn check(
    request: &Request<'_>,
    scope: &Scope,
    protocol: Protocol,
    operation: &str,
) -> Result<()> {
    let is_rest = matches!(protocol, Protocol::RestJson | Protocol::RestXml);
    let is_safe_method = matches!(request.method, "GET" | "HEAD");
    // REST protocols give each operation the method that fits it.
    if is_rest || !is_safe_method || only_reads(operation) || scope.is_proved {
        return Ok(());
    }
    let is_known = match request.peer.map(|peer| peer.sender) {
        None | Some(Sender::User) => true,
        // A page cannot add an Authorization header, but it can write a query that looks signed; so
        // can who sends a link in a mail.
        Some(Sender::Page | Sender::Visitor) => scope.service.is_some() && !scope.is_presigned,
        Some(Sender::Program) => scope.service.is_some(),
    };
    if is_known {
        return Ok(());
    }
    let message = format!(
        "{operation} changes something, so an unsigned GET request may not call it: sign the \
         request, or send it with POST."
    );
    Err(WireError::new("AccessDenied", 403, message).with_query_code("AccessDenied"))
}

fn only_reads(operation: &str) -> bool {
    ["Get", "List", "Describe"].iter().any(|verb| operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Peer;

    fn is_allowed(method: &str, operation: &str, sender: Option<Sender>, scope: &Scope) -> bool {
        let headers = http::HeaderMap::new();
        let address = [127, 0, 0, 1].into();
        let peer = sender.map(|sender| Peer { address, is_secure: false, sender });
        let request = Request {
            method,
            path: "/",
            query: "",
            headers: &headers,
            body: b"",
            peer,
            seen: None,
        };
        check(&request, scope, Protocol::Query, operation).is_ok()
    }

    #[test]
    fn a_get_that_writes_needs_a_sender_that_is_no_page() {
        let unsigned = Scope::default();
        let service = Some("sqs".to_owned());
        let signed = Scope { service, ..Scope::default() };
        let presigned = Scope { is_presigned: true, ..signed.clone() };
        let proved = Scope { is_proved: true, ..presigned.clone() };
        use Sender::{Page, Program, User, Visitor};
        for operation in ["SendMessage", "ReceiveMessage", "DeleteQueue", "Nonsense"] {
            let allowed = |sender, scope| is_allowed("GET", operation, sender, scope);
            assert!(!allowed(Some(Program), &unsigned) && !allowed(Some(Page), &unsigned));
            assert!(allowed(Some(User), &unsigned) && allowed(None, &unsigned));
            assert!(!allowed(Some(Visitor), &unsigned) && !allowed(Some(Visitor), &presigned));
            assert!(allowed(Some(Visitor), &proved));
            assert!(allowed(Some(Program), &signed) && allowed(Some(Page), &signed));
            assert!(allowed(Some(Program), &presigned) && !allowed(Some(Page), &presigned));
            assert!(allowed(Some(Page), &proved));
            assert!(!is_allowed("HEAD", operation, Some(Page), &unsigned));
            assert!(is_allowed("POST", operation, Some(Page), &unsigned));
        }
        for operation in ["GetQueueUrl", "ListQueues"] {
            for sender in [Page, Visitor] {
                assert!(is_allowed("GET", operation, Some(sender), &unsigned));
            }
        }
    }
}
