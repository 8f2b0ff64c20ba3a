//! How far an operation came, and what is left to wait for.

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::{Awaited, Held, Settling};
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

/// An output, and what has to be durable before it is handed out.
pub struct Finished {
    /// The output.
    pub output: Output,
    /// What to wait for; `None` if there is nothing more.
    pub settling: Option<Settling>,
}

impl<T: Into<Output>> From<T> for Finished {
    fn from(output: T) -> Self {
        Self { output: output.into(), settling: None }
    }
}

/// How far an operation came.
pub enum Outcome {
    /// It is done.
    Done(Finished),
    /// There is no output yet: a long poll.
    Wait(Box<dyn Wait>),
    /// The output is a stream of events.
    Stream(Box<dyn EventStream>),
    /// It may not start yet; call again after that, with this in [`super::Call::held`].
    Held(Held),
    /// Nothing was done: the control plane carries the operation out, from its beginning.
    Declined,
}

/// A long poll. The drivers carry it out with [`trunkline_engine::LongPoll`].
pub trait Wait: Send {
    /// Tries once; None while there is nothing to answer with.
    fn attempt(&mut self) -> Result<Option<Finished>>;

    /// What is waited for.
    fn resource(&self) -> Arc<dyn Awaited>;

    /// How long the caller is willing to wait.
    fn patience(&self) -> Millis;

    /// The output when that time is over.
    fn empty(&self) -> Output;
}

/// A stream of events that one request receives.
pub trait EventStream: Send {
    /// The next event, without waiting for it. An error is the last message of the stream.
    fn next(&mut self) -> Result<NextEvent>;

    /// What is waited for.
    fn resource(&self) -> Arc<dyn Awaited>;

    /// How long the stream lives at most.
    fn lifetime(&self) -> Millis;

    /// After which time the stream wants to be asked again although nothing happened.
    fn heartbeat(&self) -> Option<Duration> {
        None
    }
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
