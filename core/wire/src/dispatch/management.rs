//! `@connections`: what programs do with the connections of a WebSocket API. A request for one that
//! is not open is left to the control plane, which knows whether there is such an API.

use serde_json::json;
use trunkline_types::Millis;

use super::Dispatcher;
use super::api::{ApiRequest, is_management};
use super::domain::DOMAIN_LABEL;
use crate::codec::time;
use crate::limits::SOCKET_MESSAGE_BYTES_MAX;
use crate::message::Response;
use crate::model::TimeFormat;
use crate::sockets::{NotSent, Socket, Sockets};

/// The stage and the id of the connection that a path below an API names.
fn named(path: &str) -> Option<(&str, String)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let (stage, name, id) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && is_management(name);
    is_whole.then(|| (stage, unescaped(id)))
}

/// The id of the connection that a path of a domain name names, at whichever base path.
fn at_domain(path: &str) -> Option<String> {
    let mut parts = path.rsplit('/');
    let (id, name) = (parts.next()?, parts.next()?);
    is_management(name).then(|| unescaped(id))
}

// Of the characters of an id, clients escape this one alone.
fn unescaped(id: &str) -> String {
    id.replace("%3D", "=").replace("%3d", "=")
}

impl Dispatcher {
    /// Answers a request to manage an open connection; `None` for every other.
    pub(super) fn manage(&self, request: &ApiRequest) -> Option<Response> {
        let sockets = self.engine.extension::<Sockets>();
        let socket = if request.api.starts_with(DOMAIN_LABEL) {
            sockets.get(&at_domain(&request.path)?)?
        } else {
            let (stage, id) = named(&request.path)?;
            sockets.find(&request.api, stage, &id)?
        };
        if self.proves_signatures() {
            match &request.signer {
                Some(Ok(identity)) if identity.account == socket.peer.account => {}
                Some(Err(error)) => return Some(refusal(403, error.name(), error.message())),
                _ => return Some(refusal(403, "ForbiddenException", "Forbidden")),
            }
        }
        Some(match &*request.method {
            "POST" => post(&socket, &request.body),
            "GET" => Response::new(200, "application/json", told(&socket)),
            "DELETE" => {
                socket.close();
                Response { status: 204, ..Response::default() }
            }
            _ => refusal(403, "ForbiddenException", "Forbidden"),
        })
    }
}

fn post(socket: &Socket, body: &[u8]) -> Response {
    if body.len() > SOCKET_MESSAGE_BYTES_MAX {
        let why = format!("A message may have {SOCKET_MESSAGE_BYTES_MAX} bytes at most.");
        return refusal(413, "PayloadTooLargeException", &why);
    }
    match socket.post(body.to_vec()) {
        Ok(()) => Response { status: 200, ..Response::default() },
        Err(NotSent::Gone) => refusal(410, "GoneException", "The connection has ended."),
        Err(NotSent::Full) => {
            let why = "The client has not read what was sent to it before. Try again.";
            refusal(429, "LimitExceededException", why)
        }
    }
}

fn told(socket: &Socket) -> String {
    let moment = |at: Millis| time::write(at as f64 / 1_000.0, TimeFormat::Iso);
    let peer = &socket.peer;
    let body = json!({
        "connectedAt": moment(socket.connected_at),
        "identity": {"sourceIp": peer.source_ip, "userAgent": peer.user_agent},
        "lastActiveAt": moment(socket.last_active()),
    });
    body.to_string()
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"message": message}).to_string();
    Response::new(status, "application/json", body).with("x-amzn-errortype", code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_management_names_a_stage_and_a_connection() {
        let found = |path| named(path).map(|(stage, id)| format!("{stage} {id}"));
        assert_eq!(found("/dev/@connections/abc%3D").as_deref(), Some("dev abc="));
        assert_eq!(found("/dev/%40connections/abc=").as_deref(), Some("dev abc="));
        for path in ["/dev", "/dev/@connections", "/dev/x/abc", "/dev/@connections/a/b", ""] {
            assert_eq!(found(path), None, "{path}");
        }
        assert_eq!(at_domain("/v1/@connections/abc%3D").as_deref(), Some("abc="));
        assert_eq!(at_domain("/v1/orders/abc"), None);
    }
}
