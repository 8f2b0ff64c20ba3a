//! Messages between resources: handed over, moved, handed on in circles, and rendered.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/endpoint.rs"]
mod endpoint;

use std::sync::{Arc, Mutex};

use common::{START, bodies, memory, queue, receive, send};
use endpoint::Endpoint;
use trunkline_engine::delivery::{GiveUp, RetryTable};
use trunkline_engine::{
    Accepted, Code, Content, DeadLetter, DestinationConfig, Engine, Error, FanTarget, Host,
    Outgoing, QueueConfig, Rendered, Renderer, ResourceId, ResourceKind, ResourceName, Result,
    Routed, SharedPayload, Target, Transport, fifo_queue, standard_queue,
};
use trunkline_host::{HOPS_MAX, Jobs, Move, Resource};

/// Hands on what it gets, and renders by writing around it.
struct Relay {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    target: Mutex<Option<ResourceId>>,
    hops: Mutex<Vec<u32>>,
    header: Mutex<String>,
}

fn relay(engine: &Engine, name: &str) -> Arc<Relay> {
    let host = engine.host().clone();
    let (id, name) = (host.next_id(), ResourceName::local(ResourceKind("relay"), name));
    let (target, hops) = (Mutex::new(None), Mutex::default());
    let header = Mutex::new("first".to_owned());
    let relay = Arc::new(Relay { host, id, name, target, hops, header });
    engine.host().directory.add(relay.clone());
    relay
}

impl Resource for Relay {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, _: u32, _: u64, _: &Jobs<'_>) -> Option<u64> {
        None
    }

    fn accept(&self, message: &Routed<'_>) -> Result<Accepted> {
        self.hops.lock().unwrap().push(message.hops);
        let target = *self.target.lock().unwrap();
        self.host.deliver(target.unwrap(), message)
    }

    fn render(&self, variant: u64, content: &Content<'_>) -> Result<Rendered> {
        if variant == 0 {
            return Err(Error::new(Code::InvalidParameterValue, "The test renders no such thing."));
        }
        let body = [b"<", content.body, b">", variant.to_string().as_bytes()].concat();
        let header = ("x-variant".to_owned(), self.header.lock().unwrap().clone());
        Ok(Rendered { body, attributes: None, headers: vec![header] })
    }

    fn close(&self) {}
}

/// What a shared payload gives to each receiver is rendered when it is received.
#[test]
fn a_message_of_a_fan_out_is_rendered_for_its_receiver() {
    let engine = memory();
    let relay = relay(&engine, "relay");
    let (a, b) = (queue(&engine, "a", standard_queue()), queue(&engine, "b.fifo", fifo_queue()));
    let renderer = |variant| Some(Renderer { resource: relay.id, variant });
    let to = |id, variant| FanTarget {
        group: Some("g"),
        dedup_id: None,
        renderer: renderer(variant),
        ..FanTarget::of(Target::Queue(id))
    };
    let content = SharedPayload { body: b"hello", ..SharedPayload::default() };
    let to_b = FanTarget { dedup_id: Some("1"), ..to(b.id(), 2) };
    let out = engine.fan_out(&[to(a.id(), 1), to_b, to(a.id(), 0)], &content).unwrap();
    assert!(out.results.iter().all(|sent| sent.is_ok()));
    assert_eq!(bodies(&receive(&b, 1)), ["<hello>2"]);
    // What cannot be rendered is shown as it was published.
    let mut got: Vec<_> = receive(&a, 2).into_iter().map(|got| got.body).collect();
    got.sort();
    assert_eq!(got, ["<hello>1", "hello"]);
}

fn message(body: &str) -> Routed<'_> {
    Routed { body: body.as_bytes(), ..Routed::default() }
}

#[test]
fn a_message_is_handed_on_from_resource_to_resource() {
    let engine = memory();
    let end = queue(&engine, "end", standard_queue());
    let (first, second) = (relay(&engine, "first"), relay(&engine, "second"));
    *first.target.lock().unwrap() = Some(second.id);
    *second.target.lock().unwrap() = Some(end.id());
    let accepted = engine.host().deliver(first.id, &message("a")).unwrap();
    assert_eq!((accepted.resource, accepted.duplicate), (end.id(), false));
    assert_eq!(bodies(&receive(&end, 10)), ["a"]);
    assert_eq!(*second.hops.lock().unwrap(), [2]);
}

