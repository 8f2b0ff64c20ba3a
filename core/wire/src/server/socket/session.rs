//! The frames of a connection: what the client sends is read as fast as it is handled, what it gets
//! is written as fast as it reads, and nothing that is held is without bound.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::worker::{self, Incoming};
use crate::dispatch::SocketBody;
use crate::limits::{
    SOCKET_FRAME_BYTES_MAX, SOCKET_IDLE_MAX, SOCKET_LIFETIME, SOCKET_MESSAGE_BYTES_MAX,
};
use crate::memory::Share;
use crate::server::Shared;
use crate::sockets::{Outgoing, Socket};

/// Messages of a client that wait until earlier ones are handled; then no more is read.
const INCOMING_MAX: usize = 8;
/// What is read from a connection at once.
const READ_BYTES: usize = 4 * 1024;
/// How often a clock that stands still until it is moved is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How long a client gets to answer the end of the connection.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// What is thrown away of a client that goes on sending meanwhile.
const DRAINED_BYTES_MAX: u64 = 1024 * 1024;

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// An accepted connection.
pub(super) struct Session {
    pub shared: Arc<Shared>,
    pub socket: Arc<Socket>,
    /// What the control plane is told with each event.
    pub state: String,
}

/// How a connection ends.
struct Ending {
    code: u16,
    reason: String,
    /// The server ends it, and says so to the client.
    is_told: bool,
}

impl Ending {
    fn told(code: CloseCode, reason: &str) -> Self {
        Self { code: code.into(), reason: reason.to_owned(), is_told: true }
    }

    fn of_client(frame: Option<CloseFrame>) -> Self {
        let (code, reason) = frame.map_or_else(
            || (CloseCode::Status, String::new()),
            |frame| (frame.code, frame.reason.to_string()),
        );
        Self { code: code.into(), reason, is_told: false }
    }

    /// The connection broke.
    fn lost() -> Self {
        Self { code: CloseCode::Abnormal.into(), reason: String::new(), is_told: false }
    }
}

impl Session {
    /// Serves the connection until it ends.
    pub async fn run(self, upgrade: OnUpgrade, mut outgoing: mpsc::Receiver<Outgoing>) {
        let Self { shared, socket, state } = &self;
        let state: Arc<str> = state.as_str().into();
        let ending = match upgrade.await {
            Ok(upgraded) => {
                let mut config = WebSocketConfig::default()
                    .read_buffer_size(READ_BYTES)
                    .write_buffer_size(0)
                    .max_message_size(Some(SOCKET_MESSAGE_BYTES_MAX));
                config.max_frame_size = Some(SOCKET_FRAME_BYTES_MAX);
                let io = TokioIo::new(upgraded);
                let mut stream =
                    WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
                let (queue, messages) = mpsc::channel(INCOMING_MAX);
                let working = worker::work(shared.clone(), socket.clone(), state.clone(), messages);
                let working = tokio::spawn(working);
                let ending = self.converse(&mut stream, &queue, &mut outgoing).await;
                shared.dispatcher.sockets().remove(&socket.peer.id);
                drop((queue, outgoing));
                end(stream, &ending).await;
                // A worker that failed has failed for this connection alone.
                let _failed = working.await;
                ending
            }
            Err(_) => Ending::lost(),
        };
        shared.dispatcher.sockets().remove(&socket.peer.id);
        let body = SocketBody::Ended(ending.code, ending.reason);
        let _unread = worker::handle(shared, socket, &state, body).await;
    }

    /// Reads and writes until something ends the connection.
    async fn converse(
        &self,
        stream: &mut Stream,
        queue: &mpsc::Sender<Incoming>,
        outgoing: &mut mpsc::Receiver<Outgoing>,
    ) -> Ending {
        let mut stopping = self.shared.stopping.clone();
        let mut place = None;
        loop {
            let Some(left) = self.left() else {
                return Ending::told(CloseCode::Away, "Going away");
            };
            tokio::select! {
                reserved = queue.reserve(), if place.is_none() => match reserved {
                    Ok(reserved) => place = Some(reserved),
                    Err(_) => return Ending::told(CloseCode::Error, "Internal server error"),
                },
                // Without a place for a message nothing is read: the client has to wait.
                frame = stream.next(), if place.is_some() => {
                    match self.received(frame) {
                        Ok(None) => {}
                        Ok(Some(incoming)) => {
                            if let Some(place) = place.take() {
                                place.send(incoming);
                            }
                        }
                        Err(ending) => return ending,
                    }
                }
                Some(Outgoing { body, .. }) = outgoing.recv() => {
                    if !self.send(stream, body).await {
                        return Ending::lost();
                    }
                }
                () = tokio::time::sleep(left) => {}
                () = self.socket.closed() => {
                    return Ending::told(CloseCode::Normal, "Connection Closed Normally");
                }
                () = stopped(&mut stopping) => {
                    return Ending::told(CloseCode::Away, "Going away");
                }
            }
        }
    }

