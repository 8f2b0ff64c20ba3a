//! Connections to WebSocket APIs, from the request that asks for one to its end: the handshake is
//! here, the frames are in `session`, and what messages cause is in `worker`.

mod session;
mod worker;

use std::sync::Arc;

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::{Error, http as tungstenite_http};

use self::session::Session;
use super::Shared;
use super::body::refuse;
use super::connections::Connection;
use super::stream::Reply;
use super::turn::{api_turn, busy};
use crate::dispatch::{ApiRequest, Connected};
use crate::message::Response;
use crate::sockets::{Socket, new_id};

/// The version of the protocol that is spoken.
const VERSION: &str = "13";

/// Whether a request asks for a WebSocket.
pub(super) fn is_upgrade(method: &Method, headers: &HeaderMap) -> bool {
    let names = |value: &http::HeaderValue| {
        value.to_str().is_ok_and(|text| {
            text.split(',').any(|name| name.trim().eq_ignore_ascii_case("websocket"))
        })
    };
    *method == Method::GET && headers.get_all(UPGRADE).iter().any(names)
}

/// Takes up the connection that a request asks for, or tells why not.
pub(super) async fn connect(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    request: ApiRequest,
    head: &Parts,
    upgrade: OnUpgrade,
) -> Reply {
    let accepted = match handshake(head) {
        Ok(accepted) => accepted,
        Err(refusal) => return refusal.into(),
    };
    // A client that goes away meanwhile has been told of, so its end has to be told of, too.
    let decided = decide(shared.clone(), connection.clone(), request, upgrade);
    let told = match tokio::spawn(decided).await {
        Ok(Ok(headers)) => headers,
        Ok(Err(refusal)) => return refusal.into(),
        Err(_) => return failed().into(),
    };
    let answer = Response { status: 101, ..Response::default() }
        .with("connection", "upgrade")
        .with("upgrade", "websocket")
        .with("sec-websocket-accept", accepted);
    told.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value)).into()
}

/// Asks the control plane, and starts the task of the connection; more headers of the answer.
async fn decide(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: ApiRequest,
    upgrade: OnUpgrade,
) -> Result<Vec<(String, String)>, Response> {
    let permit = api_turn(&shared).await.ok_or_else(busy)?;
    let (dispatcher, id) = (shared.dispatcher.clone(), new_id());
    let now = dispatcher.engine().clock().now();
    let told = tokio::task::spawn_blocking(move || dispatcher.connect(request, &id, now)).await;
    drop(permit);
    let (headers, peer, state) = match told.map_err(|_| failed())? {
        Connected::Accepted { headers, peer, state } => (headers, peer, state),
        Connected::Refused(response) => return Err(response),
    };
    let (socket, outgoing) = Socket::new(peer, now, shared.memory.clone());
    shared.dispatcher.sockets().add(socket.clone());
    let session = Session { shared, socket, state };
    let serving = connection.request();
    connection.hold(tokio::spawn(async move {
        session.run(upgrade, outgoing).await;
        drop(serving);
    }));
    Ok(headers)
}

fn failed() -> Response {
    refuse(500, "InternalFailure", "The operation failed; please report this.")
}

/// The value of `Sec-WebSocket-Accept`, or the answer to a request that is no handshake.
fn handshake(head: &Parts) -> Result<String, Response> {
    let mut asked = tungstenite_http::Request::new(());
    *asked.version_mut() = head.version;
    *asked.headers_mut() = head.headers.clone();
    let wrong = |why: String| refuse(400, "BadRequest", &why).with(CONNECTION.as_str(), "close");
    match create_response(&asked) {
        Ok(response) => {
            let accept = response.headers().get("sec-websocket-accept");
            let accept = accept.and_then(|value| value.to_str().ok());
            accept.map(str::to_owned).ok_or_else(failed)
        }
        Err(Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader)) => {
            let why = format!("Sec-WebSocket-Version has to be {VERSION}.");
            Err(refuse(426, "UpgradeRequired", &why).with("sec-websocket-version", VERSION))
        }
        Err(error) => Err(wrong(format!("This is no WebSocket handshake: {error}."))),
    }
}
