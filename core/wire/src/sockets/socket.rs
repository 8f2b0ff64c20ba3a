//! One connection to a WebSocket API, as those see it who send to its client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{Notify, mpsc};
use trunkline_types::Millis;

use crate::memory::{Memory, Share};

/// Messages that wait until the client reads them. More are refused, or their senders wait.
const OUTGOING_MAX: usize = 32;

/// Who is connected, and to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketPeer {
    /// The id of the connection.
    pub id: String,
    /// The API.
    pub api: String,
    /// Its stage.
    pub stage: String,
    /// The account of the API.
    pub account: String,
    /// The address of the client.
    pub source_ip: String,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// A message to a client, and the memory that it takes.
#[derive(Debug)]
pub struct Outgoing {
    /// Text where it is UTF-8, and bytes otherwise.
    pub body: Vec<u8>,
    _share: Share,
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The client reads too slowly, or other messages fill the memory.
    Full,
    /// The connection has ended.
    Gone,
}

/// An open connection.
pub struct Socket {
    /// Who is connected.
    pub peer: SocketPeer,
    /// When the connection began, on the engine's clock.
    pub connected_at: Millis,
    last_active: AtomicU64,
    outgoing: mpsc::Sender<Outgoing>,
    is_closing: AtomicBool,
    closing: Notify,
    memory: Arc<Memory>,
}

impl Socket {
    /// A connection that begins now, and what its task sends to the client.
    pub(crate) fn new(
        peer: SocketPeer,
        now: Millis,
        memory: Arc<Memory>,
    ) -> (Arc<Self>, mpsc::Receiver<Outgoing>) {
        let (outgoing, receiver) = mpsc::channel(OUTGOING_MAX);
        let socket = Self {
            peer,
            connected_at: now,
            last_active: AtomicU64::new(now),
            outgoing,
            is_closing: AtomicBool::new(false),
            closing: Notify::new(),
            memory,
        };
        (Arc::new(socket), receiver)
    }

    /// Hands a message over for the client, without waiting for the client to read it.
    pub fn post(&self, body: Vec<u8>) -> Result<(), NotSent> {
        if self.is_closing.load(Ordering::Acquire) {
            return Err(NotSent::Gone);
        }
        let mut share = Share::none(&self.memory);
        if !share.take(body.len()) {
            return Err(NotSent::Full);
        }
        self.outgoing.try_send(Outgoing { body, _share: share }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotSent::Full,
            mpsc::error::TrySendError::Closed(_) => NotSent::Gone,
        })
    }

    /// Sends a message as soon as the client has read others; nothing where the connection ends.
    pub(crate) async fn reply(&self, body: Vec<u8>) {
        let mut share = Share::none(&self.memory);
        // What is there is sent: the message that it answers has been handled.
        share.take(body.len());
        // The client of a connection that has ended reads nothing.
        let _ended = self.outgoing.send(Outgoing { body, _share: share }).await;
    }

    /// Asks the task of the connection to end it.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.closing.notify_one();
    }

    /// Waits until the connection has to end.
    pub(crate) async fn closed(&self) {
        self.closing.notified().await;
    }

    /// When something last came from the client or went to it, on the engine's clock.
    pub fn last_active(&self) -> Millis {
        self.last_active.load(Ordering::Relaxed)
    }

    /// Notes that something came or went.
    pub(crate) fn touch(&self, now: Millis) {
        self.last_active.fetch_max(now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_not_read_are_bounded_by_their_number_and_by_memory() {
        let memory = Arc::new(Memory::new(100));
        let (socket, mut outgoing) = Socket::new(SocketPeer::default(), 0, memory.clone());
        assert_eq!(socket.post(vec![0; 101]), Err(NotSent::Full));
        assert!(!memory.is_full());
        for _ in 0..OUTGOING_MAX {
            assert_eq!(socket.post(vec![0; 1]), Ok(()));
        }
        assert_eq!(socket.post(vec![0; 1]), Err(NotSent::Full));
        assert_eq!(outgoing.try_recv().map(|message| message.body).unwrap(), [0]);
        assert_eq!(socket.post(vec![0; 1]), Ok(()));
        drop(outgoing);
        assert_eq!(socket.post(vec![0; 1]), Err(NotSent::Gone));
    }

    #[test]
    fn nothing_is_sent_to_a_connection_that_is_ending() {
        let memory = Arc::new(Memory::new(100));
        let (socket, _outgoing) = Socket::new(SocketPeer::default(), 5, memory);
        socket.touch(9);
        socket.touch(7);
        assert_eq!(socket.last_active(), 9);
        socket.close();
        assert_eq!(socket.post(Vec::new()), Err(NotSent::Gone));
    }
}
