//! The data plane of SQS: from a request to the engine and back, without an interpreter and without
//! a generic tree. Every operation has one implementation, whatever protocol brought its input.

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
mod peek;
mod receive;
mod send;
mod service;
mod target;
mod text;

pub use service::Sqs;

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::{Queue, Ticket, operation};

use self::errors::from_engine;
use crate::error::Result;
use crate::service::{Call, Outcome};

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

/// The queue of a call, or the pause that has to be made before it.
enum Lookup {
    Queue(Arc<Queue>, bool),
    Pause(Duration),
}

impl Context<'_> {
    /// The queue that `url` names, once the faults of the engine let the call pass.
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
        let faults = self.call.engine.faults();
        let mut duplicate = false;
        if faults.is_active() && !self.call.paused {
            let verdict = faults.check(self.operation.verb(), queue.name()).map_err(from_engine)?;
            if !verdict.delay.is_zero() {
                return Ok(Lookup::Pause(verdict.delay));
            }
            duplicate = verdict.duplicate;
        }
        Ok(Lookup::Queue(queue, duplicate))
    }

    /// The output once `ticket` is durable. The change is made already: a fault of the commit
    /// concerns its durability alone, and strikes an engine in memory as well.
    fn settle(&self, queue: &Queue, ticket: Option<Ticket>, body: Vec<u8>) -> Result<Outcome> {
        let faults = self.call.engine.faults();
        let verdict = faults.check(operation::COMMIT, queue.name()).map_err(from_engine)?;
        match ticket {
            None if verdict.delay.is_zero() => Ok(Outcome::Done(body.into())),
            ticket => Ok(Outcome::Settle(ticket, verdict.delay, body.into())),
        }
    }
}
