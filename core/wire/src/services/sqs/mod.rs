//! The data plane of SQS: from the bytes of a request to the engine and back, without an
//! interpreter and without a generic tree.
//!
//! Every operation takes a JSON body and gives a JSON body. The other protocols are recoded to JSON
//! before and from JSON after (see `dispatch`), so there is one implementation of each operation.
//!
//! Nothing here blocks. What has to be waited for is returned as a [`Step`], and the two drivers (a
//! thread in the process, a task of the server) wait in their own way.

mod access;
mod address;
mod attributes;
mod batch;
mod digest;
mod errors;
mod input;
mod lease;
mod names;
mod output;
mod receive;
mod send;
mod text;

pub use access::Access;
pub use address::{Address, parse as parse_address};
pub use errors::{from_engine, named, query_message};
pub use receive::{EMPTY, Poll};

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::{Engine, QUEUE, Queue, ResourceName, Ticket, operation};

use crate::error::{Result, WireError};

/// The wire names that the query protocol has beside the model.
pub const OVERLAY: &[u8] = include_bytes!("overlay.json");

/// The operations of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `SendMessage`
    Send,
    /// `SendMessageBatch`
    SendBatch,
    /// `ReceiveMessage`
    Receive,
    /// `DeleteMessage`
    Delete,
    /// `DeleteMessageBatch`
    DeleteBatch,
    /// `ChangeMessageVisibility`
    Extend,
    /// `ChangeMessageVisibilityBatch`
    ExtendBatch,
}

impl Operation {
    /// The operation of this name, if the data plane has it.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "SendMessage" => Self::Send,
            "SendMessageBatch" => Self::SendBatch,
            "ReceiveMessage" => Self::Receive,
            "DeleteMessage" => Self::Delete,
            "DeleteMessageBatch" => Self::DeleteBatch,
            "ChangeMessageVisibility" => Self::Extend,
            "ChangeMessageVisibilityBatch" => Self::ExtendBatch,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Send => "SendMessage",
            Self::SendBatch => "SendMessageBatch",
            Self::Receive => "ReceiveMessage",
            Self::Delete => "DeleteMessage",
            Self::DeleteBatch => "DeleteMessageBatch",
            Self::Extend => "ChangeMessageVisibility",
            Self::ExtendBatch => "ChangeMessageVisibilityBatch",
        }
    }

    fn verb(self) -> trunkline_engine::Operation {
        match self {
            Self::Send | Self::SendBatch => operation::SEND,
            Self::Receive => operation::RECEIVE,
            Self::Delete | Self::DeleteBatch => operation::DELETE,
            Self::Extend | Self::ExtendBatch => operation::EXTEND,
        }
    }
}

/// How far an operation came.
pub enum Step {
    /// This is the answer.
    Done(Vec<u8>),
    /// This is the answer once the ticket is settled.
    Settle(Option<Ticket>, Duration, Vec<u8>),
    /// A receive: try, and try again while it may wait.
    Poll(Box<Poll>),
    /// A fault asks for a pause; call again afterwards, with `paused` set.
    Pause(Duration),
}

/// Who calls, and where.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The caller's account.
    pub account: &'a str,
    /// The region that is called.
    pub region: &'a str,
    /// The path of the request: the queue's address where the input names none.
    pub path: &'a str,
    /// Whether the pause of a fault was already made.
    pub paused: bool,
    /// Set where signatures are proved: then policies count.
    pub access: Option<&'a Access>,
}

/// Carries out `operation`, as far as it goes without waiting.
pub fn begin(
    engine: &Arc<Engine>,
    operation: Operation,
    caller: &Caller<'_>,
    body: &[u8],
) -> Result<Step> {
    let context = Context { engine, operation, caller };
    match operation {
        Operation::Send => send::one(&context, body),
        Operation::SendBatch => send::batch(&context, body),
        Operation::Receive => receive::begin(&context, body),
        Operation::Delete => lease::delete(&context, body),
        Operation::DeleteBatch => lease::delete_batch(&context, body),
        Operation::Extend => lease::extend(&context, body),
        Operation::ExtendBatch => lease::extend_batch(&context, body),
    }
}

struct Context<'a> {
    engine: &'a Arc<Engine>,
    operation: Operation,
    caller: &'a Caller<'a>,
}

/// The queue of a call, or the pause that has to be made before it.
enum Found {
    Queue(Arc<Queue>, bool),
    Pause(Duration),
}

impl Context<'_> {
    /// The queue that `url` names, once the faults of the engine let the call pass.
    fn queue(&self, url: Option<&str>) -> Result<Found> {
        let address = match url {
            Some(url) => address::parse(url, self.caller.account, self.caller.region)?,
            None => address::of_path(self.caller.path, self.caller.region)
                .ok_or_else(|| errors::missing("QueueUrl"))?,
        };
        let name = ResourceName::new(QUEUE, address.account, address.region, address.name);
        let queue = self.engine.find_queue(&name).map_err(from_engine)?;
        let queue = queue.ok_or_else(errors::no_such_queue)?;
        if let Some(access) = self.caller.access {
            access.check(self.caller.account, self.operation.name(), &queue)?;
        }
        let faults = self.engine.faults();
        let mut duplicate = false;
        if faults.is_active() && !self.caller.paused {
            let verdict = faults.check(self.operation.verb(), queue.name()).map_err(from_engine)?;
            if !verdict.delay.is_zero() {
                return Ok(Found::Pause(verdict.delay));
            }
            duplicate = verdict.duplicate;
        }
        Ok(Found::Queue(queue, duplicate))
    }

    /// The answer once `ticket` is durable. The change is made already: a fault of the commit
    /// concerns its durability alone, and strikes an engine in memory as well.
    fn settle(&self, queue: &Queue, ticket: Option<Ticket>, body: Vec<u8>) -> Result<Step> {
        let verdict =
            self.engine.faults().check(operation::COMMIT, queue.name()).map_err(from_engine)?;
        match ticket {
            None if verdict.delay.is_zero() => Ok(Step::Done(body)),
            ticket => Ok(Step::Settle(ticket, verdict.delay, body)),
        }
    }
}

/// Reads an input; what is no JSON or has a wrong type is a `SerializationException`.
fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    // No body stands for an empty input.
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| WireError::serialization(error.to_string()))
}
