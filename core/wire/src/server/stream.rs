//! Responses that are streams of events: sent as they come, chunked over HTTP/1.1 and in frames
//! over HTTP/2.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Shared;
use super::connections::{Busy, Connection};
use super::notifier::Notifier;
use super::unread::unread;
use crate::dispatch::{Deadline, ResponseEncoder};
use crate::message::Response;
use crate::service::{EventStream, NextEvent};

/// Events that wait until the caller reads them; then the stream waits.
const EVENTS_MAX: usize = 4;

/// A response, and the events that follow its body.
pub(super) struct Reply {
    pub response: Response,
    pub events: Option<mpsc::Receiver<Bytes>>,
}

impl Reply {
    /// The same reply with another response before its events.
    pub(super) fn map(self, change: impl FnOnce(Response) -> Response) -> Self {
        Self { response: change(self.response), events: self.events }
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self { response, events: None }
    }
}

/// The body of an HTTP response.
pub(super) enum ReplyBody {
    /// It is there.
    Whole(Full<Bytes>),
    /// It comes event by event.
    Events { first: Option<Bytes>, rest: mpsc::Receiver<Bytes>, _busy: Busy },
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
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context),
            Self::Events { first, rest, .. } => match first.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => rest.poll_recv(context).map(|bytes| Some(Ok(Frame::data(bytes?)))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Events { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Events { .. } => SizeHint::default(),
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
    Reply { response, events: Some(events) }
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
        let engine = self.shared.dispatcher.engine().clone();
        let end = Deadline::after(&engine, self.stream.lifetime());
        let mut stopping = self.shared.stopping.clone();
        let notifier = Arc::new(Notifier::default());
        while self.send_ready().await {
            let subscription = self.stream.subscribe(notifier.clone(), end.virtual_time());
            // Something may have come between the last look and the subscription.
            if !self.send_ready().await || end.is_over(&engine) {
                break;
            }
            let over = tokio::time::sleep_until(Instant::from_std(end.instant()));
            let goes_on = tokio::select! {
                () = notifier.notified() => !end.is_over(&engine),
                () = over => false,
                () = self.sender.closed() => false,
                _ = stopping.wait_for(|stop| *stop) => false,
            };
            drop(subscription);
            if !goes_on {
                break;
            }
        }
    }

    /// Sends the events that are there; whether the stream goes on.
    async fn send_ready(&mut self) -> bool {
        loop {
            let next = self.stream.next().and_then(|next| match next {
                NextEvent::Event(event) => self.encoder.event(event).map(Some),
                NextEvent::Wait => Ok(None),
                NextEvent::End => Ok(Some(Vec::new())),
            });
            let (bytes, is_last) = match next {
                Ok(None) => return true,
                Ok(Some(bytes)) if bytes.is_empty() => return false,
                Ok(Some(bytes)) => (bytes, false),
                Err(error) => (self.encoder.exception(error), true),
            };
            let bytes = unread(&self.connection, bytes);
            if self.sender.send(bytes).await.is_err() || is_last {
                return false;
            }
        }
    }
}
