//! Responses that are streams of events: sent as they come, chunked over HTTP/1.1 and in frames
//! over HTTP/2.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use trunkline_engine::{LongPoll, Polled};

use super::Shared;
use super::connections::{Busy, Connection};
use super::notifier::Notifier;
use super::unread::unread;
use crate::dispatch::ResponseEncoder;
use crate::error::Result;
use crate::message::Response;
use crate::service::{EventStream, NextEvent};

/// Events that wait until the caller reads them; then the stream waits.
const EVENTS_MAX: usize = 4;

/// A response, and what follows its body.
pub(super) struct Reply {
    pub response: Response,
    pub events: Option<mpsc::Receiver<Bytes>>,
    /// A body of so many bytes that comes piece by piece.
    pub source: Option<(u64, mpsc::Receiver<Bytes>)>,
}

impl Reply {
    /// The same reply with another response before its events.
    pub(super) fn map(self, change: impl FnOnce(Response) -> Response) -> Self {
        Self { response: change(self.response), ..self }
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self { response, events: None, source: None }
    }
}

/// The body of an HTTP response.
pub(super) enum ReplyBody {
    /// It is there.
    Whole(Full<Bytes>),
    /// It comes event by event.
    Events { first: Option<Bytes>, rest: mpsc::Receiver<Bytes>, _busy: Busy },
    /// It comes piece by piece, `left` bytes of it.
    Source { left: u64, rest: mpsc::Receiver<Bytes>, _busy: Busy },
}

impl ReplyBody {
    pub(super) fn new(body: Bytes, events: Option<(mpsc::Receiver<Bytes>, Busy)>) -> Self {
        match events {
            Some((rest, busy)) => Self::Events { first: Some(body), rest, _busy: busy },
            None => Self::Whole(Full::new(body)),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Events { first, rest, .. } => match first.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => rest.poll_recv(context).map(|bytes| Some(Ok(Frame::data(bytes?)))),
            },
            Self::Source { left, rest, .. } => rest.poll_recv(context).map(|bytes| match bytes {
                Some(bytes) => {
                    *left = left.saturating_sub(bytes.len() as u64);
                    Some(Ok(Frame::data(bytes)))
                }
                None if *left == 0 => None,
                None => Some(Err(std::io::Error::other("the body could not be read to its end"))),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Events { .. } => false,
            Self::Source { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Events { .. } => SizeHint::default(),
            Self::Source { left, .. } => SizeHint::with_exact(*left),
        }
    }
}

/// Starts to send a stream; a task goes on until it ends or the caller goes away.
pub(super) fn start(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    stream: Box<dyn EventStream>,
    encoder: ResponseEncoder,
) -> Reply {
    let response = match encoder.start_stream() {
        Ok(response) => response,
        Err(refusal) => return refusal.into(),
    };
    let (sender, events) = mpsc::channel(EVENTS_MAX);
    let (shared, connection) = (shared.clone(), connection.clone());
    let feed = Feed { shared, connection, stream, encoder, sender };
    tokio::spawn(feed.run());
    Reply { response, events: Some(events), source: None }
}

/// What feeds one response with events.
struct Feed {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    stream: Box<dyn EventStream>,
    encoder: ResponseEncoder,
    sender: mpsc::Sender<Bytes>,
}

impl Feed {
    async fn run(mut self) {
        let mut poll = LongPoll::new(self.stream.resource(), self.stream.lifetime());
        let mut stopping = self.shared.stopping.clone();
        let notifier = Arc::new(Notifier::default());
        while !poll.is_over() {
            let next = poll.poll(|| Ok(notifier.clone()), || self.next());
            let left = match next {
                Ok(Polled::Found(Some(bytes))) => {
                    if !self.send(bytes).await {
                        return;
                    }
                    continue;
                }
                Ok(Polled::Wait(left)) => {
                    self.stream.heartbeat().map_or(left, |pause| left.min(pause))
                }
                Ok(Polled::Found(None) | Polled::Over) => return,
                Err(error) => {
                    let last = self.encoder.exception(error);
                    self.send(last).await;
                    return;
                }
            };
            tokio::select! {
                () = notifier.notified() => {}
                () = tokio::time::sleep(left) => {}
                () = self.sender.closed() => return,
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// The next event, if there is one: its bytes, or nothing at the end of the stream.
    fn next(&mut self) -> Result<Option<Option<Vec<u8>>>> {
        match self.stream.next()? {
            NextEvent::Event(event) => self.encoder.event(event).map(|bytes| Some(Some(bytes))),
            NextEvent::Wait => Ok(None),
            NextEvent::End => Ok(Some(None)),
        }
    }

    /// Sends one event; whether the stream goes on.
    async fn send(&mut self, bytes: Vec<u8>) -> bool {
        let bytes = unread(&self.connection, bytes);
        self.sender.send(bytes).await.is_ok()
    }
}
