//! Limits of the server that are too large to be reached from outside in a test.

use std::io::{self, Read, Write};
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

    fn reset(&self, _: bool) {}
}

const MEMORY: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(60);
/// A time-out of the server that fits a test, and what a pause of the machine may add to it.
const SHORT: Duration = Duration::from_millis(300);
const SHORT_AT_MOST: Duration = Duration::from_secs(30);

fn dispatcher(mode: Mode) -> (Arc<Dispatcher>, Arc<Engine>) {
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    engine.create_queue(queue_name(), standard_queue(), b"").unwrap();
    let sqs = ServiceInfo {
        name: "sqs".to_owned(),
        target_prefix: Some("AmazonSQS".to_owned()),
        ..ServiceInfo::default()
    };
    let dispatcher = Dispatcher::new(engine.clone(), Arc::new(Nothing), vec![sqs], mode);
    (Arc::new(dispatcher), engine)
}

fn queue_name() -> ResourceName {
    ResourceName::new(QUEUE, "000000000000", "us-east-1", "q")
}

fn options() -> Options {
    let mut options = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    options.bodies_bytes_max = MEMORY;
    options
}

/// A server that may hold one mebibyte, and the engine behind it with a queue `q`.
fn serve(change: impl FnOnce(&mut Options)) -> (Server, Arc<Engine>) {
    let (dispatcher, engine) = dispatcher(Mode::Parse);
    let mut options = options();
    change(&mut options);
    (Server::start(dispatcher, options).unwrap(), engine)
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
    try_status(stream).unwrap()
}

fn try_status(stream: &mut TcpStream) -> io::Result<String> {
    let mut start = [0; 12];
    stream.read_exact(&mut start)?;
    Ok(String::from_utf8_lossy(&start[9..]).into_owned())
}

fn send(server: &Server, body_bytes: usize) -> String {
    let mut stream = connect(server);
    let padding = "x".repeat(body_bytes);
    let body = format!("{{\"QueueUrl\":\"q\",\"MessageBody\":\"{padding}\"}}");
    // The server may close in the middle of the body, with its answer on the way. What it has not
    // read of the body then may reset the connection before the answer is read.
    drop(stream.write_all(&[head("SendMessage", body.len()), body.into_bytes()].concat()));
    match try_status(&mut stream) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => "reset".to_owned(),
        status => status.unwrap(),
    }
}

