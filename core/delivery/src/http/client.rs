//! The client: sends one attempt and says how it ended.

use std::error::Error as StdError;
use std::fmt;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, RETRY_AFTER, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error};

use super::connect::{ConnectError, Connector, Shared, Used};
use super::endpoint::Endpoint;
use super::hosts::{Bounds, Gate, Hosts, Slot};
use super::outcome::{Failure, Outcome, Response};
use super::reach::Reach;
use super::resolve::{Resolve, Resolver, SystemResolver};
use super::retry_after::RetryAfter;
use super::tls::Trust;

/// Threads of all attempts together.
const WORKERS: usize = 2;
/// Threads for name look-ups, which block; each starts when it is needed.
const LOOKUPS_MAX: usize = 64;
/// Bytes and number of the header lines of a response: twice what a large one has.
const HEAD_BYTES_MAX: usize = 64 << 10;
const HEADERS_MAX: usize = 128;

/// The bounds of a client, and which addresses it reaches.
#[derive(Clone)]
pub struct ClientOptions {
    /// Attempts that run at once.
    pub attempts_max: u32,
    /// Attempts that run at once at one host.
    pub attempts_per_host_max: u32,
    /// Time for the name look-up, the connection and the encryption.
    pub connect_timeout: Duration,
    /// How long a connection is kept that has nothing to do.
    pub idle_timeout: Duration,
    /// Connections that are kept at one host with nothing to do.
    pub idle_per_host_max: usize,
    /// Bytes of a response's body that are read.
    pub response_bytes_max: usize,
    /// Which addresses may be reached.
    pub reach: Reach,
    /// Certificates that are trusted beside the system's, as PEM.
    pub trusted_pem: Option<String>,
    /// Finds the addresses of names.
    pub resolver: Arc<dyn Resolve>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            attempts_max: 512,
            attempts_per_host_max: 64,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(10),
            idle_per_host_max: 64,
            response_bytes_max: 64 << 10,
            reach: Reach::default(),
            trusted_pem: None,
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// One attempt of a delivery.
#[derive(Clone)]
pub struct Attempt {
    /// Where to.
    pub endpoint: Endpoint,
    /// How; SNS posts.
    pub method: Method,
    /// The header lines. Those that frame a message (`Host`, `Content-Length`, `Connection` and
    /// their kind) are the client's: what is given for them is left out.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Time for the whole attempt, the body of the response included.
    pub timeout: Duration,
    /// Bytes of the response's body that are read, if not as many as the client's options say.
    pub response_bytes_max: Option<usize>,
}

/// Header values, the query of the URL and the body may be secrets, so none of them is written.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("path", &self.endpoint.uri().path())
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Attempt {
    /// An attempt from plain parts. An error names the header line or the method that cannot be
    /// sent.
    pub fn new(
        endpoint: Endpoint,
        method: &str,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
        timeout: Duration,
    ) -> trunkline_types::Result<Self> {
        let known = Method::from_bytes(method.as_bytes());
        let method = known.map_err(|_| cannot_be_sent("The method", method))?;
        let headers = header_map(headers)?;
        let body = body.into();
        Ok(Self { endpoint, method, headers, body, timeout, response_bytes_max: None })
    }

    /// The same attempt with this body, and with more header lines: one replaces those of its name.
    pub fn with(
        &self,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> trunkline_types::Result<Self> {
        let mut attempt = Self { body: body.into(), ..self.clone() };
        if !headers.is_empty() {
            attempt.headers.extend(header_map(headers)?);
        }
        Ok(attempt)
    }
}

fn header_map(headers: &[(String, String)]) -> trunkline_types::Result<HeaderMap> {
    let mut lines = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let line = HeaderName::from_bytes(name.as_bytes());
        let line = line.map_err(|_| cannot_be_sent("The header", name))?;
        let value = HeaderValue::from_str(value);
        lines.append(line, value.map_err(|_| cannot_be_sent("The value of the header", name))?);
    }
    Ok(lines)
}

#[cold]
fn cannot_be_sent(what: &str, name: &str) -> Error {
    let text = format!("{what} {name:?} cannot be sent: it has a character that HTTP refuses.");
    Error::new(Code::InvalidParameterValue, text)
}

/// A client for many endpoints. Dropping it ends the attempts that run, without their outcome.
pub struct Client {
    runtime: Mutex<Option<Runtime>>,
    sender: Arc<Sender>,
    hosts: Arc<Hosts>,
}

struct Sender {
    pool: Pool<Connector, Full<Bytes>>,
    connections: Arc<Semaphore>,
    /// So few connections are left that none is kept idle.
    scarce_below: usize,
    response_bytes_max: usize,
}

impl Client {
    /// Starts a client on threads of its own.
    pub fn new(options: ClientOptions) -> trunkline_types::Result<Self> {
        let runtime = start_runtime().map_err(|why| {
            Error::new(
                Code::StorageFailure,
                format!("The threads of HTTP deliveries cannot be started: {why}."),
            )
        })?;
        let bounds =
            Bounds { per_host: options.attempts_per_host_max, total: options.attempts_max };
        Ok(Self {
            runtime: Mutex::new(Some(runtime)),
            sender: Arc::new(Sender::new(options)),
            hosts: Arc::new(Hosts::new(bounds)),
        })
    }

