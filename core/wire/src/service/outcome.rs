//! How far an operation came, and what is left to wait for.

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::{Signal, Ticket};
use trunkline_types::Millis;

use crate::error::Result;

/// The output of an operation: a JSON document that the service's model describes. Clients of JSON
/// get it as it is; for the other protocols it is written again by the model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output(pub Vec<u8>);

impl Output {
    /// The output without any member.
    pub fn empty() -> Self {
        Self(b"{}".to_vec())
    }
}

impl From<Vec<u8>> for Output {
    fn from(json: Vec<u8>) -> Self {
        Self(json)
    }
}

/// How far an operation came.
pub enum Outcome {
    /// This is the output.
    Done(Output),
    /// This is the output once the ticket, if there is one, is settled, and after the pause that a
    /// fault asks for.
    Settle(Option<Ticket>, Duration, Output),
    /// There is no output yet: a long poll.
    Wait(Box<dyn Wait>),
    /// The output is a stream of events.
    Stream(Box<dyn EventStream>),
    /// A fault asks for a pause; call again afterwards, with `paused` set.
    Pause(Duration),
}

/// A long poll. The driver attempts, subscribes, attempts again, and waits for the signal.
pub trait Wait: Send {
    /// Tries once; None while there is nothing to answer with.
    fn attempt(&mut self) -> Result<Option<Output>>;

    /// Has `signal` signalled when another attempt is worth it, and at the virtual time `until`.
    fn subscribe(&self, signal: Arc<dyn Signal>, until: Option<Millis>) -> Subscription;

    /// How long the caller is willing to wait.
    fn patience(&self) -> Millis;

    /// The output when that time is over.
    fn empty(&self) -> Output;
}

/// A stream of events that one request receives.
pub trait EventStream: Send {
    /// The next event, without waiting for it. An error is the last message of the stream.
    fn next(&mut self) -> Result<NextEvent>;

    /// As for [`Wait::subscribe`].
    fn subscribe(&self, signal: Arc<dyn Signal>, until: Option<Millis>) -> Subscription;

    /// How long the stream lives at most.
    fn lifetime(&self) -> Millis;
}

/// What an event stream has at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextEvent {
    /// An event.
    Event(Event),
    /// Nothing yet.
    Wait,
    /// Nothing any more.
    End,
}

/// One event: the member of the model's event structure, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The name of the member.
    pub name: &'static str,
    /// The content.
    pub output: Output,
}

/// A place among those who wait for something. Dropping it gives the place up; a signal that was
/// not used goes to the next.
pub struct Subscription(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Subscription {
    /// A subscription that `end` ends.
    pub fn new(end: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(end)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}