#[test]
fn a_circle_of_resources_ends_with_an_error_and_delivers_nothing() {
    let engine = memory();
    let (first, second) = (relay(&engine, "first"), relay(&engine, "second"));
    *first.target.lock().unwrap() = Some(second.id);
    *second.target.lock().unwrap() = Some(first.id);
    let error = engine.host().deliver(first.id, &message("a")).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedOperation);
    assert!(error.message().contains("form a loop"), "{error}");
    let hops = first.hops.lock().unwrap().len() + second.hops.lock().unwrap().len();
    assert_eq!(hops, HOPS_MAX as usize);
}

#[test]
fn a_message_for_nothing_or_for_what_takes_none_is_refused() {
    struct Deaf(ResourceName);
    impl Resource for Deaf {
        fn id(&self) -> ResourceId {
            ResourceId(99)
        }
        fn name(&self) -> &ResourceName {
            &self.0
        }
        fn fire(&self, _: u32, _: u64, _: &Jobs<'_>) -> Option<u64> {
            None
        }
        fn close(&self) {}
    }
    let engine = memory();
    let deaf = Deaf(ResourceName::local(ResourceKind("stone"), "rolling"));
    engine.host().directory.add(Arc::new(deaf));
    let error = engine.host().deliver(ResourceId(99), &message("a")).unwrap_err();
    assert_eq!(error.message(), "The stone \"rolling\" takes no deliveries.");
    let error = engine.host().deliver(ResourceId(98), &message("a")).unwrap_err();
    assert_eq!(error.code(), Code::ResourceNotFoundException);
}

#[test]
fn a_new_message_is_admitted_by_the_rules_of_its_queue() {
    let engine = memory();
    let config = QueueConfig { message_bytes_max: 1_024, ..fifo_queue() };
    let end = queue(&engine, "end.fifo", config);
    let grouped = Routed { group: Some("g"), dedup_id: Some("d"), ..message("a") };
    let deliver = |message: &Routed<'_>| engine.host().deliver(end.id(), message);
    assert!(!deliver(&grouped).unwrap().duplicate);
    assert!(deliver(&grouped).unwrap().duplicate);
    assert_eq!(deliver(&message("a")).unwrap_err().code(), Code::MissingParameter);
    let large = "a".repeat(1_025);
    let large = Routed { dedup_id: Some("e"), body: large.as_bytes(), ..grouped };
    assert_eq!(deliver(&large).unwrap_err().code(), Code::InvalidParameterValue);
    assert_eq!(bodies(&receive(&end, 10)), ["a"]);
}

#[test]
fn a_dead_letter_whose_queue_is_gone_is_delivered_once_more() {
    let engine = memory();
    let dead = queue(&engine, "dead", standard_queue());
    let dead_letter = Some(DeadLetter { queue: dead.id(), max_receive_count: 1 });
    let source = queue(&engine, "source", QueueConfig { dead_letter, ..standard_queue() });
    send(&source, "a");
    assert_eq!(receive(&source, 1).len(), 1);
    engine.advance(30_000).unwrap();
    dead.remove().unwrap();
    assert_eq!(bodies(&receive(&source, 1)), ["a"]);
    // One that is made again under the name takes it.
    let dead = queue(&engine, "dead", standard_queue());
    engine.advance(30_000).unwrap();
    assert!(receive(&source, 1).is_empty());
    assert_eq!(bodies(&receive(&dead, 1)), ["a"]);
}

#[test]
fn a_redrive_fails_when_its_destination_leads_nowhere() {
    let engine = memory();
    let source = queue(&engine, "source", standard_queue());
    let nowhere = relay(&engine, "nowhere");
    send(&source, "a");
    *nowhere.target.lock().unwrap() = Some(ResourceId(12_345));
    let (task, _) = engine.start_redrive(source.id(), Some(nowhere.id), None).unwrap();
    engine.advance(1_000).unwrap();
    let status = engine.redrives(Some(source.id())).into_iter().find(|one| one.task == task);
    assert_eq!(status.unwrap().failure.as_deref(), Some("NoDestination"));
    assert_eq!(bodies(&receive(&source, 1)), ["a"], "it stays where it was");
}

