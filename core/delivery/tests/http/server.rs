//! Real servers on loopback, each misbehaving in its own way. A server is a function that gets each
//! connection on a thread of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use trunkline_delivery::{Attempt, Client, ClientOptions, Endpoint, Outcome};

/// A server that runs until the test ends.
pub struct Server {
    pub port: u16,
    pub connections: Arc<AtomicUsize>,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Calls `serve` with each connection and its number, counted from one.
    pub fn start(serve: impl Fn(&mut Connection, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let server = Self { port, connections: connections.clone(), requests };
        let (serve, requests) = (Arc::new(serve), server.requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = connections.fetch_add(1, Ordering::SeqCst) + 1;
                let (serve, requests) = (serve.clone(), requests.clone());
                std::thread::spawn(move || serve(&mut Connection::new(stream, requests), number));
            }
        });
        server
    }

    /// A server that answers every request with `answer`, to the byte.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |connection, _| {
            while connection.read_request() {
                connection.write(&answer);
            }
        })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub fn seen(&self) -> usize {
        self.requests.lock().expect("requests").len()
    }
}

pub struct Connection {
    reader: BufReader<TcpStream>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Connection {
    fn new(stream: TcpStream, requests: Arc<Mutex<Vec<String>>>) -> Self {
        Self { reader: BufReader::new(stream), requests }
    }

    /// Reads one request with its body; false at the end of the connection.
    pub fn read_request(&mut self) -> bool {
        let (mut text, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if !matches!(self.reader.read_line(&mut line), Ok(read) if read > 0) {
                return false;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            text.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        if self.reader.read_exact(&mut body).is_err() {
            return false;
        }
        text.push_str(&String::from_utf8_lossy(&body));
        self.requests.lock().expect("requests").push(text);
        true
    }

    /// Writes; false when the client has hung up.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.reader.get_mut().write_all(bytes).is_ok()
    }

    /// Holds the connection open, without a word, until the client hangs up.
    pub fn hang(&mut self) {
        let mut rest = [0; 1024];
        while matches!(self.reader.read(&mut rest), Ok(read) if read > 0) {}
    }
}

pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A client whose time-outs a machine that pauses does not reach.
pub fn client() -> Client {
    client_with(|_| {})
}

pub fn client_with(change: impl FnOnce(&mut ClientOptions)) -> Client {
    let mut options =
        ClientOptions { connect_timeout: Duration::from_secs(20), ..ClientOptions::default() };
    change(&mut options);
    Client::new(options).expect("a client")
}

pub fn attempt(url: &str) -> Attempt {
    Attempt {
        response_bytes_max: None,
        endpoint: Endpoint::parse(url).expect("a URL"),
        method: Method::POST,
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"hello"),
        timeout: Duration::from_secs(20),
    }
}

/// Sends what is not answered; its time-out fits a test.
pub fn send_unanswered(client: &Client, url: &str) -> Outcome {
    ended(&begin(client, Attempt { timeout: Duration::from_millis(500), ..attempt(url) }))
}

/// Starts an attempt; its outcome comes through the channel.
pub fn begin(client: &Client, attempt: Attempt) -> Receiver<Outcome> {
    let (told, outcome) = channel();
    let slot = client.slot(&attempt.endpoint).expect("a slot");
    client.send(slot, attempt, move |outcome| drop(told.send(outcome)));
    outcome
}

pub fn send(client: &Client, url: &str) -> Outcome {
    ended(&begin(client, attempt(url)))
}

pub fn ended(outcome: &Receiver<Outcome>) -> Outcome {
    outcome.recv_timeout(Duration::from_secs(60)).expect("an attempt that ends")
}
