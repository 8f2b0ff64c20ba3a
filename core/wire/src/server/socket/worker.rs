//! What the messages of a connection cause: they are handled one after another, in their order.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::dispatch::SocketBody;
use crate::memory::Share;
use crate::server::Shared;
use crate::sockets::Socket;

/// A message of a client, and the memory that it takes until it is handled.
pub(super) struct Incoming {
    pub text: String,
    pub share: Share,
}

/// Handles messages until the connection has ended.
pub(super) async fn work(
    shared: Arc<Shared>,
    socket: Arc<Socket>,
    state: Arc<str>,
    mut messages: mpsc::Receiver<Incoming>,
) {
    while let Some(Incoming { text, share }) = messages.recv().await {
        let body = SocketBody::Message(text);
        for reply in handle(&shared, &socket, &state, body).await {
            socket.reply(reply.into_bytes()).await;
        }
        drop(share);
    }
}

/// Lets the control plane handle an event; what the client gets.
pub(super) async fn handle(
    shared: &Arc<Shared>,
    socket: &Arc<Socket>,
    state: &Arc<str>,
    body: SocketBody,
) -> Vec<String> {
    // No patience ends this wait: the client has been let in, and is read no faster.
    let Ok(_permit) = shared.apis.acquire().await else { return Vec::new() };
    let dispatcher = shared.dispatcher.clone();
    let (socket, state) = (socket.clone(), state.clone());
    let handled = tokio::task::spawn_blocking(move || {
        dispatcher.socket_event((&socket.peer, &state, socket.connected_at), body)
    });
    handled.await.unwrap_or_default()
}
