//! Making one connection: look up the name, check every address, connect, encrypt.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};

use super::endpoint::Host;
use super::outcome::Failure;
use super::reach::Reach;
use super::resolve::Resolver;
use super::tls::Trust;

/// Makes connections for the pool.
#[derive(Clone)]
pub(super) struct Connector(Arc<Shared>);

pub(super) struct Shared {
    pub resolver: Resolver,
    pub reach: Reach,
    pub trust: Trust,
    /// Time for the look-up, the connection and the encryption together.
    pub timeout: Duration,
    /// One permit a connection, idle ones included.
    pub connections: Arc<Semaphore>,
}

/// Why no connection was made, for [`super::client`] to take out of the pool's own error.
#[derive(Debug)]
pub(super) struct ConnectError(pub Failure);

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ConnectError {}

impl Connector {
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<Stream>, ConnectError> {
        let shared = &self.0;
        match timeout(shared.timeout, shared.open(&uri)).await {
            Ok(made) => made.map(TokioIo::new).map_err(ConnectError),
            Err(_) => Err(ConnectError(Failure::Connection(format!(
                "not made within {} ms",
                shared.timeout.as_millis()
            )))),
        }
    }
}

impl Shared {
    async fn open(&self, uri: &Uri) -> Result<Stream, Failure> {
        let host = Host::of(uri).map_err(|error| Failure::Request(error.message().to_owned()))?;
        let failed = |why: String| Failure::Connection(format!("{}: {why}", host.name));
        let end = Instant::now() + self.timeout;
        let addresses = self.resolver.addresses(&host.name, host.port).await.map_err(failed)?;
        let allowed = self.allowed(&host, &addresses)?;
        let permit = self.connections.clone().acquire_owned().await;
        let permit = permit.map_err(|closed| failed(closed.to_string()))?;
        let stream = connect(&allowed, end).await.map_err(|error| failed(error.to_string()))?;
        // A delivery is written in one piece: waiting to fill a packet would only delay it.
        let _ = stream.set_nodelay(true);
        let wire = if host.is_tls {
            let config = self.trust.config().map_err(failed)?;
            let name = ServerName::try_from(host.name.clone());
            let name = name.map_err(|error| failed(error.to_string()))?;
            let encrypted = TlsConnector::from(config).connect(name, stream).await;
            let encrypted = encrypted.map_err(|error| failed(format!("TLS: {error}")))?;
            Wire::Encrypted(Box::new(encrypted))
        } else {
            Wire::Plain(stream)
        };
        Ok(Stream { wire, used: Used::default(), _permit: permit })
    }

    /// The addresses that may be reached; an error when there are others only.
    fn allowed(&self, host: &Host, addresses: &[SocketAddr]) -> Result<Vec<SocketAddr>, Failure> {
        let is_allowed = |address: &&SocketAddr| self.reach.allows(address.ip());
        let allowed: Vec<_> = addresses.iter().filter(is_allowed).copied().collect();
        match (allowed.is_empty(), addresses.first()) {
            (false, _) => Ok(allowed),
            (true, Some(refused)) => {
                Err(Failure::Forbidden(format!("{} is {}", host.name, refused.ip())))
            }
            (true, None) => {
                Err(Failure::Connection(format!("{}: the name has no address", host.name)))
            }
        }
    }
}

/// Tries one address after the other, each for its share of the time that is left.
async fn connect(addresses: &[SocketAddr], end: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the name has no address");
    for (number, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / (addresses.len() - number) as u32;
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no answer from the network"),
        }
    }
    Err(last)
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection; it counts for as long as it is open.
pub(super) struct Stream {
    wire: Wire,
    used: Used,
    _permit: OwnedSemaphorePermit,
}

enum Wire {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.used.clone())
    }
}

/// Whether a connection has carried an answer: then it may be closed by an endpoint that was idle.
#[derive(Clone, Default)]
pub(super) struct Used(Arc<AtomicBool>);

impl Used {
    pub fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! on_wire {
    ($self:ident, $wire:ident => $call:expr) => {
        match &mut $self.get_mut().wire {
            Wire::Plain(stream) => {
                let $wire = Pin::new(stream);
                $call
            }
            Wire::Encrypted(stream) => {
                let $wire = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_wire!(self, wire => wire.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_wire!(self, wire => wire.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_wire!(self, wire => wire.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_wire!(self, wire => wire.poll_shutdown(cx))
    }
}
