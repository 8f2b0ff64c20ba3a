//! The engine of Trunkline: queues with the semantics of Amazon SQS, in this process, durable on
//! this disk.
//!
//! Every verb *decides* what should happen, hands records to the *journal*, *applies* them, and
//! with every lock released *notifies* who waits. Opening a folder is: read the records, apply
//! each.
//!
//! It is not a server, knows no Python, and parses no AWS protocol: those are doors to this house.
//!
//! ```
//! use trunkline_engine::{Engine, OpenOptions, Outgoing, QueueName, Receive, standard_queue};
//!
//! let engine = Engine::open(OpenOptions::memory())?;
//! let name = QueueName::local("orders");
//! let queue = engine.create_queue(name, standard_queue(), b"")?;
//! queue.send(&Outgoing { body: b"hello", ..Outgoing::default() })?;
//! let mut receipts = Vec::new();
//! queue.try_receive(&Receive::default(), |message| receipts.push(message.receipt))?;
//! queue.delete(&receipts[0])?;
//! # Ok::<(), trunkline_engine::Error>(())
//! ```

mod append;
pub mod attributes;
mod codec;
mod compaction;
mod engine;
mod envelope;
mod faults;
mod fifo;
mod host;
mod image;
mod inspect;
mod live_bytes;
mod message;
mod open;
mod options;
mod queue;
mod record;
mod redrive;
mod registry;
mod rules;
mod snapshot;
mod standard;
mod table;
mod ticker;
mod transfer;
mod waiters;

pub use engine::{Engine, advance};
pub use faults::{Effect, Faults, Rule, Verb, Verdict};
pub use inspect::{QueueReport, Report, inspect, verify};
pub use message::{Delivery, Outgoing, Receive, Sent, Statistics, sequence_number};
pub use options::{OpenOptions, fifo_queue, standard_queue};
pub use queue::Queue;
pub use redrive::{RedriveState, RedriveStatus};
pub use registry::QueueName;
pub use waiters::{Ended, Parker, WaiterId};

pub use trunkline_journal::{Signal, Storage, Ticket};
pub use trunkline_types::{
    Clock, Code, DeadLetter, DedupScope, Durability, Error, IdKey, Limits, MessageId, Millis,
    QueueConfig, QueueKind, Receipt, ResourceId, Result, Seq,
};
