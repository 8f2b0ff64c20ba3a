//! The services of the table behind the dispatcher and the server: inputs in each protocol, long
//! polls, streams of events, reset and metrics.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use trunkline_conformance::nouns::counter::{Counter, Counters};
use trunkline_conformance::{NOUNS, WireNoun, open};
use trunkline_engine::OpenOptions;
use trunkline_wire::auth::Mode;
use trunkline_wire::codec::event::Message;
use trunkline_wire::dispatch::{Call, ControlPlane, Dispatcher};
use trunkline_wire::error::Result;
use trunkline_wire::message::{Request, Response};
use trunkline_wire::server::{Options, Server};
use trunkline_wire::{Value, WireError};

struct Models(Vec<WireNoun>);

impl ControlPlane for Models {
    fn call(&self, _call: &Call, _input: Value) -> Result<Value> {
        Err(WireError::internal("The services of these tests have no control plane."))
    }

    fn model(&self, service: &str) -> std::result::Result<Vec<u8>, String> {
        let found = self.0.iter().find(|noun| noun.info.name == service);
        found.map(|noun| noun.model.to_vec()).ok_or_else(|| format!("no service {service}"))
    }

    fn reset(&self, _: bool) {}
}

/// A dispatcher with the service of each kind that has one, and a counter for the tests below.
fn dispatcher() -> (Arc<Dispatcher>, Arc<Counter>) {
    let engine = open(OpenOptions::memory()).unwrap();
    NOUNS.iter().for_each(|noun| noun.fill(&engine));
    let counters = engine.host().component::<Counters>().unwrap();
    let counter = counters.create("hits", 0).unwrap().0;
    let nouns: Vec<WireNoun> = NOUNS.iter().filter_map(|noun| noun.service()).collect();
    let infos = nouns.iter().map(|noun| noun.info.clone()).collect();
    let planes = nouns.iter().map(|noun| noun.service.clone()).collect();
    let (control, mode) = (Arc::new(Models(nouns)), Mode::Parse);
    let dispatcher = Dispatcher::with_planes(engine, control, infos, planes, mode);
    (Arc::new(dispatcher), counter)
}

fn call(dispatcher: &Dispatcher, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.insert(name, value.parse().unwrap());
    }
    let path = "/";
    let request =
        Request { method: "POST", path, query: "", headers: &map, body, peer: None, seen: None };
    dispatcher.call(&request, "http://a", &|| false)
}

fn json(dispatcher: &Dispatcher, operation: &str, body: &str) -> String {
    let target = format!("Counter.{operation}");
    let headers = [("x-amz-target", &*target), ("content-type", "application/x-amz-json-1.1")];
    String::from_utf8(call(dispatcher, &headers, body.as_bytes()).body).unwrap()
}