    /// The right to one attempt at `endpoint`, or the bound that is reached.
    pub fn slot(&self, endpoint: &Endpoint) -> Result<Slot, Gate> {
        self.hosts.slot(endpoint.host())
    }

    /// Starts an attempt. `then` gets its outcome on a thread of the client, with the slot given
    /// back; it must not block. It is dropped unused when the client is closed first.
    pub fn send(&self, slot: Slot, attempt: Attempt, then: impl FnOnce(Outcome) + Send + 'static) {
        debug_assert_eq!(slot.host(), attempt.endpoint.host(), "the slot is another host's");
        let runtime = lock(&self.runtime);
        let Some(runtime) = runtime.as_ref() else { return };
        let sender = self.sender.clone();
        runtime.spawn(async move {
            let outcome = sender.attempt(attempt).await;
            slot.finish(outcome.is_healthy());
            then(outcome);
        });
    }

    /// Runs `task` soon, on a thread of the client. It must not block. It is dropped unused when
    /// the client is closed first.
    pub fn run(&self, task: impl FnOnce() + Send + 'static) {
        if let Some(runtime) = lock(&self.runtime).as_ref() {
            runtime.spawn(async move { task() });
        }
    }

    /// The same, after `delay`.
    pub fn run_after(&self, delay: Duration, task: impl FnOnce() + Send + 'static) {
        if let Some(runtime) = lock(&self.runtime).as_ref() {
            runtime.spawn(async move {
                tokio::time::sleep(delay).await;
                task();
            });
        }
    }

    /// Makes one attempt and waits for its outcome; not to be called on a thread of the client.
    pub fn request(&self, attempt: Attempt) -> Outcome {
        let slot = match self.slot(&attempt.endpoint) {
            Ok(slot) => slot,
            Err(gate) => {
                let why = format!("too many requests are being made ({gate:?})");
                return Outcome::transient(Failure::Connection(why));
            }
        };
        let (told, answer) = std::sync::mpsc::sync_channel(1);
        self.send(slot, attempt, move |outcome| {
            let _gone = told.send(outcome);
        });
        let closed = || Outcome::transient(Failure::Connection("the engine was closed".to_owned()));
        answer.recv().unwrap_or_else(|_| closed())
    }

