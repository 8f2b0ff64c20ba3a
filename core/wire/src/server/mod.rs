//! The HTTP server: sockets, limits and time-outs around the dispatcher.

mod body;
mod buffers;
mod connection;
mod connections;
mod descriptors;
mod drive;
mod error;
mod exchange;
mod guard;
mod metered;
mod navigation;
mod notifier;
mod origin;
mod proxy;
mod request_log;
mod respond;
mod settle;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod turn;
mod unread;

pub use origin::Origins;
pub use proxy::TrustedProxies;
pub use request_log::{LogForm, LogLevel};
pub use tls::{Certificate, development_certificate};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::buffers::Buffers;
use self::connections::{Connections, Patience};
use self::request_log::RequestLog;
use crate::dispatch::Dispatcher;
use crate::limits;
use crate::memory::Memory;

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
    /// Names that the server answers to, beside those that no stranger can point at it.
    pub hosts: Vec<String>,
    /// Proxies whose word about a client counts.
    pub proxies: TrustedProxies,
    /// What callers of the operator's paths have to send, where an address is not enough.
    pub admin_token: Option<String>,
    /// Set to write a line for each request of this level to standard output.
    pub request_log: Option<(LogForm, LogLevel)>,
    /// Most connections at once. At this bound the one that has been idle for longest is closed.
    pub connections_max: usize,
    /// Largest body.
    pub body_bytes_max: usize,
    /// Bytes of requests and of answers that may be held at once.
    pub bodies_bytes_max: usize,
    /// Longest time for the first request's head, and for a request's body.
    pub read_timeout: Duration,
    /// Longest time between two requests of a connection.
    pub idle_timeout: Duration,
    /// Longest time until an answer is read, beside what its size allows.
    pub write_timeout: Duration,
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
            hosts: Vec::new(),
            proxies: TrustedProxies::default(),
            admin_token: None,
            request_log: None,
            connections_max: CONNECTIONS_MAX.min(descriptors::available()),
            body_bytes_max: limits::BODY_BYTES_MAX,
            bodies_bytes_max: limits::BODIES_BYTES_MAX,
            read_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
        }
    }
}

/// What all connections share.
struct Shared {
    pub dispatcher: Arc<Dispatcher>,
    pub options: Options,
    pub connections: Arc<Connections>,
    /// Calls of the control plane that run or wait; more are refused.
    pub control: Semaphore,
    /// Requests to APIs that are carried out; others wait.
    pub apis: Semaphore,
    pub stopping: watch::Receiver<bool>,
    pub memory: Arc<Memory>,
    pub buffers: Buffers,
    pub log: Option<RequestLog>,
}

/// Most connections at once, where the process may have as many descriptors.
const CONNECTIONS_MAX: usize = 20_000;
/// Connections that wait to be accepted: thousands of clients may come at the same moment, and one
/// that finds no place tries again a second later. The system may have a lower limit.
const WAITING_CONNECTIONS_MAX: u32 = 4_096;
/// Threads that carry out operations of the control plane.
const CONTROL_THREADS: usize = 8;
/// Calls of the control plane that may wait for such a thread.
const CONTROL_WAITING_MAX: usize = 1_024;

/// Threads that carry out requests to APIs, each for as long as an integration may take. They are
/// apart from those of the control plane, which an integration may call.
const API_THREADS: usize = 32;

/// A server that runs on threads of its own. Dropping it stops it without waiting.
pub struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
    #[cfg(test)]
    shared: Arc<Shared>,
}

impl Server {
    /// Listens and serves. Errors are those of the address and of the certificate.
    pub fn start(dispatcher: Arc<Dispatcher>, options: Options) -> std::io::Result<Self> {
        let acceptor = options.certificate.as_ref().map(tls::acceptor).transpose()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.workers)
            .max_blocking_threads(CONTROL_THREADS + API_THREADS)
            .thread_name("trunkline-wire")
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            listen(options.address)?
        };
        let address = listener.local_addr()?;
        let twin = {
            let _inside = runtime.enter();
            twin_of(address)
        };
        dispatcher.announce(public_address(&options, address));
        let (stop, stopping) = watch::channel(false);
        let log = options.request_log.map(|(form, level)| RequestLog::start(form, level));
        let log = log.transpose()?;
        let memory = Arc::new(Memory::new(options.bodies_bytes_max));
        let patience = Patience {
            new: options.read_timeout,
            idle: options.idle_timeout,
            write: options.write_timeout,
        };
        let connections = Connections::new(options.connections_max, patience, memory.clone());
        let shared = Arc::new(Shared {
            dispatcher,
            connections: Arc::new(connections),
            control: Semaphore::new(CONTROL_WAITING_MAX),
            apis: Semaphore::new(API_THREADS),
            memory,
            buffers: Buffers::default(),
            log,
            options,
            stopping,
        });
        let other = twin
            .map(|twin| runtime.spawn(connection::accept(twin, acceptor.clone(), shared.clone())));
        let accept = connection::accept(listener, acceptor, shared.clone());
        let accepting = runtime.spawn(async move {
            accept.await;
            if let Some(other) = other {
                let _ = other.await;
            }
        });
        Ok(Self {
            runtime: Some(runtime),
            address,
            stop,
            accepting: Some(accepting),
            #[cfg(test)]
            shared,
        })
    }

    /// Where the server listens; the port is a real one even if zero was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, ends long polls, finishes the requests that have started, and closes.
    /// Whether all requests were finished in time.
    pub fn stop(&mut self, patience: Duration) -> bool {
        // No receiver is left when the accept loop has ended by itself.
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

// The first name that the server was given, because other machines know it by that one.
fn public_address(options: &Options, address: SocketAddr) -> String {
    let is_name = |host: &&String| host.as_str() != "*" && host.parse::<IpAddr>().is_err();
    let host = match (options.hosts.iter().find(is_name), address.ip()) {
        (Some(name), _) => name.clone(),
        (None, ip) if ip.is_unspecified() => "localhost".to_owned(),
        (None, IpAddr::V4(ip)) => ip.to_string(),
        (None, IpAddr::V6(ip)) => format!("[{ip}]"),
    };
    let scheme = if options.certificate.is_some() { "https" } else { "http" };
    format!("{scheme}://{host}:{}", address.port())
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

/// The same port of this machine's other loopback address: `localhost` means both, and some clients
/// try that of the new protocol alone. Where there is none, or it is taken, one address serves.
fn twin_of(address: SocketAddr) -> Option<TcpListener> {
    if address.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        return None;
    }
    listen(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port())).ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits for its threads; a server that is thrown away must not.
            runtime.shutdown_background();
        }
    }
}
