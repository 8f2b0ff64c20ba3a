//! The data plane of SQS: from a request to the engine and back, without an interpreter and without
//! a generic tree. Every operation has one implementation, whatever protocol brought its input.

mod access;
mod address;
mod attributes;
mod batch;
mod deliveries;
mod digest;
mod errors;
pub(super) mod input;
mod lease;
mod names;
pub(super) mod output;
mod peek;
mod receive;
mod send;
mod senders;
mod service;
mod target;
mod text;

pub use senders::QueuePolicies;
pub use service::Sqs;

use std::sync::Arc;

use trunkline_engine::{Admission, Admitted, Engine, Held, Queue, Ticket, operation};

use self::errors::from_engine;
use crate::error::Result;
use crate::service::{Call, Finished, Outcome};

/// The operations of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Send,
    SendBatch,
    Receive,
    Delete,
    DeleteBatch,
    Extend,
    ExtendBatch,
}

impl Operation {
    const ALL: [Self; 7] = [
        Self::Send,
        Self::SendBatch,
        Self::Receive,
        Self::Delete,
        Self::DeleteBatch,
        Self::Extend,
        Self::ExtendBatch,
    ];

    /// The names of the operations, in the order of `ALL`.
    const NAMES: [&'static str; 7] = [
        "SendMessage",
        "SendMessageBatch",
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
    ];

    fn name(self) -> &'static str {
        Self::NAMES[self as usize]
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

struct Context<'a> {
    call: &'a Call<'a>,
    operation: Operation,
}

/// The queue of an admitted call, or what holds the call up.
enum Lookup {
    Ready(Arc<Queue>, Admitted),
    Held(Held),
}

impl Context<'_> {
    /// The queue that `url` names, once the engine admits the call.
    fn queue(&self, url: Option<&str>) -> Result<Lookup> {
        let address = match url {
            Some(url) => address::parse(url, self.call.account, self.call.region)?,
            None => address::of_path(self.call.request.path, self.call.region)
                .ok_or_else(|| errors::missing("QueueUrl"))?,
        };
        let queue = self.call.engine.find_queue(&address.to_name()).map_err(from_engine)?;
        let queue = queue.ok_or_else(errors::no_such_queue)?;
        if let Some(access) = self.call.access {
            access.check(self.call.account, self.operation.name(), &queue)?;
        }
        let admission = match self.call.held {
            Some(held) => queue.resume(held),
            None => queue.try_admit(self.operation.verb()),
        };
        Ok(match admission.map_err(from_engine)? {
            Admission::Ready(admitted) => Lookup::Ready(queue, admitted),
            Admission::Held(held) => Lookup::Held(*held),
        })
    }

    /// The output once `ticket` is durable.
    fn settle(&self, queue: &Queue, ticket: Option<Ticket>, body: Vec<u8>) -> Result<Outcome> {
        finish(self.call.engine, queue, ticket, body).map(Outcome::Done)
    }
}

fn finish(
    engine: &Engine,
    queue: &Queue,
    ticket: Option<Ticket>,
    body: Vec<u8>,
) -> Result<Finished> {
    let settling = queue.begin_settle(ticket, engine.durability()).map_err(from_engine)?;
    Ok(Finished { output: body.into(), settling })
}
