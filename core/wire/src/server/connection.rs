//! Accepting connections and serving requests on them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Shared;
use super::drive::{self, Peer};

/// Largest head of a request. AWS refuses above 16 KiB; tokens of temporary credentials are long.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 1_024;
/// Pause after a failed accept: the process is out of descriptors, and some will be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until the server stops, then waits for the connections to finish.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder(&shared));
    let mut stopping = shared.stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The server itself may have been dropped: that is a stop as well.
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(_) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = shared.connections.clone().try_acquire_owned() else { continue };
        // Answers are small: waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let (shared, builder) = (shared.clone(), builder.clone());
        let watcher = graceful.watcher();
        let tls = tls.clone();
        // An address of the old protocol that came through a socket of the new one is the old one.
        let address = address.ip().to_canonical();
        tokio::spawn(async move {
            let connections = &shared.dispatcher.metrics.connections;
            connections.fetch_add(1, Ordering::Relaxed);
            match tls {
                None => {
                    serve(stream, Peer { scheme: "http", address }, &shared, &builder, watcher)
                        .await
                }
                Some(tls) => {
                    let handshake = tls.accept(stream);
                    let done = tokio::time::timeout(shared.options.read_timeout, handshake).await;
                    if let Ok(Ok(stream)) = done {
                        serve(
                            stream,
                            Peer { scheme: "https", address },
                            &shared,
                            &builder,
                            watcher,
                        )
                        .await;
                    }
                }
            }
            connections.fetch_sub(1, Ordering::Relaxed);
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn builder(shared: &Shared) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.options.read_timeout)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(Some(shared.options.read_timeout));
    builder
}

async fn serve<S>(
    stream: S,
    peer: Peer,
    shared: &Arc<Shared>,
    builder: &Builder<TokioExecutor>,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(drive::answer(&shared, peer, request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A broken connection is the caller's matter; there is nobody to tell.
    let _ = watcher.watch(connection).await;
}