    /// Ends everything without waiting. Attempts that run are dropped, and so are their callbacks.
    pub fn close(&self) {
        let runtime = lock(&self.runtime).take();
        if let Some(runtime) = runtime {
            // Dropping a runtime waits for its look-ups; closing must not.
            runtime.shutdown_background();
        }
    }
}

/// Starts the threads of a client. Where a thread cannot be started, tokio panics.
fn start_runtime() -> Result<Runtime, String> {
    let build = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(LOOKUPS_MAX)
            .thread_name("trunkline-http")
            .enable_all()
            .build()
    };
    match catch_unwind(build) {
        Ok(built) => built.map_err(|error| error.to_string()),
        Err(_) => Err("the process may have no more threads".to_owned()),
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

impl Sender {
    fn new(options: ClientOptions) -> Self {
        // The pool may make a connection and then find an idle one, so twice as many as attempts.
        let connections_max = (options.attempts_max as usize).saturating_mul(2).max(2);
        let connections = Arc::new(Semaphore::new(connections_max));
        let connector = Connector::new(Shared {
            resolver: Resolver::new(options.resolver),
            reach: options.reach,
            trust: Trust::new(options.trusted_pem),
            timeout: options.connect_timeout,
            connections: connections.clone(),
        });
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.idle_per_host_max)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .http1_max_headers(HEADERS_MAX)
            .build(connector);
        Self {
            pool,
            connections,
            scarce_below: connections_max / 2,
            response_bytes_max: options.response_bytes_max,
        }
    }

    async fn attempt(&self, attempt: Attempt) -> Outcome {
        let (time, most) = (attempt.timeout, attempt.response_bytes_max);
        let most = most.unwrap_or(self.response_bytes_max);
        let mut request = Request::new(Full::new(attempt.body));
        *request.method_mut() = attempt.method;
        *request.uri_mut() = attempt.endpoint.uri().clone();
        *request.headers_mut() = attempt.headers;
        for framing in [CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE] {
            request.headers_mut().remove(framing);
        }
        if self.connections.available_permits() < self.scarce_below {
            // Idle connections must never take the place of those that are needed.
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match timeout(time, self.exchange(request, most)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(why @ (Failure::Forbidden(_) | Failure::Request(_)))) => {
                Outcome::Permanent { why }
            }
            Ok(Err(why)) => Outcome::transient(why),
            Err(_) => Outcome::transient(Failure::TimedOut),
        }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        response_bytes_max: usize,
    ) -> Result<Outcome, Failure> {
        let again = request.clone();
        let sent = match self.pool.request(request).await {
            // The endpoint closed an idle connection at the moment at which it was taken.
            Err(error) if was_idle(&error) => self.pool.request(again).await,
            sent => sent,
        };
        let response = sent.map_err(failure)?;
        if let Some(used) = response.extensions().get::<Used>() {
            used.mark();
        }
        let (head, body) = response.into_parts();
        let retry_after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(RetryAfter::parse);
        let (body, is_cut) = read(body, response_bytes_max).await?;
        let (status, headers) = (head.status.as_u16(), Box::new(head.headers));
        let response = Response { status, headers, body, is_cut };
        Ok(Outcome::of(response, retry_after))
    }
}

/// Reads a body up to a bound. Of a longer one the rest is left, and its connection closed.
async fn read(mut body: Incoming, bytes_max: usize) -> Result<(Bytes, bool), Failure> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Protocol(told(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        let left = bytes_max - read.len();
        if data.len() > left {
            read.extend_from_slice(&data[..left]);
            return Ok((read.freeze(), true));
        }
        read.extend_from_slice(&data);
    }
    Ok((read.freeze(), false))
}

/// Whether a connection broke on which an earlier attempt was answered, before this one was.
fn was_idle(error: &PoolError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    let is_unanswered = cause.is_some_and(|cause| cause.is_incomplete_message());
    let mut extras = http::Extensions::new();
    if let Some(connection) = error.connect_info().filter(|_| is_unanswered) {
        connection.get_extras(&mut extras);
    }
    extras.get::<Used>().is_some_and(Used::is_marked)
}

fn failure(error: PoolError) -> Failure {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(ConnectError(why)) = cause.downcast_ref() {
            return why.clone();
        }
        source = cause.source();
    }
    Failure::Protocol(told(&error))
}

/// An error with its causes, in one line.
fn told(error: &dyn StdError) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
