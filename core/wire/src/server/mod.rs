//! The HTTP server: sockets, limits and time-outs around the dispatcher.

mod body;
mod connection;
mod cors;
mod drive;
mod memory;
mod notifier;
mod respond;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

pub use cors::Origins;
pub use tls::{Certificate, development_certificate};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::memory::Memory;
use crate::dispatch::Dispatcher;
use crate::limits;

/// How a server listens and what it allows.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen.
    pub address: SocketAddr,
    /// Set to serve over TLS.
    pub certificate: Option<Certificate>,
    /// Web pages that may call.
    pub origins: Origins,
    /// Threads that serve sockets and the data plane.
    pub workers: usize,
    /// Most connections at once; one more is closed at once.
    pub connections_max: usize,
    /// Largest body.
    pub body_bytes_max: usize,
    /// Bytes of large bodies, of requests and of answers, that may be held at once.
    pub bodies_bytes_max: usize,
    /// Longest time for a request's head, and for its body.
    pub read_timeout: Duration,
}

impl Options {
    /// Listens on `address`, with limits for one machine.
    pub fn new(address: SocketAddr) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            address,
            certificate: None,
            origins: Origins::default(),
            workers: cores.clamp(1, 8),
            connections_max: 20_000,
            body_bytes_max: limits::BODY_BYTES_MAX,
            bodies_bytes_max: limits::BODIES_BYTES_MAX,
            read_timeout: Duration::from_secs(30),
        }
    }
}

/// What all connections share.
pub(crate) struct Shared {
    pub dispatcher: Arc<Dispatcher>,
    pub options: Options,
    pub connections: Arc<Semaphore>,
    /// Calls of the control plane that run or wait; more are refused.
    pub control: Semaphore,
    pub stopping: watch::Receiver<bool>,
    pub memory: Arc<Memory>,
}

/// Connections that wait to be accepted: thousands of clients may come at the same moment, and one
/// that finds no place tries again a second later. The system may have a lower limit.
const WAITING_CONNECTIONS_MAX: u32 = 4_096;
/// Threads that carry out operations of the control plane.
const CONTROL_THREADS: usize = 8;
/// Calls of the control plane that may wait for such a thread.
const CONTROL_WAITING_MAX: usize = 1_024;

/// A server that runs on threads of its own. Dropping it stops it without waiting.
pub struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens and serves. Errors are those of the address and of the certificate.
    pub fn start(dispatcher: Arc<Dispatcher>, options: Options) -> std::io::Result<Self> {
        let acceptor = options.certificate.as_ref().map(tls::acceptor).transpose()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.workers)
            .max_blocking_threads(CONTROL_THREADS)
            .thread_name("trunkline-wire")
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            listen(options.address)?
        };
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(Shared {
            dispatcher,
            connections: Arc::new(Semaphore::new(options.connections_max)),
            control: Semaphore::new(CONTROL_WAITING_MAX),
            memory: Arc::new(Memory::new(options.bodies_bytes_max)),
            options,
            stopping,
        });
        let accepting = runtime.spawn(connection::accept(listener, acceptor, shared));
        Ok(Self { runtime: Some(runtime), address, stop, accepting: Some(accepting) })
    }

    /// Where the server listens; the port is a real one even if zero was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, ends long polls, finishes the requests that have started, and closes.
    /// Whether all requests were finished in time.
    pub fn stop(&mut self, patience: Duration) -> bool {
        // Nobody listens any more when the accept loop has ended by itself.
        let _ = self.stop.send(true);
        let (Some(runtime), Some(accepting)) = (self.runtime.take(), self.accepting.take()) else {
            return true;
        };
        let finished =
            runtime.block_on(async { tokio::time::timeout(patience, accepting).await.is_ok() });
        runtime.shutdown_timeout(Duration::from_millis(100));
        finished
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that is started again must not wait for the connections of the last one to fade.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_CONNECTIONS_MAX)
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits for its threads; a server that is thrown away must not.
            runtime.shutdown_background();
        }
    }
}
