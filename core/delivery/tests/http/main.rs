//! The HTTP client against real servers on loopback, most of them hostile.
#![allow(clippy::unwrap_used)]

mod crowd;
mod server;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use server::{OK, Server, attempt, begin, client, client_with, ended, send, send_unanswered};
use trunkline_delivery::{Attempt, Endpoint, Failure, Outcome, Reach, Resolve, RetryAfter};

fn is_timed_out(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Transient { why: Failure::TimedOut, .. })
}

fn is_broken(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Transient { why: Failure::Protocol(_), .. })
}

#[test]
fn a_delivery_arrives_whole_and_its_connection_is_used_again() {
    let server = Server::answering(OK);
    let client = client();
    for _ in 0..3 {
        let mut attempt = attempt(&server.url());
        let kind = HeaderValue::from_static("Notification");
        attempt.headers.insert("x-amz-sns-message-type", kind);
        let Outcome::Delivered(response) = ended(&begin(&client, attempt)) else { panic!() };
        assert_eq!(
            (response.status, &response.body[..], response.is_cut),
            (200, &b"ok"[..], false)
        );
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    let requests = server.requests.lock().unwrap();
    let expected = format!(
        "POST /hook HTTP/1.1\r\nx-amz-sns-message-type: Notification\r\nhost: 127.0.0.1:{}\r\n\
         content-length: 5\r\n\r\nhello",
        server.port
    );
    assert_eq!(*requests, vec![expected; 3]);
}

#[test]
fn framing_headers_of_the_caller_are_left_out() {
    let server = Server::answering(OK);
    let mut attempt = attempt(&server.url());
    for (name, value) in
        [("content-length", "500"), ("transfer-encoding", "chunked"), ("host", "evil.example")]
    {
        attempt.headers.insert(name, HeaderValue::from_static(value));
    }
    assert!(matches!(ended(&begin(&client(), attempt)), Outcome::Delivered(_)));
    let requests = server.requests.lock().unwrap();
    assert!(requests[0].contains("content-length: 5\r\n"), "{}", requests[0]);
    assert!(!requests[0].contains("chunked") && !requests[0].contains("evil"));
}

#[test]
fn header_lines_and_methods_that_cannot_be_sent_are_refused_by_name() {
    let endpoint = Endpoint::parse("http://localhost/").unwrap();
    let line = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for (method, headers, named) in [
        ("PO ST", vec![], "PO ST"),
        ("POST", line("x evil", "1"), "x evil"),
        ("POST", line("x-evil", "1\r\nx: 2"), "x-evil"),
    ] {
        let time = Duration::from_secs(1);
        let error = Attempt::new(endpoint.clone(), method, &headers, "body", time).unwrap_err();
        assert!(error.message().contains(named), "{error}");
    }
    let two = [line("x-one", "1"), line("x-one", "2")].concat();
    let attempt = Attempt::new(endpoint, "PUT", &two, "body", Duration::from_secs(1)).unwrap();
    assert_eq!((attempt.method, attempt.headers.len()), (Method::PUT, 2));
}

#[test]
fn a_server_that_never_answers_times_out() {
    let server = Server::start(|connection, _| connection.hang());
    let start = Instant::now();
    assert!(is_timed_out(&send_unanswered(&client(), &server.url())));
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn an_answer_that_drips_is_cut_off_by_the_total_time() {
    for head in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"] {
        let server = Server::start(move |connection, _| {
            connection.read_request();
            connection.write(head.as_bytes());
            while connection.write(b"x") {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        assert!(is_timed_out(&send_unanswered(&client(), &server.url())), "{head}");
    }
}

#[test]
fn a_flood_of_body_is_read_up_to_the_bound_and_hung_up_on() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let server = Server::start(move |connection, _| {
        connection.read_request();
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        while connection.write(&[b'x'; 65_536]) {
            count.fetch_add(65_536, Ordering::SeqCst);
        }
    });
    let client = client_with(|options| options.response_bytes_max = 1_000);
    let Outcome::Delivered(response) = send(&client, &server.url()) else { panic!() };
    assert_eq!((response.body.len(), response.is_cut), (1_000, true));
    assert!(written.load(Ordering::SeqCst) < 100_000_000, "it was read on");
}

#[test]
fn a_flood_of_header_lines_is_refused() {
    let server = Server::start(|connection, _| {
        connection.read_request();
        connection.write(b"HTTP/1.1 200 OK\r\n");
        while connection.write(b"X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
        {
        }
    });
    let outcome = send(&client(), &server.url());
    assert!(is_broken(&outcome), "{outcome:?}");
    let long = Server::start(|connection, _| {
        connection.read_request();
        connection.write(b"HTTP/1.1 200 OK\r\nX-Flood: ");
        while connection.write(&[b'a'; 65_536]) {}
    });
    let outcome = send(&client(), &long.url());
    assert!(is_broken(&outcome), "{outcome:?}");
}

#[test]
fn garbage_and_closed_connections_are_failures_that_may_pass() {
    for answer in ["", "garbage\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le"] {
        let server = Server::start(move |connection, _| {
            connection.read_request();
            connection.write(answer.as_bytes());
        });
        let outcome = send(&client(), &server.url());
        assert!(is_broken(&outcome), "{answer}: {outcome:?}");
        assert_eq!(server.seen(), 1, "{answer}: sent twice in one attempt");
    }
}

#[test]
fn a_body_that_ends_early_is_no_success() {
    let server = Server::start(|connection, _| {
        connection.read_request();
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    let outcome = send(&client(), &server.url());
    assert!(is_broken(&outcome), "{outcome:?}");
}

#[test]
fn an_idle_connection_that_the_server_closes_costs_no_attempt() {
    let server = Server::start(|connection, _| {
        // One answer, which promises to keep the connection; the next request gets none.
        if connection.read_request() {
            connection.write(OK.as_bytes());
            connection.read_request();
        }
    });
    let client = client();
    for _ in 0..4 {
        let outcome = send(&client, &server.url());
        assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
    }
}

#[test]
fn a_redirect_to_loopback_is_refused_and_not_followed() {
    let target = Server::answering(OK);
    let answer =
        format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", target.url());
    let server = Server::answering(answer);
    let Outcome::Permanent { why } = send(&client(), &server.url()) else { panic!() };
    assert!(why.to_string().contains("redirect"), "{why}");
    assert_eq!(target.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn retry_after_comes_with_the_failure() {
    let answer = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy";
    let outcome = send(&client(), &Server::answering(answer).url());
    let Outcome::Transient { why: Failure::Status(response), retry_after } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((response.status, &response.body[..]), (503, &b"busy"[..]));
    assert_eq!(retry_after, Some(RetryAfter::In(7_000)));
}

#[test]
fn a_port_without_a_listener_is_a_failure_that_may_pass() {
    // The port of one end of a connection: nothing listens there, and no other test gets it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let caller = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let port = caller.local_addr().unwrap().port();
    let outcome = send(&client(), &format!("http://127.0.0.1:{port}/"));
    assert!(
        matches!(outcome, Outcome::Transient { why: Failure::Connection(_), .. }),
        "{outcome:?}"
    );
}

/// Gives a harmless address at the first look-up and another one afterwards.
struct Rebinding {
    asked: AtomicUsize,
    first: SocketAddr,
    later: Vec<SocketAddr>,
}

impl Resolve for Rebinding {
    fn resolve(&self, _: &str, _: u16) -> std::io::Result<Vec<SocketAddr>> {
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(vec![self.first]),
            _ => Ok(self.later.clone()),
        }
    }
}

fn rebinding(asked: usize, first: SocketAddr, later: &[&str]) -> Arc<Rebinding> {
    let later = later.iter().map(|address| address.parse().unwrap()).collect();
    Arc::new(Rebinding { asked: AtomicUsize::new(asked), first, later })
}

#[test]
fn a_name_that_stands_for_a_metadata_service_is_refused_when_it_is_connected_to() {
    let server = Server::answering(OK);
    let here = SocketAddr::from(([127, 0, 0, 1], server.port));
    for later in ["169.254.169.254:80", "[fe80::1]:80", "[fd00:ec2::254]:80", "[::ffff:a9fe:1]:80"]
    {
        let client = client_with(|options| options.resolver = rebinding(1, here, &[later]));
        let outcome = send(&client, "http://rebinding.example/latest/meta-data");
        let Outcome::Permanent { why: Failure::Forbidden(why) } = outcome else {
            panic!("{later}: {outcome:?}")
        };
        assert!(why.contains("rebinding.example"), "{why}");
    }
    // Of several addresses those that may be reached are used.
    let both = ["169.254.169.254:80".to_owned(), here.to_string()];
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    let client = client_with(|options| options.resolver = rebinding(1, here, &both));
    assert!(matches!(send(&client, "http://rebinding.example/"), Outcome::Delivered(_)));
}

#[test]
fn loopback_is_refused_where_only_public_addresses_may_be_reached() {
    let server = Server::answering(OK);
    let client = client_with(|options| options.reach = Reach::PublicOnly);
    for host in ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1"] {
        let outcome = send(&client, &format!("http://{host}:{}/", server.port));
        assert!(
            matches!(outcome, Outcome::Permanent { why: Failure::Forbidden(_) }),
            "{host}: {outcome:?}"
        );
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn a_metadata_service_in_any_spelling_of_its_address_is_refused() {
    for host in ["169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]"] {
        let outcome = send(&client(), &format!("http://{host}/latest/meta-data"));
        assert!(
            matches!(outcome, Outcome::Permanent { why: Failure::Forbidden(_) }),
            "{host}: {outcome:?}"
        );
    }
}

#[test]
fn a_task_runs_after_its_delay_and_not_when_the_client_is_closed() {
    let client = client();
    let (told, ran) = std::sync::mpsc::channel();
    let start = Instant::now();
    client.run_after(Duration::from_millis(30), move || told.send(()).unwrap_or_default());
    ran.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(30));
    let (told, ran) = std::sync::mpsc::channel();
    client.run_after(Duration::from_millis(30), move || told.send(()).unwrap_or_default());
    client.close();
    assert!(ran.recv_timeout(Duration::from_secs(10)).is_err(), "dropped with the client");
}

#[test]
fn closing_a_client_drops_what_runs_and_refuses_what_comes() {
    let server = Server::start(|connection, _| connection.hang());
    let client = client();
    let running = begin(&client, attempt(&server.url()));
    client.close();
    assert!(running.recv_timeout(Duration::from_secs(5)).is_err(), "dropped without an outcome");
    let later = begin(&client, attempt(&server.url()));
    assert!(later.recv_timeout(Duration::from_secs(5)).is_err());
    let slot = client.slot(&Endpoint::parse(&server.url()).unwrap());
    assert!(slot.is_ok(), "slots are given back");
}