#[test]
fn a_move_is_one_step_through_a_relay_too() {
    let engine = memory();
    let end = queue(&engine, "end", standard_queue());
    let through = relay(&engine, "through");
    *through.target.lock().unwrap() = Some(end.id());
    let origin = (ResourceId(7), 3);
    let moved = Move { origin: Some(origin), ..Move::anew((ResourceId(7), 3), START) };
    let routed = Routed { moved: Some(moved), ..message("a") };
    engine.host().deliver(through.id, &routed).unwrap();
    let mut seen = Vec::new();
    end.peek(1, false, |message| seen.push(message.origin)).unwrap();
    assert_eq!(seen, [origin]);
}

fn rendered(url: &str, renderer: Renderer) -> DestinationConfig {
    DestinationConfig {
        transport: Transport::Http {
            url: url.to_owned(),
            method: "POST".to_owned(),
            headers: Vec::new(),
            timeout: 2_000,
        },
        retry: RetryTable::sns_http(),
        dead_letter: None,
        concurrency: 1,
        renderer: Some(renderer),
        http: Default::default(),
    }
}

fn deliver(engine: &Engine, id: ResourceId, body: &str) {
    let delivery = Outgoing { body: body.as_bytes(), ..Outgoing::default() };
    engine.deliver(Target::Outbox(id), &delivery).unwrap();
}

#[test]
fn each_attempt_is_rendered_anew_and_the_dead_letter_is_what_was_accepted() {
    let engine = memory();
    let renderer = relay(&engine, "renderer");
    let dead = queue(&engine, "dead", standard_queue());
    let hook = Endpoint::answering(500);
    let renderer_of = |variant| Renderer { resource: renderer.id, variant };
    let config = DestinationConfig {
        retry: RetryTable::sns_http().with_retries_max(1),
        dead_letter: Some(dead.id()),
        ..rendered(&hook.url, renderer_of(1))
    };
    let id = engine.create_destination("hook", &config).unwrap();
    deliver(&engine, id, "a");
    engine.advance(0).unwrap();
    let config = DestinationConfig { renderer: Some(renderer_of(2)), ..config };
    engine.configure_destination(id, &config).unwrap();
    engine.advance(60_000).unwrap();
    assert_eq!(hook.seen(), ["<a>1", "<a>2"]);
    assert_eq!(bodies(&receive(&dead, 1)), ["a"]);
}

#[test]
fn what_cannot_be_rendered_is_given_up_and_says_why() {
    let engine = memory();
    let renderer = relay(&engine, "renderer");
    let hook = Endpoint::answering(200);
    let gone = Renderer { resource: ResourceId(12_345), variant: 1 };
    let refuses = Renderer { resource: renderer.id, variant: 0 };
    let unsendable = Renderer { resource: renderer.id, variant: 1 };
    *renderer.header.lock().unwrap() = "a\nb".to_owned();
    for (renderer, why) in
        [(gone, "does not exist any more"), (refuses, "no such thing"), (unsendable, "x-variant")]
    {
        let name = format!("hook-{}", renderer.variant);
        let name = format!("{name}-{}", renderer.resource.0);
        let id = engine.create_destination(&name, &rendered(&hook.url, renderer)).unwrap();
        deliver(&engine, id, "a");
        deliver(&engine, id, "b");
        engine.advance(0).unwrap();
        let failures = engine.outbox().failures(id).unwrap();
        assert_eq!(failures.len(), 2, "{why}");
        assert_eq!(failures[0].reason, GiveUp::Refused);
        assert!(failures[0].why.contains(why), "{}", failures[0].why);
    }
    assert_eq!(hook.seen(), Vec::<String>::new());
}

#[test]
fn a_handler_gets_what_was_rendered() {
    let engine = memory();
    let renderer = relay(&engine, "renderer");
    let config = DestinationConfig {
        transport: Transport::Handler { lease: 30_000 },
        ..rendered("", Renderer { resource: renderer.id, variant: 3 })
    };
    let id = engine.create_destination("handler", &config).unwrap();
    let handler = engine.outbox().enter_handler(id).unwrap();
    deliver(&engine, id, "a");
    let leased = handler.lease(1).unwrap();
    assert_eq!(leased[0].body, b"<a>3");
    assert_eq!(leased[0].headers, [("x-variant".to_owned(), "first".to_owned())]);
}
