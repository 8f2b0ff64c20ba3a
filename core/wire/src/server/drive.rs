//! The driver for a task of the server: what has to be waited for is awaited, and no thread sleeps.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::Notify;
use tokio::time::Instant;
use trunkline_engine::{Queue, Signal, Ticket, WaiterId};

use super::{Shared, body, cors, respond};
use crate::dispatch::{Deadline, Dispatched, Pending, base_of};
use crate::error::Result;
use crate::message::{Request, Response};
use crate::services::sqs::{self, EMPTY, Poll};

/// Who is at the other end of a connection.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub scheme: &'static str,
    pub address: IpAddr,
}

/// Answers one request.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    peer: Peer,
    request: hyper::Request<Incoming>,
) -> http::Response<Full<Bytes>> {
    let (mut head, incoming) = request.into_parts();
    // HTTP/2 has no Host header; everything behind this line knows only that.
    let authority = head.uri.authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let (None, Some(Ok(value))) = (head.headers.get(header::HOST), authority) {
        head.headers.insert(header::HOST, value);
    }
    let origin = match shared.options.origins.judge(&head.headers) {
        cors::Verdict::NotAPage => None,
        cors::Verdict::Allowed(origin) => Some(origin.to_owned()),
        cors::Verdict::Refused => {
            let message = "Pages of this origin may not call; allow it with --cors-origin.";
            return respond::response(body::refuse(403, "AccessDenied", message), &shared.memory);
        }
    };
    let answer = match cors::preflight(&head.method, &head.headers) {
        Some(answer) => answer,
        // Success would make a tunnel of the connection.
        None if head.method == Method::CONNECT => {
            body::refuse(405, "MethodNotAllowed", "This server is no proxy.")
        }
        // Before anything is done: a receive whose answer finds no room would hide its messages.
        None if shared.memory.is_full() => busy(),
        None => match body::read(shared, incoming).await {
            Ok(body) => handle(shared, peer, &head, &body.bytes).await,
            Err(refused) => refused,
        },
    };
    let answer = match origin {
        Some(origin) => cors::allow(answer, &origin),
        None => answer,
    };
    respond::response(answer, &shared.memory)
}

async fn handle(
    shared: &Arc<Shared>,
    peer: Peer,
    head: &http::request::Parts,
    body: &Bytes,
) -> Response {
    let request = Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or(""),
        headers: &head.headers,
        body,
        peer: Some(peer.address),
    };
    let base = base_of(&head.headers, peer.scheme, "localhost");
    let dispatcher = &shared.dispatcher;
    let mut dispatched = dispatcher.start(&request, &base, false);
    if let Dispatched::Pause(pause) = dispatched {
        tokio::time::sleep(pause).await;
        dispatched = dispatcher.start(&request, &base, true);
    }
    match dispatched {
        Dispatched::Done(answer) => answer,
        Dispatched::Settle(ticket, pause, waiting) => {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let (body, encoder) = *waiting;
            encoder.encode(settle(shared, ticket).await.map(|()| body))
        }
        Dispatched::Poll(polling) => {
            let (poll, encoder) = *polling;
            encoder.encode(self::poll(shared, &poll).await)
        }
        Dispatched::Control(pending) => control(shared, pending).await,
        // A pause is asked for once.
        Dispatched::Pause(_) => busy(),
    }
}

fn busy() -> Response {
    body::refuse(503, "ServiceUnavailable", "The server is busy. Try again.")
}

async fn control(shared: &Arc<Shared>, pending: Pending) -> Response {
    let Ok(_permit) = shared.control.try_acquire() else { return busy() };
    let dispatcher = shared.dispatcher.clone();
    let running = tokio::task::spawn_blocking(move || dispatcher.run(pending));
    running.await.unwrap_or_else(|_| {
        body::refuse(500, "InternalFailure", "The operation failed; please report this.")
    })
}

/// Wakes a task from any thread.
#[derive(Default)]
struct Bell(Notify);

impl Signal for Bell {
    fn signal(&self) {
        self.0.notify_one();
    }
}

async fn settle(shared: &Shared, ticket: Option<Ticket>) -> Result<()> {
    let Some(ticket) = ticket else { return Ok(()) };
    let (engine, level) = (shared.dispatcher.engine(), shared.dispatcher.durability());
    let bell = Arc::new(Bell::default());
    engine.notify_when(ticket, level, bell.clone()).map_err(sqs::from_engine)?;
    bell.0.notified().await;
    // The bell also rings when the write failed; waiting for a settled ticket returns at once.
    engine.wait(ticket, level).map_err(sqs::from_engine)
}

/// A subscription that ends when it is dropped: also when the caller hangs up and the task with it.
struct Subscription<'a> {
    queue: &'a Queue,
    id: WaiterId,
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.queue.unsubscribe(self.id);
    }
}

async fn poll(shared: &Shared, poll: &Poll) -> Result<Vec<u8>> {
    if let Some(found) = poll.attempt()? {
        return Ok(found);
    }
    if poll.wait() == 0 {
        return Ok(EMPTY.to_vec());
    }
    let polls = Counted::new(shared);
    let found = wait(shared, poll).await;
    drop(polls);
    found
}

async fn wait(shared: &Shared, poll: &Poll) -> Result<Vec<u8>> {
    let engine = shared.dispatcher.engine();
    let end = Deadline::after(engine, poll.wait());
    let mut stopping = shared.stopping.clone();
    let bell = Arc::new(Bell::default());
    loop {
        let id = poll.queue().subscribe_until(bell.clone(), end.virtual_time());
        let subscription = Subscription { queue: poll.queue(), id };
        // A message may have come between the last try and the subscription.
        if let Some(found) = poll.attempt()? {
            return Ok(found);
        }
        let over = tokio::time::sleep_until(Instant::from_std(end.instant()));
        let is_woken = tokio::select! {
            () = bell.0.notified() => true,
            () = over => false,
            _ = stopping.wait_for(|stop| *stop) => false,
        };
        let found = poll.attempt()?;
        drop(subscription);
        match found {
            Some(found) => return Ok(found),
            None if is_woken && !end.is_over(engine) => {}
            None => return Ok(EMPTY.to_vec()),
        }
    }
}

/// Counts a long poll for as long as it waits.
struct Counted<'a>(&'a Shared);

impl<'a> Counted<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.dispatcher.metrics.polls.fetch_add(1, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dispatcher.metrics.polls.fetch_sub(1, Ordering::Relaxed);
    }
}
