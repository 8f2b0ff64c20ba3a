//! Event buses: rules, targets, inputs, other buses, dead letters, and what is durable of them.

#![allow(clippy::unwrap_used)]

mod archives;
mod batches;
#[path = "../common/mod.rs"]
mod common;
mod durable;
#[path = "../common/endpoint.rs"]
mod endpoint;
mod inputs;
mod outside;
mod rules;
mod targets;

use std::sync::Arc;

use trunkline_engine::{
    Bus, Engine, Input, NewRule, NewTarget, PutEvent, PutOutcome, ResourceId, Result,
    TargetResource, Ticket, bus_name,
};

const ANY: &str = r#"{"source":[{"prefix":""}]}"#;

fn bus(engine: &Engine, name: &str) -> Arc<Bus> {
    engine.bus(bus_name(name), b"").unwrap().0
}

fn target(resource: ResourceId) -> NewTarget {
    NewTarget::new("main", TargetResource::Resource(resource))
}

fn rule<'a>(name: &'a str, pattern: &'a str, targets: Vec<NewTarget>) -> NewRule<'a> {
    NewRule { name, pattern, is_enabled: true, targets: Some(targets), document: b"" }
}

fn put_rule(
    engine: &Engine,
    bus: &Arc<Bus>,
    name: &str,
    pattern: &str,
    to: ResourceId,
) -> Option<Ticket> {
    engine.put_rule(bus, rule(name, pattern, vec![target(to)])).unwrap()
}

fn event(source: &str, detail: &str) -> String {
    format!(r#"{{"source":"{source}","detail-type":"t","detail":{detail}}}"#)
}

fn try_put(bus: &Arc<Bus>, event: &str) -> Result<PutOutcome> {
    bus.put(PutEvent::new(event.as_bytes()))
}

fn put(bus: &Arc<Bus>, source: &str, detail: &str) -> PutOutcome {
    try_put(bus, &event(source, detail)).unwrap()
}

/// The details of some events, as texts.
fn details(bodies: &[&str]) -> Vec<String> {
    let detail = |body: &&str| {
        let event: serde_json::Value = serde_json::from_str(body).unwrap();
        event["detail"].to_string()
    };
    bodies.iter().map(detail).collect()
}
