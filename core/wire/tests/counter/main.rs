//! A test service goes through the dispatcher and the server like every other: inputs in each
//! protocol, long polls, and streams of events.

#![allow(clippy::unwrap_used)]

mod service;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use service::Counter;
use trunkline_engine::{Engine, OpenOptions};
use trunkline_wire::auth::Mode;
use trunkline_wire::codec::event::Message;
use trunkline_wire::detect::ServiceInfo;
use trunkline_wire::dispatch::{Call, ControlPlane, Dispatcher};
use trunkline_wire::error::Result;
use trunkline_wire::message::{Request, Response};
use trunkline_wire::server::{Options, Server};
use trunkline_wire::{Value, WireError};

struct Models;

impl ControlPlane for Models {
    fn call(&self, _call: &Call, _input: Value) -> Result<Value> {
        Err(WireError::internal("The counter has no control plane."))
    }

    fn model(&self, _service: &str) -> std::result::Result<Vec<u8>, String> {
        Ok(include_bytes!("model.json").to_vec())
    }

    fn reset(&self) {}
}

fn dispatcher() -> (Arc<Dispatcher>, Counter) {
    let engine = Engine::open(OpenOptions::memory()).unwrap();
    let counter = Counter::default();
    let info = ServiceInfo {
        name: "counter".to_owned(),
        target_prefix: Some("Counter".to_owned()),
        api_version: Some("2026-01-01".to_owned()),
        ..ServiceInfo::default()
    };
    let planes: Vec<Arc<dyn trunkline_wire::service::Service>> = vec![Arc::new(counter.clone())];
    let (control, mode) = (Arc::new(Models), Mode::Parse);
    let dispatcher = Dispatcher::with_planes(engine, control, vec![info], planes, mode);
    (Arc::new(dispatcher), counter)
}

fn call(dispatcher: &Dispatcher, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.insert(name, value.parse().unwrap());
    }
    let path = "/";
    let request = Request { method: "POST", path, query: "", headers: &map, body, peer: None };
    dispatcher.call(&request, "http://a", &|| false)
}

fn json(dispatcher: &Dispatcher, operation: &str, body: &str) -> String {
    let target = format!("Counter.{operation}");
    let headers = [("x-amz-target", &*target), ("content-type", "application/x-amz-json-1.1")];
    String::from_utf8(call(dispatcher, &headers, body.as_bytes()).body).unwrap()
}

#[test]
fn an_input_is_read_from_json_forms_and_cbor_alike() {
    let (dispatcher, _) = dispatcher();
    assert_eq!(json(&dispatcher, "Add", "{\"By\":[1,2]}"), "{\"Value\":3}");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = b"Action=Add&Version=2026-01-01&By.member.1=3&By.member.2=4";
    let response = String::from_utf8(call(&dispatcher, &form, body).body).unwrap();
    assert!(response.contains("<Value>10</Value>"), "{response}");
    // {"By": [5]}, with a list of indefinite length.
    let cbor = [("content-type", "application/x-amz-cbor-1.1"), ("x-amz-target", "Counter.Add")];
    let response = call(&dispatcher, &cbor, b"\xa1\x62By\x9f\x05\xff");
    assert_eq!(response.body, b"\xbf\x65Value\x0f\xff");
}