fn eventually(mut what: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

const HEALTH: &[u8] = b"GET /_trunkline/health HTTP/1.1\r\nHost: a\r\n\r\n";

fn health(server: &Server) -> String {
    let mut stream = connect(server);
    stream.write_all(HEALTH).unwrap();
    status(&mut stream)
}

/// Reads until the server closes the connection.
fn await_close(stream: &mut TcpStream) {
    // A reset is an end as well.
    drop(stream.read_to_end(&mut Vec::new()));
}

#[test]
fn bodies_that_are_held_half_sent_leave_no_memory_until_they_go() {
    let (server, _engine) = serve(|_| ());
    let hold = || {
        let mut held = connect(&server);
        held.write_all(&head("SendMessage", MEMORY)).unwrap();
        held.write_all(&vec![b'x'; MEMORY - 100_000]).unwrap();
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
    assert_eq!(send(&server, 1_000), "200");
    assert_eq!(health(&server), "200");
    // What holds memory while it is short, and sends nothing more, is let go.
    assert!(eventually(|| send(&server, 200_000) == "200"));
}

#[test]
fn small_bodies_that_are_held_count_as_well() {
    let (server, _engine) = serve(|_| ());
    let hold = || {
        let mut held = connect(&server);
        held.write_all(&head("SendMessage", 60_000)).unwrap();
        held.write_all(&vec![b'x'; 50_000]).unwrap();
        held
    };
    let held: Vec<TcpStream> = (0..25).map(|_| hold()).collect();
    assert!(eventually(|| send(&server, 150_000) == "503"));
    assert_eq!(health(&server), "200");
    drop(held);
    assert!(eventually(|| send(&server, 150_000) == "200"));
}

#[test]
fn answers_that_are_not_read_are_cut_off() {
    let (server, engine) = serve(|_| ());
    let queue = engine.find_queue(&queue_name()).unwrap().unwrap();
    let body = vec![b'x'; MEMORY - 1_000];
    let ask_and_read_nothing = || {
        queue.purge().unwrap();
        for _ in 0..10 {
            queue.send(&Outgoing { body: &body, ..Outgoing::default() }).unwrap();
        }
        let mut deaf = connect(&server);
        let ask = b"{\"QueueUrl\":\"q\",\"MaxNumberOfMessages\":10}";
        deaf.write_all(&[head("ReceiveMessage", ask.len()), ask.to_vec()].concat()).unwrap();
        deaf
    };
    let mut deaf = ask_and_read_nothing();
    let mut rounds = 0..;
    let mut is_refused = || {
        // It may have been cut off before this looked.
        if rounds.next().is_some_and(|round| round % 500 == 499) {
            deaf = ask_and_read_nothing();
        }
        send(&server, 1_000) == "503"
    };
    assert!(eventually(&mut is_refused));
    assert_eq!(health(&server), "200");
    // Memory is short, so two seconds are enough; the caller is still there.
    assert!(eventually(|| send(&server, 1_000) == "200"));
    drop(deaf);
}

#[test]
fn a_reader_that_is_too_slow_is_cut_off_although_there_is_memory() {
    let (server, engine) = serve(|options| {
        options.write_timeout = SHORT;
        options.bodies_bytes_max = 1 << 30;
    });
    let queue = engine.find_queue(&queue_name()).unwrap().unwrap();
    let body = vec![b'x'; MEMORY];
    for _ in 0..10 {
        queue.send(&Outgoing { body: &body, ..Outgoing::default() }).unwrap();
    }
    let mut slow = connect(&server);
    let ask = b"{\"QueueUrl\":\"q\",\"MaxNumberOfMessages\":10}";
    slow.write_all(&[head("ReceiveMessage", ask.len()), ask.to_vec()].concat()).unwrap();
    let connection = server.shared.connections.clone();
    assert!(eventually(|| connection.count_unread() > 0));
    assert!(!server.shared.memory.is_short());
    // 10 MiB may take 320 s and 300 ms; time is made up by looking from later on.
    connection.end_overdue_at(tokio::time::Instant::now() + Duration::from_secs(300));
    assert!(connection.count_unread() > 0);
    connection.end_overdue_at(tokio::time::Instant::now() + Duration::from_secs(400));
    assert!(eventually(|| connection.count_unread() == 0));
}

#[test]
fn a_connection_that_sends_nothing_or_half_of_something_is_closed() {
    let (server, _engine) = serve(|options| options.read_timeout = SHORT);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let whole = [preface.as_slice(), &settings].concat();
    let half_frame = [&whole[..], &[0, 0, 99, 1, 4, 0, 0, 0, 1, 0x82]].concat();
    for sent in [b"".as_slice(), b"P", &preface[..10], preface, &whole, &half_frame, b"GET / HT"] {
        let began = Instant::now();
        let mut stream = connect(&server);
        stream.write_all(sent).unwrap();
        await_close(&mut stream);
        let time = began.elapsed();
        assert!((SHORT..SHORT_AT_MOST).contains(&time), "{sent:?} {time:?}");
    }
}

#[test]
fn an_idle_connection_is_closed_and_half_a_second_request_does_not_keep_it() {
    let (server, _engine) = serve(|options| options.idle_timeout = SHORT);
    for more in [b"".as_slice(), b"GET / HTTP/1.1\r\nHo"] {
        let began = Instant::now();
        let mut stream = connect(&server);
        stream.write_all(&[HEALTH, more].concat()).unwrap();
        assert_eq!(status(&mut stream), "200");
        await_close(&mut stream);
        let time = began.elapsed();
        assert!((SHORT..SHORT_AT_MOST).contains(&time), "{time:?}");
    }
}

#[test]
fn at_the_bound_the_oldest_idle_connection_makes_place() {
    let (server, _engine) = serve(|options| {
        options.connections_max = 3;
        options.read_timeout = PATIENCE;
    });
    let mut silent: Vec<TcpStream> = (0..50)
        .map(|_| {
            let stream = connect(&server);
            assert!(eventually(|| server.shared.connections.count() > 0));
            stream
        })
        .collect();
    assert_eq!(health(&server), "200");
    let began = Instant::now();
    await_close(&mut silent[0]);
    assert!(began.elapsed() < SHORT_AT_MOST);
}

#[test]
fn where_all_connections_are_busy_there_is_still_an_answer_about_health() {
    let (server, _engine) = serve(|options| options.connections_max = 3);
    let ask = b"{\"QueueUrl\":\"q\",\"WaitTimeSeconds\":20}";
    let polls: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(&[head("ReceiveMessage", ask.len()), ask.to_vec()].concat()).unwrap();
            stream
        })
        .collect();
    assert!(eventually(|| server.shared.connections.count_busy() == 3));
    assert_eq!(health(&server), "200");
    assert_eq!(send(&server, 10), "503");
    drop(polls);
    assert!(eventually(|| send(&server, 10) == "200"));
}