    /// How long the connection may go on without being looked at; `None` when its time is over.
    fn left(&self) -> Option<Duration> {
        let clock = self.shared.dispatcher.engine().clock();
        let (socket, now) = (&self.socket, clock.now());
        let idle = socket.last_active().saturating_add(SOCKET_IDLE_MAX);
        let until = idle.min(socket.connected_at.saturating_add(SOCKET_LIFETIME));
        let left = until.checked_sub(now).filter(|left| *left > 0)?;
        let left = Duration::from_millis(left);
        Some(if clock.is_virtual() { left.min(LOOK_INTERVAL) } else { left })
    }

    fn touch(&self) {
        self.socket.touch(self.shared.dispatcher.engine().clock().now());
    }

    /// The message in a frame, if it is one, or how the connection ends.
    fn received(&self, frame: Option<Result<Message, Error>>) -> Result<Option<Incoming>, Ending> {
        self.touch();
        let message = match frame {
            None => return Err(Ending::lost()),
            Some(Ok(message)) => message,
            Some(Err(Error::Capacity(_))) => {
                return Err(Ending::told(CloseCode::Size, "Message too long"));
            }
            Some(Err(Error::Utf8(_))) => {
                return Err(Ending::told(CloseCode::Invalid, "Messages have to be UTF-8"));
            }
            Some(Err(Error::Protocol(error))) => {
                return Err(match error {
                    // The client is gone without a word.
                    ProtocolError::ResetWithoutClosingHandshake => Ending::lost(),
                    other => Ending::told(CloseCode::Protocol, &other.to_string()),
                });
            }
            Some(Err(_)) => return Err(Ending::lost()),
        };
        match message {
            Message::Text(text) => {
                let mut share = Share::none(&self.shared.memory);
                if !share.take(text.len()) {
                    return Err(Ending::told(CloseCode::Again, "The server is out of memory"));
                }
                Ok(Some(Incoming { text: text.as_str().to_owned(), share }))
            }
            // As AWS: a client has to encode its bytes.
            Message::Binary(_) => {
                Err(Ending::told(CloseCode::Unsupported, "Binary frames are not supported"))
            }
            Message::Close(frame) => Err(Ending::of_client(frame)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        }
    }

    /// Writes a message; whether the client took it in time.
    async fn send(&self, stream: &mut Stream, body: Vec<u8>) -> bool {
        let message = match String::from_utf8(body) {
            Ok(text) => Message::Text(text.into()),
            Err(error) => Message::Binary(Bytes::from(error.into_bytes())),
        };
        let sent = timeout(self.shared.options.write_timeout, stream.send(message)).await;
        self.touch();
        matches!(sent, Ok(Ok(())))
    }
}

// What the channel hands out must not be held while something is waited for.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The server itself may have been dropped: that is a stop as well.
    let _dropped = stopping.wait_for(|stop| *stop).await.is_err();
}

/// Says that the connection ends, and lets the client hear it.
async fn end(mut stream: Stream, ending: &Ending) {
    let told = async {
        if ending.is_told {
            let frame =
                CloseFrame { code: ending.code.into(), reason: ending.reason.clone().into() };
            if stream.close(Some(frame)).await.is_err() {
                return;
            }
            // What the client still sends is read, so that its system does not throw away the
            // frame that was sent.
            let mut rest = stream.into_inner().take(DRAINED_BYTES_MAX);
            let _gone = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
        } else {
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    // A client that does not answer is cut off.
    let _late = timeout(CLOSE_PATIENCE, told).await;
}
