//! A queue as the surfaces see it: one type over two kinds of rules. Its verbs are in `verbs`.

mod block;
mod checkpoint;
mod component;
mod definition;
mod envelope;
mod fan_out;
mod fifo;
mod grants;
mod listing;
mod message;
mod names;
pub mod operation;
mod options;
mod outbound;
mod plain;
mod purge;
mod record;
mod redrive;
mod redrive_one;
mod replay;
mod rules;
mod shared;
mod standard;
mod stored;
mod table;
mod traced;
mod transfer;
mod verbs;
mod waiting;

use std::sync::Arc;

use trunkline_host::{Host, Jobs, TimerKey, Waiters};
use trunkline_journal::Signal;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{
    Error, Millis, Problem, QueueConfig, QueueKind, Receipt, ResourceId, ResourceKind,
    ResourceName, Result,
};

use crate::queue::fifo::FifoQueue;
use crate::queue::grants::Grants;
use crate::queue::purge::Purge;
use crate::queue::replay::StoredDefinition;
use crate::queue::rules::Rules;
use crate::queue::shared::References;
use crate::queue::standard::StandardQueue;

pub(crate) use crate::attributes;
pub use component::QUEUES;
pub(crate) use component::{Queues, check_limits};
pub use fan_out::SharedPayload;
pub(crate) use fan_out::{
    Appended, Branch, FanOutStep, Kept, Outcome, append_fan_out, check, fan_out,
};
pub use grants::Grant;
pub use message::{Delivery, Outgoing, Receive, Received, Sent, Statistics, sequence_number};
pub use names::{check_id, check_queue_name, is_id};
pub use options::{QUEUE_OPTIONS, QueueOption, Unit, default_config, fifo_queue, standard_queue};
pub(crate) use plain::{send_plain, take_plain};
pub use redrive::{RedriveState, RedriveStatus};

/// The kind in the names of queues.
pub const QUEUE: ResourceKind = ResourceKind("queue");

/// Timer slot: the oldest messages of the queue may have reached their retention.
pub(crate) const SLOT_RETENTION: u32 = u32::MAX;
/// Timer slot: a wait may have reached its deadline on a virtual clock.
pub(crate) const SLOT_WAITERS: u32 = u32::MAX - 1;

/// The name of a queue for embedders, who see no account and no region.
pub fn queue_name(name: impl Into<String>) -> ResourceName {
    ResourceName::local(QUEUE, name)
}

/// A queue of an engine. Cheap to share; every method may be called from any thread.
pub struct Queue {
    pub(crate) host: Arc<Host>,
    pub(crate) id: ResourceId,
    name: ResourceName,
    pub(crate) rules: Rules,
    inner: Kind,
    pub(crate) references: References,
    pub(crate) waiters: Waiters,
    definition: Mutex<StoredDefinition>,
    grants: Mutex<Grants>,
    removed: AtomicBool,
    /// Taken behind the append lock.
    purged: Mutex<Purge>,
    /// Told of every message that another resource delivers here.
    listener: Mutex<Option<Arc<dyn Signal>>>,
    /// Whether there ever was one: queues without any take no lock.
    has_listener: AtomicBool,
    /// Whether dead letters do not wait for the next receive: see [`Queue::give_up_eagerly`].
    is_eager: AtomicBool,
    /// Whether a job that looks for them is on its way.
    is_looking: AtomicBool,
}

// A queue is allocated once and never moved, and the larger kind is the usual one.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Kind {
    Standard(StandardQueue),
    Fifo(FifoQueue),
}

impl Queue {
    pub(crate) fn new(
        host: Arc<Host>,
        id: ResourceId,
        definition: StoredDefinition,
        purged: Purge,
        inner: Kind,
    ) -> Self {
        let name = definition.name();
        Self {
            host,
            id,
            name,
            rules: Rules::new(&definition.config),
            inner,
            references: References::default(),
            waiters: Waiters::default(),
            definition: Mutex::new(definition),
            grants: Mutex::default(),
            removed: AtomicBool::new(false),
            purged: Mutex::new(purged),
            listener: Mutex::new(None),
            has_listener: AtomicBool::new(false),
            is_eager: AtomicBool::new(false),
            is_looking: AtomicBool::new(false),
        }
    }

    /// The queue's id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// Standard or FIFO.
    pub fn kind(&self) -> QueueKind {
        match self.inner {
            Kind::Standard(_) => QueueKind::Standard,
            Kind::Fifo(_) => QueueKind::Fifo,
        }
    }

    /// The queue's rules.
    pub fn config(&self) -> QueueConfig {
        let mut config = lock(&self.definition).config.clone();
        if let Some(dead) = &mut config.dead_letter
            && let Some(target) = self.dead_letter_target()
        {
            // It may have been removed and made again, and has another id then.
            dead.queue = target;
        }
        config
    }

    /// What the surfaces keep with the queue.
    pub fn document(&self) -> Vec<u8> {
        lock(&self.definition).document.clone()
    }

    /// When the queue was created.
    pub fn created(&self) -> Millis {
        lock(&self.definition).created
    }

    /// When the queue's rules or document were last changed.
    pub fn modified(&self) -> Millis {
        lock(&self.definition).modified
    }

    /// Whether the queue was removed. Every verb on it then fails with `QueueDoesNotExist`.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// The receipt in `text`, if this queue issued it.
    pub fn decode_receipt(&self, text: &str) -> Result<Receipt> {
        Receipt::decode(text, self.host.key, self.id)
    }

    /// A receipt as text.
    pub fn encode_receipt(&self, receipt: &Receipt) -> String {
        receipt.encode(self.host.key)
    }

    fn fire_slot(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        if slot == SLOT_WAITERS {
            self.waiters.expire(now);
            return None;
        }
        let fired = match &self.inner {
            Kind::Standard(standard) => standard.fire(self, slot, now),
            Kind::Fifo(fifo) => fifo.fire(self, slot, now),
        };
        if fired.visible {
            self.wake(1);
            // One job for all whose leases end together: it looks at all messages.
            if self.is_eager.load(Ordering::Acquire)
                && !self.is_looking.swap(true, Ordering::AcqRel)
            {
                jobs.push(0);
            }
        }
        fired.again
    }

    pub(crate) fn inner(&self) -> &Kind {
        &self.inner
    }

    pub(crate) fn arm(&self, slot: u32, at: Millis) {
        self.host.arm(TimerKey { owner: self.id, slot }, at);
    }

    /// The number that the next message gets at least.
    pub(crate) fn next_seq(&self) -> u64 {
        match &self.inner {
            Kind::Standard(standard) => standard.next_seq(),
            Kind::Fifo(fifo) => fifo.next_seq(),
        }
    }

    #[inline]
    fn wake(&self, count: usize) {
        if !self.waiters.is_empty() {
            self.waiters.wake(count);
        }
    }

    /// Fails if the queue was removed.
    #[inline]
    fn check_present(&self) -> Result<()> {
        if self.is_removed() {
            return Err(no_such_queue(&self.name));
        }
        Ok(())
    }
}

/// What a timer entry came to.
#[derive(Default, Clone, Copy)]
pub(crate) struct Fired {
    /// When to look at the slot again.
    pub again: Option<Millis>,
    /// Whether a message became visible.
    pub visible: bool,
}

#[cold]
fn no_such_queue(name: &ResourceName) -> Error {
    Problem::NoSuchQueue { name: name.name.clone() }.into()
}

/// The error for a message above its queue's maximum.
#[cold]
pub(crate) fn too_large(max: usize) -> Error {
    Problem::TooLarge { max }.into()
}