/// The status of a request for `path` with these headers.
fn ask(server: &Server, method: &str, path: &str, headers: &[&str]) -> String {
    let mut stream = connect(server);
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let request = format!("{method} {path} HTTP/1.1\r\n{headers}Content-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    status(&mut stream)
}

const RESET: &str = "/_trunkline/reset";

#[test]
fn the_operators_paths_need_a_token_where_an_address_proves_nothing() {
    let (plain, _engine) = serve(|_| ());
    assert_eq!(ask(&plain, "POST", RESET, &["Host: localhost"]), "200");
    for proxy in ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 proxy"] {
        assert_eq!(ask(&plain, "POST", RESET, &["Host: localhost", proxy]), "403", "{proxy}");
    }
    let with_token = |options: &mut Options| options.admin_token = Some("secret".to_owned());
    let beyond = |options: &mut Options| options.address = ([0, 0, 0, 0], 0).into();
    let (open, _engine) = serve(beyond);
    let (open_with_token, _engine) = serve(|options| {
        beyond(options);
        with_token(options);
    });
    let (strict, _engine) = dispatcher(Mode::Strict(Default::default()));
    let mut strict_options = options();
    let strict_bare = Server::start(strict.clone(), strict_options.clone()).unwrap();
    with_token(&mut strict_options);
    let strict_with_token = Server::start(strict, strict_options).unwrap();
    let (right, wrong) = ("Authorization: Bearer secret", "Authorization: Bearer secret2");
    for path in [RESET, "/moto-api/reset", "/_localstack/state/reset"] {
        for server in [&open, &strict_bare] {
            assert_eq!(ask(server, "POST", path, &["Host: localhost"]), "403", "{path}");
            assert_eq!(ask(server, "POST", path, &["Host: localhost", right]), "403", "{path}");
        }
        for server in [&open_with_token, &strict_with_token] {
            assert_eq!(ask(server, "POST", path, &["Host: localhost"]), "403", "{path}");
            assert_eq!(ask(server, "POST", path, &["Host: localhost", wrong]), "403", "{path}");
            assert_eq!(ask(server, "POST", path, &["Host: localhost", right]), "200", "{path}");
            let other = "X-Trunkline-Token: secret";
            assert_eq!(ask(server, "POST", path, &["Host: localhost", other]), "200", "{path}");
        }
    }
    for server in [&plain, &open, &open_with_token, &strict_bare, &strict_with_token] {
        assert_eq!(ask(server, "GET", "/_trunkline/health", &["Host: any.example"]), "200");
    }
}

#[test]
fn a_strangers_page_drives_nothing() {
    let (server, _engine) = serve(|_| ());
    for header in [
        "Origin: https://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: nonsense",
        "Referer: https://evil.example/page",
        "Referer: nonsense",
        // Other pages of this machine may call services, and not the operator's paths.
        "Origin: http://localhost:3000",
        "Sec-Fetch-Site: same-site",
        "Referer: http://localhost:3000/page",
    ] {
        assert_eq!(ask(&server, "POST", RESET, &["Host: localhost", header]), "403", "{header}");
    }
    for header in [
        "Origin: http://localhost",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Site: none",
        "User-Agent: curl/8",
    ] {
        assert_eq!(ask(&server, "POST", RESET, &["Host: localhost", header]), "200", "{header}");
    }
    assert_eq!(ask(&server, "POST", RESET, &["Host: evil.example"]), "403");
    assert_eq!(ask(&server, "POST", RESET, &["Host: a.test", "Sec-Fetch-Site: same-site"]), "403");
}
