//! The driver for a task of the server: what has to be waited for is awaited, and no thread sleeps.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderValue, Method, header};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;
use trunkline_engine::{LongPoll, Polled};

use super::connections::Connection;
use super::exchange::Arriving;
use super::guard::{self, Admitted, Link, Page};
use super::notifier::Notifier;
use super::request_log::{RequestLog, Subject};
use super::settle::settle;
use super::stream::{self, Reply, ReplyBody};
use super::turn::{api_turn, busy};
use super::{Shared, body, error, origin, request_log, respond, socket};
use crate::counters::OperationCounters;
use crate::dispatch::{
    Dispatched, Pending, RecentRequest, RecentRequests, base_of, is_health_path,
};
use crate::error::Result;
use crate::memory::Share;
use crate::message::{Peer, Request, Response};
use crate::service::{Finished, Output, Wait};

/// Answers one request.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    link: Link,
    connection: &Arc<Connection>,
    mut request: hyper::Request<Incoming>,
) -> http::Response<ReplyBody> {
    let asks = socket::is_upgrade(request.method(), request.headers());
    let upgrade = asks.then(|| hyper::upgrade::on(&mut request));
    let (mut head, incoming) = request.into_parts();
    // HTTP/2 has no Host header; everything behind this line knows only that.
    let authority = head.uri.authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let (None, Some(Ok(value))) = (head.headers.get(header::HOST), authority) {
        head.headers.insert(header::HOST, value);
    }
    let began = Instant::now();
    let seen = Seen::default();
    let mut answer = match guard::admit(shared, link, &head) {
        Ok(Admitted { page: Page::Preflight(answer), .. }) => answer.into(),
        Ok(Admitted { peer, page }) => {
            let answer = admit(shared, connection, peer, &head, (incoming, upgrade), &seen).await;
            let is_api = shared.dispatcher.is_api(&as_request(&head, &[], peer, &seen));
            // An API tells browsers itself who may read its answers.
            if is_api { answer } else { answer.map(|response| page.expose(response)) }
        }
        Err(refused) => refused.into(),
    };
    if connection.is_reserved {
        answer = answer.map(|response| response.with("connection", "close"));
    }
    let took = began.elapsed();
    if let Some(counted) = seen.counted.get() {
        counted.end(answer.response.status, took);
    }
    if let Some(log) = &shared.log
        && log.wants(&head, answer.response.status)
    {
        let counted = seen.counted.get().map(|counted| &**counted);
        let resource = seen.resource.get().map(String::as_str);
        let subject = Subject { head: &head, counted, resource, client: link.address };
        log.note(&subject, &answer.response, took);
    }
    if RecentRequests::wants(head.uri.path(), answer.response.status) {
        shared.dispatcher.requests.note(recent(&head, seen, link.address, &answer.response, took));
    }
    respond::response(answer, connection)
}

fn recent(
    head: &http::request::Parts,
    seen: Seen,
    client: IpAddr,
    answer: &Response,
    took: Duration,
) -> RecentRequest {
    let Seen { counted, resource } = seen;
    let counted = counted.into_inner();
    let target = || (head.method.as_str().to_owned(), head.uri.path().to_owned());
    let id = answer.header("x-amzn-requestid").or_else(|| answer.header("x-amz-request-id"));
    RecentRequest {
        target: counted.is_none().then(target),
        counted,
        resource: resource.into_inner(),
        client,
        status: answer.status,
        error: error::of(answer).and_then(|(code, _)| code),
        request_id: id.map(str::to_owned),
        took,
    }
}

/// What was learnt of a request on its way.
#[derive(Default)]
struct Seen {
    counted: OnceLock<Arc<OperationCounters>>,
    /// The resource, if it is to be told.
    resource: OnceLock<String>,
}

impl Seen {
    /// Notes the resource of a request that failed; of every one, if every one has a line.
    fn note(&self, shared: &Shared, status: u16, resource: impl FnOnce() -> Option<String>) {
        if (status >= 400 || shared.log.as_ref().is_some_and(RequestLog::shows_resources))
            && let Some(resource) = resource().filter(|resource| !resource.is_empty())
        {
            let _first = self.resource.set(resource);
        }
    }
}

