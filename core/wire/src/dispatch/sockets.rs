//! What happens on connections to WebSocket APIs, as the control plane is told of it.

use std::sync::Arc;

use trunkline_types::Millis;

use super::Dispatcher;
use super::api::ApiRequest;
use crate::message::Response;
use crate::request_id;
use crate::sockets::{SocketPeer, Sockets};

/// What a client gets that wants to connect.
pub enum Connected {
    /// It is connected.
    Accepted {
        /// More headers of the answer.
        headers: Vec<(String, String)>,
        /// Who is connected.
        peer: SocketPeer,
        /// What the control plane is told with each event of the connection.
        state: String,
    },
    /// It is not, and this is the answer.
    Refused(Response),
}

/// Something that happened on a connection.
#[derive(Debug)]
pub struct SocketEvent<'a> {
    /// The connection.
    pub peer: &'a SocketPeer,
    /// What the control plane told when it accepted the connection.
    pub state: &'a str,
    /// When the connection began.
    pub connected_at: Millis,
    /// The id of this event.
    pub request_id: String,
    /// What it is.
    pub body: SocketBody,
}

/// What happened on a connection.
#[derive(Debug)]
pub enum SocketBody {
    /// The client sent this text.
    Message(String),
    /// The connection ended, with a close code and a reason.
    Ended(u16, String),
}

impl Dispatcher {
    /// Lets the control plane decide whether a client may connect. May block.
    pub(crate) fn connect(&self, request: ApiRequest, connection: &str, now: Millis) -> Connected {
        self.control.connect(request, connection, now)
    }

    /// Lets the control plane handle what happened on a connection. May block.
    pub(crate) fn socket_event(
        &self,
        (peer, state, connected_at): (&SocketPeer, &str, Millis),
        body: SocketBody,
    ) -> Vec<String> {
        let request_id = request_id::next();
        let event = SocketEvent { peer, state, connected_at, request_id, body };
        self.control.socket_event(&event)
    }

    /// The connections of the engine.
    pub(crate) fn sockets(&self) -> Arc<Sockets> {
        self.engine.extension()
    }
}
