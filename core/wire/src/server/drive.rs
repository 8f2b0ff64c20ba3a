//! The driver for a task of the server: what has to be waited for is awaited, and no thread sleeps.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use hyper::body::Incoming;
use tokio::time::Instant;
use trunkline_engine::Ticket;

use super::notifier::Notifier;
use super::stream::{self, Reply, ReplyBody};
use super::{Shared, body, cors, respond};
use crate::dispatch::{Deadline, Dispatched, Pending, base_of};
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::service::{Output, Wait};

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
) -> http::Response<ReplyBody> {
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
            let refused = body::refuse(403, "AccessDenied", message);
            return respond::response(refused.into(), &shared.memory);
        }
    };
    let mut answer: Reply = match cors::preflight(&head.method, &head.headers) {
        Some(answer) => answer.into(),
        // Success would make a tunnel of the connection.
        None if head.method == Method::CONNECT => {
            body::refuse(405, "MethodNotAllowed", "This server is no proxy.").into()
        }
        // Before anything is done: a receive whose answer finds no room would hide its messages.
        None if shared.memory.is_full() => busy().into(),
        None => match body::read(shared, incoming).await {
            Ok(body) => handle(shared, peer, &head, &body.bytes).await,
            Err(refused) => refused.into(),
        },
    };
    if let Some(origin) = origin {
        answer.response = cors::allow(answer.response, &origin);
    }
    respond::response(answer, &shared.memory)
}

async fn handle(
    shared: &Arc<Shared>,
    peer: Peer,
    head: &http::request::Parts,
    body: &Bytes,
) -> Reply {
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
    let response = match dispatched {
        Dispatched::Done(answer) => answer,
        Dispatched::Settle(ticket, pause, waiting) => {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let (body, encoder) = *waiting;
            encoder.encode(settle(shared, ticket).await.map(|()| body))
        }
        Dispatched::Wait(waiting) => {
            let (mut wait, encoder) = *waiting;
            encoder.encode(self::poll(shared, &mut *wait).await)
        }
        Dispatched::Stream(streaming) => {
            let (stream, encoder) = *streaming;
            return stream::start(shared, stream, encoder);
        }
        Dispatched::Blocking(pending) => control(shared, pending).await,
        // A pause is asked for once.
        Dispatched::Pause(_) => busy(),
    };
    response.into()
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

async fn settle(shared: &Shared, ticket: Option<Ticket>) -> Result<()> {
    let Some(ticket) = ticket else { return Ok(()) };
    let (engine, level) = (shared.dispatcher.engine(), shared.dispatcher.durability());
    let notifier = Arc::new(Notifier::default());
    engine
        .notify_when(ticket, level, notifier.clone())
        .map_err(|error| WireError::from_engine(&error))?;
    notifier.notified().await;
    // The signal also comes when the write failed; waiting for a settled ticket returns at once.
    engine.wait(ticket, level).map_err(|error| WireError::from_engine(&error))
}

async fn poll(shared: &Shared, wait: &mut dyn Wait) -> Result<Output> {
    if let Some(output) = wait.attempt()? {
        return Ok(output);
    }
    if wait.patience() == 0 {
        return Ok(wait.empty());
    }
    let polls = Counted::new(shared);
    let found = self::wait(shared, wait).await;
    drop(polls);
    found
}

async fn wait(shared: &Shared, wait: &mut dyn Wait) -> Result<Output> {
    let engine = shared.dispatcher.engine();
    let end = Deadline::after(engine, wait.patience());
    let mut stopping = shared.stopping.clone();
    let notifier = Arc::new(Notifier::default());
    loop {
        let subscription = wait.subscribe(notifier.clone(), end.virtual_time());
        // Something may have come between the last attempt and the subscription.
        if let Some(output) = wait.attempt()? {
            return Ok(output);
        }
        let over = tokio::time::sleep_until(Instant::from_std(end.instant()));
        let is_woken = tokio::select! {
            () = notifier.notified() => true,
            () = over => false,
            _ = stopping.wait_for(|stop| *stop) => false,
        };
        let found = wait.attempt()?;
        drop(subscription);
        match found {
            Some(output) => return Ok(output),
            None if is_woken && !end.is_over(engine) => {}
            None => return Ok(wait.empty()),
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