// Answers a request that may be made, if there is memory for it.
async fn admit(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    peer: Peer,
    head: &http::request::Parts,
    (incoming, upgrade): (Incoming, Option<OnUpgrade>),
    seen: &Seen,
) -> Reply {
    let bodiless = as_request(head, &[], peer, seen);
    // An API answers browsers itself.
    let is_api = shared.dispatcher.is_api(&bodiless);
    if let (false, Some(answer)) = (is_api, origin::preflight(&head.method, &head.headers)) {
        return answer.into();
    }
    if head.method == Method::CONNECT {
        // Success would make a tunnel of the connection.
        return body::refuse(405, "MethodNotAllowed", "This server is no proxy.").into();
    }
    // Health is told whatever the state of the rest, so its body is not read either.
    if is_health_path(head.uri.path()) {
        return handle(shared, connection, (peer, seen), head, &[]).await;
    }
    let mut share = Share::none(&shared.memory);
    // Before anything is done: a receive whose answer finds no memory would hide its messages.
    if connection.is_reserved || shared.memory.is_full() || !share.take(size_of(head)) {
        return busy().into();
    }
    if let Some(upgrade) = upgrade
        && let Some(request) = shared.dispatcher.api_request(&bodiless, &base(head, peer))
    {
        return socket::connect(shared, connection, request, head, upgrade).await;
    }
    if let Some(begun) = shared.dispatcher.exchange(&bodiless, &base(head, peer)) {
        let is_expecting = head.headers.contains_key(header::EXPECT);
        let arriving = Arriving { incoming, share, is_expecting };
        let reply = arriving.answer(shared, connection, begun).await;
        let path = || Some(head.uri.path().trim_matches('/').to_owned());
        seen.note(shared, reply.response.status, path);
        return reply;
    }
    let largest = body::largest(head.uri.path(), shared.options.body_bytes_max);
    match body::read(shared, incoming, &mut share, largest).await {
        Ok(body) => {
            let reply = handle(shared, connection, (peer, seen), head, &body).await;
            seen.note(shared, reply.response.status, || request_log::resource_of(&body));
            body.recycle(shared);
            reply
        }
        Err(refused) => refused.into(),
    }
}

fn size_of(head: &http::request::Parts) -> usize {
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    headers.sum::<usize>() + head.uri.path().len() + head.uri.query().map_or(0, str::len)
}

fn as_request<'a>(
    head: &'a http::request::Parts,
    body: &'a [u8],
    peer: Peer,
    seen: &'a Seen,
) -> Request<'a> {
    Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or(""),
        headers: &head.headers,
        body,
        peer: Some(peer),
        seen: Some(&seen.counted),
    }
}

fn base(head: &http::request::Parts, peer: Peer) -> String {
    let scheme = if peer.is_secure { "https" } else { "http" };
    base_of(&head.headers, scheme, "localhost")
}

async fn handle(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    (peer, seen): (Peer, &Seen),
    head: &http::request::Parts,
    body: &[u8],
) -> Reply {
    let request = as_request(head, body, peer, seen);
    let base = base(head, peer);
    let dispatcher = &shared.dispatcher;
    let mut dispatched = dispatcher.start(&request, &base, None);
    while let Dispatched::Held(held) = dispatched {
        // A wait that failed is over too: the next start tells why.
        let _over = settle(shared, held.waits_for()).await;
        dispatched = dispatcher.start(&request, &base, Some(&held));
    }
    let response = match dispatched {
        Dispatched::Done(answer) => answer,
        Dispatched::Settle(settling, waiting) => {
            let (output, encoder) = *waiting;
            encoder.encode(settle(shared, &settling).await.map(|()| output))
        }
        Dispatched::Wait(waiting) => {
            let (mut wait, encoder) = *waiting;
            encoder.encode(self::poll(shared, &mut *wait).await)
        }
        Dispatched::Stream(streaming) => {
            let (stream, encoder) = *streaming;
            return stream::start(shared, connection, stream, encoder);
        }
        Dispatched::Blocking(pending) => control(shared, pending).await,
        // The loop above has left none.
        Dispatched::Held(_) => busy(),
    };
    response.into()
}

async fn control(shared: &Arc<Shared>, pending: Pending) -> Response {
    let permit = match pending {
        Pending::Api(_) => api_turn(shared).await,
        _ => shared.control.try_acquire().ok(),
    };
    let Some(_permit) = permit else { return busy() };
    let dispatcher = shared.dispatcher.clone();
    let running = tokio::task::spawn_blocking(move || dispatcher.run(pending));
    running.await.unwrap_or_else(|_| {
        body::refuse(500, "InternalFailure", "The operation failed; please report this.")
    })
}

async fn poll(shared: &Shared, wait: &mut dyn Wait) -> Result<Output> {
    let found = match wait.attempt()? {
        None if wait.patience() == 0 => return Ok(wait.empty()),
        None => wait_for(shared, wait).await?,
        found => found,
    };
    match found {
        None => Ok(wait.empty()),
        Some(Finished { output, settling }) => {
            if let Some(settling) = settling {
                settle(shared, &settling).await?;
            }
            Ok(output)
        }
    }
}

async fn wait_for(shared: &Shared, wait: &mut dyn Wait) -> Result<Option<Finished>> {
    let _counted = Counted::new(shared);
    let mut poll = LongPoll::new(wait.resource(), wait.patience());
    let mut stopping = shared.stopping.clone();
    let notifier = Arc::new(Notifier::default());
    loop {
        let left = match poll.poll(|| Ok(notifier.clone()), || wait.attempt())? {
            Polled::Found(found) => return Ok(Some(found)),
            Polled::Over => return Ok(None),
            Polled::Wait(left) => left,
        };
        tokio::select! {
            () = notifier.notified() => {}
            () = tokio::time::sleep(left) => {}
            _ = stopping.wait_for(|stop| *stop) => return Ok(None),
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