#[test]
fn a_wrong_input_is_refused_in_every_protocol() {
    let (dispatcher, _) = dispatcher();
    assert!(json(&dispatcher, "Add", "{\"By\":[\"x\"]}").contains("SerializationException"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let response = call(&dispatcher, &form, b"Action=Add&Version=2026-01-01&By.member.1=x");
    assert_eq!(response.status, 400);
    let cbor = [("content-type", "application/x-amz-cbor-1.1"), ("x-amz-target", "Counter.Add")];
    for body in [&b"\xa1\x62By"[..], b"\xa1\x62By\x61x", b"\xff", b"\xa0\x00"] {
        assert_eq!(call(&dispatcher, &cbor, body).status, 400, "{body:?}");
    }
}

fn eventually(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < end, "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_long_poll_ends_when_what_it_waits_for_comes() {
    let (dispatcher, counter) = dispatcher();
    std::thread::scope(|scope| {
        let polling = scope.spawn(|| json(&dispatcher, "Await", "{\"AtLeast\":2}"));
        eventually(|| counter.waiters() > 0);
        json(&dispatcher, "Add", "{\"By\":[1]}");
        json(&dispatcher, "Add", "{\"By\":[1]}");
        assert_eq!(polling.join().unwrap(), "{\"Value\":2}");
    });
    assert_eq!(json(&dispatcher, "Await", "{\"AtLeast\":9,\"Seconds\":0}"), "{}");
    assert_eq!(counter.waiters(), 0);
}

/// The events in a body: their type and their payload.
fn events(mut body: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((message, length)) = Message::read(body).unwrap() {
        let kind = message.text(":event-type").or_else(|| message.text(":exception-type"));
        let payload = String::from_utf8(message.payload.clone()).unwrap();
        found.push((kind.unwrap().to_owned(), payload));
        body = &body[length..];
    }
    assert!(body.is_empty());
    found
}

fn event(kind: &str, payload: &str) -> (String, String) {
    (kind.to_owned(), payload.to_owned())
}

fn serve(dispatcher: &Arc<Dispatcher>) -> Server {
    let options = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    Server::start(dispatcher.clone(), options).unwrap()
}

#[test]
fn events_are_streamed_over_http_1_as_they_come() {
    let (dispatcher, counter) = dispatcher();
    let server = serve(&dispatcher);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-amz-json-1.1\r\n\
              X-Amz-Target: Counter.Watch\r\nContent-Length: 13\r\n\r\n{\"AtLeast\":2}",
        )
        .unwrap();
    eventually(|| counter.waiters() > 0);
    // The first events are there before the second change is made.
    let mut read = Vec::new();
    let has = |read: &[u8], text: &str| read.windows(text.len()).any(|w| w == text.as_bytes());
    let mut buffer = [0; 4_096];
    while !has(&read, "{\"Value\":0}") {
        let count = stream.read(&mut buffer).unwrap();
        read.extend_from_slice(&buffer[..count]);
    }
    assert!(has(&read, "transfer-encoding: chunked"));
    assert!(has(&read, "application/vnd.amazon.eventstream"));
    json(&dispatcher, "Add", "{\"By\":[2]}");
    while !read.ends_with(b"\r\n0\r\n\r\n") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the stream ended without its last chunk");
        read.extend_from_slice(&buffer[..count]);
    }
    assert!(has(&read, "{\"Value\":2}"));
    eventually(|| counter.waiters() == 0);
}

#[test]
fn events_are_streamed_over_http_2_and_an_error_ends_them() {
    let (dispatcher, counter) = dispatcher();
    let server = serve(&dispatcher);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let body = runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket))
                .await
                .unwrap();
        tokio::spawn(connection);
        let request = http::Request::post("http://a/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "Counter.Watch")
            .body(Full::new(Bytes::from_static(b"{\"AtLeast\":5}")))
            .unwrap();
        let mut response = sender.send_request(request).await.unwrap().into_body();
        let mut body = Vec::new();
        while !body.windows(11).any(|window| window == b"{\"Value\":0}") {
            body.extend_from_slice(response.frame().await.unwrap().unwrap().data_ref().unwrap());
        }
        json(&dispatcher, "Add", "{\"By\":[-1]}");
        body.extend_from_slice(&response.collect().await.unwrap().to_bytes());
        body
    });
    let expected = [
        event("initial-response", "{}"),
        event("Changed", "{\"Value\":0}"),
        event("Negative", "{\"message\":\"The counter fell below zero.\"}"),
    ];
    assert_eq!(events(&body), expected);
    assert_eq!(counter.waiters(), 0);
}

#[test]
fn a_caller_in_the_process_gets_a_stream_when_it_has_ended() {
    let (dispatcher, _) = dispatcher();
    json(&dispatcher, "Add", "{\"By\":[7]}");
    let headers =
        [("x-amz-target", "Counter.Watch"), ("content-type", "application/x-amz-json-1.1")];
    let response = call(&dispatcher, &headers, b"{\"AtLeast\":7}");
    let expected = [event("initial-response", "{}"), event("Changed", "{\"Value\":7}")];
    assert_eq!(events(&response.body), expected);
}

#[test]
fn reset_and_metrics_reach_a_service_without_naming_it() {
    let (dispatcher, _) = dispatcher();
    json(&dispatcher, "Add", "{\"By\":[7]}");
    let headers = http::HeaderMap::new();
    let ask = |method, path| {
        let body = b"";
        let request = Request { method, path, query: "", headers: &headers, body, peer: None };
        dispatcher.call(&request, "http://a", &|| false)
    };
    let metrics = String::from_utf8(ask("GET", "/metrics").body).unwrap();
    let line = "trunkline_requests_total{service=\"counter\",operation=\"Add\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    assert_eq!(ask("POST", "/_trunkline/reset").status, 200);
    assert_eq!(json(&dispatcher, "Add", "{\"By\":[]}"), "{\"Value\":0}");
}
