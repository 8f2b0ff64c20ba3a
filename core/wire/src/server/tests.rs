//! Limits of the server that are too large to be reached from outside in a test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_engine::{Engine, OpenOptions, Outgoing, QUEUE, ResourceName, standard_queue};

use super::{Options, Server};
use crate::auth::Mode;
use crate::detect::ServiceInfo;
use crate::dispatch::{Call, ControlPlane, Dispatcher};
use crate::value::Value;
use crate::{WireError, error};

struct Nothing;

impl ControlPlane for Nothing {
    fn call(&self, _call: &Call, _input: Value) -> error::Result<Value> {
        Err(WireError::internal("There is no control plane here."))
    }

    fn model(&self, _service: &str) -> Result<Vec<u8>, String> {
        Err("there are no models here".to_owned())
    }

    fn reset(&self) {}
}

const ROOM: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

/// A server whose large bodies may take one mebibyte, and the engine behind it with a queue `q`.
fn serve() -> (Server, Arc<Engine>) {
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let name = |part: &str| part.to_owned();
    let name = ResourceName::new(QUEUE, name("000000000000"), name("us-east-1"), name("q"));
    engine.create_queue(name, standard_queue(), b"").unwrap();
    let sqs = ServiceInfo {
        name: "sqs".to_owned(),
        target_prefix: Some("AmazonSQS".to_owned()),
        ..ServiceInfo::default()
    };
    let dispatcher = Dispatcher::new(engine.clone(), Arc::new(Nothing), vec![sqs], Mode::Parse);
    let mut options = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    options.bodies_bytes_max = ROOM;
    (Server::start(Arc::new(dispatcher), options).unwrap(), engine)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn head(operation: &str, length: usize) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: AmazonSQS.{operation}\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

fn status(stream: &mut TcpStream) -> String {
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    String::from_utf8_lossy(&start[9..]).into_owned()
}

fn send(server: &Server, body_bytes: usize) -> String {
    let mut stream = connect(server);
    let padding = "x".repeat(body_bytes);
    let body = format!("{{\"QueueUrl\":\"q\",\"MessageBody\":\"{padding}\"}}");
    // The server may close in the middle, with its answer on the way.
    drop(stream.write_all(&[head("SendMessage", body.len()), body.into_bytes()].concat()));
    status(&mut stream)
}

fn eventually(what: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

#[test]
fn bodies_that_are_held_half_sent_leave_no_room_until_they_go() {
    let (server, _engine) = serve();
    let hold = || {
        let mut held = connect(&server);
        held.write_all(&head("SendMessage", ROOM)).unwrap();
        held.write_all(&vec![b'x'; ROOM - 100_000]).unwrap();
        held
    };
    // Whichever of the two grows last is refused; when it is the one that holds, it tries again.
    let held = std::cell::RefCell::new(hold());
    assert!(eventually(|| {
        let is_refused = send(&server, 200_000) == "503";
        if !is_refused {
            held.replace(hold());
        }
        is_refused
    }));
    // A small body needs no room.
    assert_eq!(send(&server, 1_000), "200");
    drop(held);
    assert!(eventually(|| send(&server, 200_000) == "200"));
}

#[test]
fn answers_that_nobody_reads_leave_no_room_until_they_go() {
    let (server, engine) = serve();
    let name = ResourceName::new(QUEUE, "000000000000", "us-east-1", "q");
    let queue = engine.find_queue(&name).unwrap().unwrap();
    let body = vec![b'x'; ROOM - 1_000];
    for _ in 0..10 {
        queue.send(&Outgoing { body: &body, ..Outgoing::default() }).unwrap();
    }
    let mut deaf = connect(&server);
    let ask = b"{\"QueueUrl\":\"q\",\"MaxNumberOfMessages\":10}";
    deaf.write_all(&[head("ReceiveMessage", ask.len()), ask.to_vec()].concat()).unwrap();
    assert!(eventually(|| send(&server, 1_000) == "503"));
    drop(deaf);
    assert!(eventually(|| send(&server, 1_000) == "200"));
}

#[test]
fn where_signatures_are_proved_only_this_machine_may_reset() {
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let mode = Mode::Strict(Default::default());
    let dispatcher = Dispatcher::new(engine, Arc::new(Nothing), Vec::new(), mode);
    let headers = http::HeaderMap::new();
    let ask = |method, path, peer: Option<[u8; 4]>| {
        let request = crate::message::Request {
            method,
            path,
            query: "",
            headers: &headers,
            body: b"",
            peer: peer.map(Into::into),
        };
        dispatcher.call(&request, "http://a", &|| false).status
    };
    for (method, path) in [("POST", "/_trunkline/reset"), ("GET", "/_aws/sqs/messages")] {
        assert_eq!(ask(method, path, Some([192, 0, 2, 1])), 403, "{path}");
    }
    assert_eq!(ask("GET", "/_trunkline/health", Some([192, 0, 2, 1])), 200);
    assert_eq!(ask("POST", "/_trunkline/reset", Some([127, 0, 0, 1])), 200);
    assert_eq!(ask("POST", "/_trunkline/reset", None), 200);
}