fn add(dispatcher: &Dispatcher, by: &str) -> String {
    json(dispatcher, "Add", &format!(r#"{{"Name":"hits","By":[{by}]}}"#))
}

#[test]
fn the_wire_service_of_each_kind_answers_in_every_protocol() {
    let (dispatcher, _) = dispatcher();
    let nouns: Vec<WireNoun> = NOUNS.iter().filter_map(|noun| noun.service()).collect();
    assert!(!nouns.is_empty());
    for WireNoun { info, request, .. } in nouns {
        let operation = request.operation;
        let target = format!("{}.{operation}", info.target_prefix.unwrap());
        let version = info.api_version.unwrap();
        let form = format!("Action={operation}&Version={version}&{}", request.form);
        let typed = |kind| vec![("content-type", kind), ("x-amz-target", &*target)];
        for (headers, body) in [
            (typed("application/x-amz-json-1.1"), request.json.as_bytes()),
            (vec![("content-type", "application/x-www-form-urlencoded")], form.as_bytes()),
            (typed("application/x-amz-cbor-1.1"), request.cbor),
        ] {
            let response = call(&dispatcher, &headers, body);
            let text = String::from_utf8_lossy(&response.body);
            assert_eq!(response.status, 200, "{} {headers:?}: {text}", info.name);
            assert!(text.contains(request.output), "{} {headers:?}: {text}", info.name);
        }
    }
}

#[test]
fn an_input_is_read_from_json_forms_and_cbor_alike() {
    let (dispatcher, _) = dispatcher();
    assert_eq!(add(&dispatcher, "1,2"), "{\"Value\":3}");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = b"Action=Add&Version=2026-01-01&Name=hits&By.member.1=3&By.member.2=4";
    let response = String::from_utf8(call(&dispatcher, &form, body).body).unwrap();
    assert!(response.contains("<Value>10</Value>"), "{response}");
    // {"Name": "hits", "By": [5]}, with a list of indefinite length.
    let cbor = [("content-type", "application/x-amz-cbor-1.1"), ("x-amz-target", "Counter.Add")];
    let response = call(&dispatcher, &cbor, b"\xa2\x64Name\x64hits\x62By\x9f\x05\xff");
    assert_eq!(response.body, b"\xbf\x65Value\x0f\xff");
}

#[test]
fn a_wrong_input_is_refused_in_every_protocol() {
    let (dispatcher, _) = dispatcher();
    assert!(
        json(&dispatcher, "Add", "{\"Name\":\"hits\",\"By\":[\"x\"]}")
            .contains("SerializationException")
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let response =
        call(&dispatcher, &form, b"Action=Add&Version=2026-01-01&Name=hits&By.member.1=x");
    assert_eq!(response.status, 400);
    let cbor = [("content-type", "application/x-amz-cbor-1.1"), ("x-amz-target", "Counter.Add")];
    for body in [&b"\xa1\x62By"[..], b"\xa1\x62By\x61x", b"\xff", b"\xa0\x00"] {
        assert_eq!(call(&dispatcher, &cbor, body).status, 400, "{body:?}");
    }
}

fn eventually(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !what() {
        assert!(Instant::now() < end, "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_long_poll_ends_when_what_it_waits_for_comes() {
    let (dispatcher, counter) = dispatcher();
    std::thread::scope(|scope| {
        let polling = scope.spawn(|| json(&dispatcher, "Await", r#"{"Name":"hits","AtLeast":2}"#));
        eventually(|| !counter.waiters.is_empty());
        add(&dispatcher, "1");
        add(&dispatcher, "1");
        assert_eq!(polling.join().unwrap(), "{\"Value\":2}");
    });
    assert_eq!(json(&dispatcher, "Await", r#"{"Name":"hits","AtLeast":9,"Seconds":0}"#), "{}");
    assert!(counter.waiters.is_empty());
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
              X-Amz-Target: Counter.Watch\r\nContent-Length: 27\r\n\r\n\
              {\"Name\":\"hits\",\"AtLeast\":2}",
        )
        .unwrap();
    eventually(|| !counter.waiters.is_empty());
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
    add(&dispatcher, "2");
    while !read.ends_with(b"\r\n0\r\n\r\n") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the stream ended without its last chunk");
        read.extend_from_slice(&buffer[..count]);
    }
    assert!(has(&read, "{\"Value\":2}"));
    eventually(|| counter.waiters.is_empty());
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
            .body(Full::new(Bytes::from_static(br#"{"Name":"hits","AtLeast":5}"#)))
            .unwrap();
        let mut response = sender.send_request(request).await.unwrap().into_body();
        let mut body = Vec::new();
        while !body.windows(11).any(|window| window == b"{\"Value\":0}") {
            body.extend_from_slice(response.frame().await.unwrap().unwrap().data_ref().unwrap());
        }
        add(&dispatcher, "-1");
        body.extend_from_slice(&response.collect().await.unwrap().to_bytes());
        body
    });
    let expected = [
        event("initial-response", "{}"),
        event("Changed", "{\"Value\":0}"),
        event("Negative", "{\"message\":\"The counter fell below zero.\"}"),
    ];
    assert_eq!(events(&body), expected);
    assert!(counter.waiters.is_empty());
}

#[test]
fn a_caller_in_the_process_gets_a_stream_when_it_has_ended() {
    let (dispatcher, _) = dispatcher();
    add(&dispatcher, "7");
    let headers =
        [("x-amz-target", "Counter.Watch"), ("content-type", "application/x-amz-json-1.1")];
    let response = call(&dispatcher, &headers, br#"{"Name":"hits","AtLeast":7}"#);
    let expected = [event("initial-response", "{}"), event("Changed", "{\"Value\":7}")];
    assert_eq!(events(&response.body), expected);
}

#[test]
fn reset_and_metrics_reach_a_service_without_naming_it() {
    let (dispatcher, _) = dispatcher();
    add(&dispatcher, "7");
    let headers = http::HeaderMap::new();
    let ask = |method, path| {
        let body = b"";
        let request =
            Request { method, path, query: "", headers: &headers, body, peer: None, seen: None };
        dispatcher.call(&request, "http://a", &|| false)
    };
    let metrics = String::from_utf8(ask("GET", "/metrics").body).unwrap();
    let line = "trunkline_requests_total{service=\"counter\",operation=\"Add\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    assert_eq!(ask("POST", "/_trunkline/reset").status, 200);
    assert!(add(&dispatcher, "1").contains("NoSuchCounter"));
}
