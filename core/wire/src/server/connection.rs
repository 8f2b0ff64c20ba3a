//! Accepting connections and serving requests on them.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Shared;
use super::connections::{End, Registered};
use super::drive;
use super::guard::Link;
use super::metered::Metered;

/// Largest head of a request. AWS refuses above 16 KiB; tokens of temporary credentials are long.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;
/// Pause after a failed accept: the process is out of descriptors, and some will be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often, and after which pause, a place is looked for beyond the bound of connections.
const REGISTER_TRIES_MAX: usize = 20;
const REGISTER_PAUSE: Duration = Duration::from_millis(5);
/// What a connection that is to close gets to say so.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// How often connections are looked at that may have taken too long.
const LOOK_INTERVAL_MAX: Duration = Duration::from_millis(500);
const LOOK_INTERVAL_MIN: Duration = Duration::from_millis(20);

/// Accepts until the server stops, then waits for the connections to finish.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let builder = Arc::new(builder(&shared));
    let mut stopping = shared.stopping.clone();
    let times = [shared.options.read_timeout, shared.options.idle_timeout];
    let interval =
        times.into_iter().chain([shared.options.write_timeout]).min().unwrap_or_default();
    let interval = (interval / 8).clamp(LOOK_INTERVAL_MIN, LOOK_INTERVAL_MAX);
    let mut look = tokio::time::interval(interval);
    // Every connection holds a sender: the receiver hears nothing more when the last has ended.
    let (alive, mut all_ended) = mpsc::channel::<Infallible>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = look.tick() => {
                shared.connections.end_overdue();
                continue;
            }
            // The server itself may have been dropped: that is a stop as well.
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, address)) = accepted else {
            shared.connections.end_idlest();
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(registered) = register(&shared).await else { continue };
        // An address of the old protocol that came through a socket of the new one is the old one.
        let link = Link { address: address.ip().to_canonical(), is_secure: tls.is_some() };
        let (shared, builder, tls) = (shared.clone(), builder.clone(), tls.clone());
        let alive = alive.clone();
        tokio::spawn(async move {
            let connections = &shared.dispatcher.metrics.connections;
            connections.fetch_add(1, Ordering::Relaxed);
            open(stream, tls, &registered, &shared, &builder, link).await;
            connections.fetch_sub(1, Ordering::Relaxed);
            drop((registered, alive));
        });
    }
    drop((listener, alive));
    loop {
        tokio::select! {
            _ = all_ended.recv() => return,
            _ = look.tick() => shared.connections.end_overdue(),
        }
    }
}

// What is closed for a new connection needs a moment to go; meanwhile others wait to be accepted.
async fn register(shared: &Shared) -> Option<Registered> {
    for _ in 0..REGISTER_TRIES_MAX {
        if let Some(registered) = shared.connections.take() {
            return Some(registered);
        }
        tokio::time::sleep(REGISTER_PAUSE).await;
    }
    None
}

fn builder(shared: &Shared) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.options.read_timeout.max(shared.options.idle_timeout))
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(Some(shared.options.read_timeout));
    builder
}

async fn open(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    registered: &Registered,
    shared: &Arc<Shared>,
    builder: &Builder<TokioExecutor>,
    link: Link,
) {
    // Answers are small: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve(stream, registered, shared, builder, link).await;
    };
    let handshake = timeout(shared.options.read_timeout, tls.accept(stream));
    let stream = tokio::select! {
        stream = handshake => stream,
        _ = registered.connection.ended() => return,
    };
    if let Ok(Ok(stream)) = stream {
        serve(stream, registered, shared, builder, link).await;
    }
}

async fn serve<S>(
    stream: S,
    registered: &Registered,
    shared: &Arc<Shared>,
    builder: &Builder<TokioExecutor>,
    link: Link,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let registered = &registered.connection;
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (shared, connection) = (shared.clone(), registered.clone());
        let busy = connection.request();
        async move {
            let answer = drive::answer(&shared, link, &connection, request).await;
            drop(busy);
            Ok::<_, Infallible>(answer)
        }
    });
    let stream = TokioIo::new(Metered::new(stream, registered.clone()));
    let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
    let mut stopping = shared.stopping.clone();
    // What the channel hands out must not be held while something is waited for.
    let stopped = async { stopping.wait_for(|stop| *stop).await.is_ok() };
    // A broken connection concerns the caller alone, who is gone.
    let end = tokio::select! {
        _ = connection.as_mut() => None,
        end = registered.ended() => Some(end),
        _ = stopped => Some(End::Finish),
    };
    match end {
        None | Some(End::Cut) => {}
        Some(End::Close) => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(CLOSE_PATIENCE, connection).await;
        }
        Some(End::Finish) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection => {}
                _ = registered.ended() => {}
            }
        }
    }
    if let Some(socket) = registered.socket() {
        // A task that failed has failed for this connection alone.
        let _failed = socket.await;
    }
}
