//! A counter as a wire service: all that a new data plane needs, in a folder of its own.

use std::sync::{Arc, Mutex};

use serde::Deserialize;
use trunkline_engine::{Engine, Signal};
use trunkline_types::ResourceName;
use trunkline_wire::error::Result;
use trunkline_wire::service::{
    Call, Event, EventStream, Input, NextEvent, OperationId, Outcome, Output, Service,
    Subscription, Wait,
};
use trunkline_wire::{Value, WireError};

const OPERATIONS: [&str; 3] = ["Add", "Await", "Watch"];

#[derive(Default)]
struct State {
    value: i64,
    waiters: Vec<(u64, Arc<dyn Signal>)>,
    next: u64,
}

/// The service, and the number it counts.
#[derive(Clone, Default)]
pub struct Counter(Arc<Mutex<State>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddInput {
    by: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AtLeast {
    at_least: i64,
    seconds: Option<u64>,
}

impl Counter {
    fn add(&self, by: i64) -> i64 {
        let mut state = self.0.lock().unwrap();
        state.value += by;
        let (value, waiters) = (state.value, std::mem::take(&mut state.waiters));
        drop(state);
        waiters.iter().for_each(|(_, signal)| signal.signal());
        value
    }

    fn value(&self) -> i64 {
        self.0.lock().unwrap().value
    }

    pub fn waiters(&self) -> usize {
        self.0.lock().unwrap().waiters.len()
    }

    fn subscribe(&self, signal: Arc<dyn Signal>) -> Subscription {
        let mut state = self.0.lock().unwrap();
        state.next += 1;
        let id = state.next;
        state.waiters.push((id, signal));
        let counter = self.clone();
        Subscription::new(move || {
            counter.0.lock().unwrap().waiters.retain(|(other, _)| *other != id)
        })
    }
}

fn output(value: i64) -> Output {
    format!("{{\"Value\":{value}}}").into_bytes().into()
}

impl Service for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn start(
        &self,
        _call: &Call<'_>,
        operation: OperationId,
        input: &Input<'_>,
    ) -> Result<Outcome> {
        match OPERATIONS[operation] {
            "Add" => {
                let input: AddInput = input.read()?;
                Ok(Outcome::Done(output(self.add(input.by.iter().sum()))))
            }
            "Await" => {
                let AtLeast { at_least, seconds } = input.read()?;
                let patience = seconds.unwrap_or(20) * 1_000;
                Ok(Outcome::Wait(Box::new(Await { counter: self.clone(), at_least, patience })))
            }
            _ => {
                let AtLeast { at_least, .. } = input.read()?;
                let stream = Watch { counter: self.clone(), shown: None, until: at_least };
                Ok(Outcome::Stream(Box::new(stream)))
            }
        }
    }

    // The counter belongs to everyone who reaches the server.
    fn authorize(
        &self,
        _call: &Call<'_>,
        _operation: &str,
        _input: &Value,
    ) -> Result<Option<ResourceName>> {
        Ok(None)
    }

    fn reset(&self, _engine: &Engine) -> Result<()> {
        self.0.lock().unwrap().value = 0;
        Ok(())
    }
}

struct Await {
    counter: Counter,
    at_least: i64,
    patience: u64,
}

impl Wait for Await {
    fn attempt(&mut self) -> Result<Option<Output>> {
        let value = self.counter.value();
        Ok((value >= self.at_least).then(|| output(value)))
    }

    fn subscribe(&self, signal: Arc<dyn Signal>, _until: Option<u64>) -> Subscription {
        self.counter.subscribe(signal)
    }

    fn patience(&self) -> u64 {
        self.patience
    }

    fn empty(&self) -> Output {
        Output::empty()
    }
}

/// Shows each value until one is reached; a negative one is an error.
struct Watch {
    counter: Counter,
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

    fn subscribe(&self, signal: Arc<dyn Signal>, _until: Option<u64>) -> Subscription {
        self.counter.subscribe(signal)
    }

    fn lifetime(&self) -> u64 {
        60_000
    }
}
