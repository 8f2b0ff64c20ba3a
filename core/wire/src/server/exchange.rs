//! The driver of exchanges for a task of the server: pieces of the body are received as they come,
//! and pieces of the answer are read as they are sent. What is held of either is bounded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Shared;
use super::body::{Pace, next, refuse};
use super::connections::Connection;
use super::settle::settle;
use super::stream::Reply;
use super::unread::unread;
use crate::memory::Share;
use crate::message::Response;
use crate::service::{BodySource, Exchange, Exchanged, Refused};

/// Bytes of a body that are handed on at once.
const PIECE_BYTES: usize = 256 * 1024;
/// Pieces of an answer that wait until the caller reads them.
const PIECES_MAX: usize = 2;
/// Bytes of a body that are thrown away behind a refusal, so that the caller can read it: some
/// callers look for an answer only when they have sent everything.
const DRAINED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// A request of which no more than the head was read.
pub(super) struct Arriving {
    pub incoming: Incoming,
    /// Counts what is held.
    pub share: Share,
    /// The caller sends its body when it is told to go on, and not before.
    pub is_expecting: bool,
}

impl Arriving {
    /// Carries out an exchange that has begun, or says why it has not.
    pub async fn answer(
        mut self,
        shared: &Arc<Shared>,
        connection: &Arc<Connection>,
        begun: Result<Box<dyn Exchange>, Response>,
    ) -> Reply {
        let received = match begun {
            Ok(exchange) => self.receive(shared, exchange).await,
            Err(refusal) => Err(refusal),
        };
        let exchanged = match received {
            Ok(exchanged) => exchanged,
            Err(refusal) => {
                // Of a caller that sends too slowly nothing more is waited for.
                let closes = refusal.status == 408 || self.drain().await;
                return if closes { refusal.with("connection", "close") } else { refusal }.into();
            }
        };
        let Exchanged { response, settling, body } = exchanged;
        if let Some((settling, failure)) = settling
            && let Err(error) = settle(shared, &settling).await
        {
            return failure(error).into();
        }
        match body {
            None => response.into(),
            Some(source) => {
                let length = source.length();
                let source = send(shared, connection, source);
                Reply { response, events: None, source: Some((length, source)) }
            }
        }
    }

    /// Hands the body to the exchange, and finishes it.
    async fn receive(
        &mut self,
        shared: &Shared,
        mut exchange: Box<dyn Exchange>,
    ) -> Result<Exchanged, Response> {
        loop {
            let (piece, is_last) = self.piece(shared).await?;
            let handed = tokio::task::spawn_blocking(move || match exchange.receive(&piece) {
                Err(Refused(refusal)) => Err(*refusal),
                Ok(()) if is_last => Ok(Received::All(Box::new(exchange.finish()))),
                Ok(()) => Ok(Received::Some(exchange)),
            });
            let handed = handed.await.unwrap_or_else(|_| {
                let message = "The operation failed; please report this.";
                Err(refuse(500, "InternalError", message))
            });
            self.share.release();
            match handed? {
                Received::All(exchanged) => return Ok(*exchanged),
                Received::Some(going_on) => exchange = going_on,
            }
        }
    }

    /// The next piece of the body, and whether it is the last.
    async fn piece(&mut self, shared: &Shared) -> Result<(Vec<u8>, bool), Response> {
        let mut piece = Vec::new();
        // A body may be long, so each piece has the time that a short body has.
        let mut pace = Pace::new(shared.options.read_timeout);
        while piece.len() < PIECE_BYTES {
            let Some(frame) = next(shared, &mut self.incoming, &mut pace).await? else {
                return Ok((piece, true));
            };
            let Ok(data) = frame.into_data() else { continue };
            if !self.share.take(data.len()) {
                let message = "The bodies of other requests fill the server's memory. Try again.";
                return Err(refuse(503, "SlowDown", message));
            }
            piece.extend_from_slice(&data);
        }
        Ok((piece, false))
    }

    /// Throws away what is still to come; whether the connection has to close.
    async fn drain(&mut self) -> bool {
        if self.is_expecting {
            return true;
        }
        let drained = async {
            let mut left = DRAINED_BYTES_MAX;
            while let Some(Ok(frame)) = self.incoming.frame().await {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(bytes) {
                    Some(rest) => left = rest,
                    None => return false,
                }
            }
            true
        };
        !timeout(DRAIN_PATIENCE, drained).await.unwrap_or(false)
    }
}

/// How far a body was received.
enum Received {
    Some(Box<dyn Exchange>),
    All(Box<Exchanged>),
}

/// Starts to send the body of an answer; a task goes on until it ends or the caller goes away.
fn send(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    mut source: Box<dyn BodySource>,
) -> mpsc::Receiver<Bytes> {
    let (sender, pieces) = mpsc::channel(PIECES_MAX);
    let (shared, connection) = (shared.clone(), connection.clone());
    let mut stopping = shared.stopping.clone();
    tokio::spawn(async move {
        loop {
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; PIECE_BYTES];
                let count = source.read(&mut piece);
                piece.truncate(*count.as_ref().unwrap_or(&0));
                (source, piece, count.err())
            });
            // A piece that cannot be read ends the body early, and so the connection.
            let Ok((going_on, piece, failure)) = read.await else { return };
            if let (Some(error), Some(log)) = (failure, &shared.log) {
                log.fail("the body of an answer is cut", error.message());
            }
            if piece.is_empty() {
                return;
            }
            source = going_on;
            let piece = unread(&connection, piece);
            tokio::select! {
                sent = sender.send(piece) => if sent.is_err() { return },
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    });
    pieces
}
