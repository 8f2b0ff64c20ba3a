//! Counters over the wire: all that a data plane needs.

use std::sync::Arc;

use serde::Deserialize;
use trunkline_engine::{Awaited, ResourceName};
use trunkline_host::Resource;
use trunkline_types::Millis;
use trunkline_wire::error::Result;
use trunkline_wire::service::{
    Call, Event, EventStream, Finished, Input, NextEvent, OperationId, Outcome, Output, Service,
    Wait,
};
use trunkline_wire::{Value, WireError};

use super::{Counter, Counters};

const OPERATIONS: [&str; 3] = ["Add", "Await", "Watch"];

/// The data plane.
pub struct CounterService;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddInput {
    name: String,
    by: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AtLeast {
    name: String,
    at_least: i64,
    seconds: Option<u64>,
}

fn find(call: &Call<'_>, name: &str) -> Result<Arc<Counter>> {
    let counters = call.engine.host().component::<Counters>();
    let missing = || WireError::new("NoSuchCounter", 404, format!("There is no counter {name}."));
    counters.and_then(|counters| counters.find(name)).ok_or_else(missing)
}

fn output(value: i64) -> Output {
    format!("{{\"Value\":{value}}}").into_bytes().into()
}

impl Service for CounterService {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome> {
        match OPERATIONS[operation] {
            "Add" => {
                let AddInput { name, by } = input.read()?;
                let counter = find(call, &name)?;
                let (added, host) = (counter.add(by.iter().sum()), call.engine.host());
                let settling = added
                    .and_then(|ticket| host.begin_settle(counter.name(), ticket, host.durability))
                    .map_err(|error| WireError::from_engine(&error))?;
                Ok(Outcome::Done(Finished { output: output(counter.value()), settling }))
            }
            "Await" => {
                let AtLeast { name, at_least, seconds } = input.read()?;
                let counter = find(call, &name)?;
                let patience = seconds.unwrap_or(20).saturating_mul(1_000);
                Ok(Outcome::Wait(Box::new(Await { counter, at_least, patience })))
            }
            _ => {
                let AtLeast { name, at_least, .. } = input.read()?;
                let stream = Watch { counter: find(call, &name)?, shown: None, until: at_least };
                Ok(Outcome::Stream(Box::new(stream)))
            }
        }
    }

    // Counters belong to everyone who reaches the server.
    fn authorize(
        &self,
        _call: &Call<'_>,
        _operation: &str,
        _input: &Value,
    ) -> Result<Option<ResourceName>> {
        Ok(None)
    }
}

struct Await {
    counter: Arc<Counter>,
    at_least: i64,
    patience: Millis,
}

impl Wait for Await {
    fn attempt(&mut self) -> Result<Option<Finished>> {
        let value = self.counter.value();
        Ok((value >= self.at_least).then(|| output(value).into()))
    }

    fn resource(&self) -> Arc<dyn Awaited> {
        self.counter.clone()
    }

    fn patience(&self) -> Millis {
        self.patience
    }

    fn empty(&self) -> Output {
        Output::empty()
    }
}

/// Shows each value until one is reached; a negative one is an error.
struct Watch {
    counter: Arc<Counter>,
    shown: Option<i64>,
    until: i64,
}

impl EventStream for Watch {
    fn next(&mut self) -> Result<NextEvent> {
        if self.shown.is_some_and(|shown| shown >= self.until) {
            return Ok(NextEvent::End);
        }
        let value = self.counter.value();
        if value < 0 {
            return Err(WireError::new("Negative", 400, "The counter fell below zero."));
        }
        if self.shown == Some(value) {
            return Ok(NextEvent::Wait);
        }
        self.shown = Some(value);
        Ok(NextEvent::Event(Event { name: "Changed", output: output(value) }))
    }

    fn resource(&self) -> Arc<dyn Awaited> {
        self.counter.clone()
    }

    fn lifetime(&self) -> Millis {
        60_000
    }
}
