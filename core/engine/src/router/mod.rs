//! The router: the way from one kind of resource to another. Beside `engine.rs` it is the only
//! module that names two kinds.
//!
//! What a kind itself sends on (dead letters, redriven messages, the events of a bus) it hands to
//! [`trunkline_host::Host::deliver`], which knows a target by its id alone and bounds the hops.

mod apart;
mod archive_pages;
mod authorization;
mod backlog;
mod buckets;
mod deliveries;
mod destinations;
mod events;
mod fan_out;
mod join;
mod machines;
mod others;
mod plain;
mod publish;
mod publish_batch;
mod publisher;
mod rules;
mod schedules;
mod topics;

use std::sync::Arc;

use trunkline_host::{Accepted, Routed};
use trunkline_types::{Code, Error, ResourceId, Result};

use crate::engine::Engine;
use crate::outbox::is_of_outbox;
use crate::queue::{Outgoing, Queue, Sent};

pub use self::archive_pages::{NamePage, ReplayOfBus};
pub(crate) use self::authorization::Authorization;
pub use self::authorization::{Authorizer, DeliverySource};
pub use self::fan_out::{FanOut, FanTarget};
pub use self::rules::{NewRule, NewTarget, TargetResource};
pub use self::topics::NewSubscription;

/// Where the router delivers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A queue of this engine.
    Queue(ResourceId),
    /// A destination outside the engine, by way of the outbox.
    Outbox(ResourceId),
}

impl Engine {
    /// Delivers to a target. The delivery is accepted when this returns, and as durable as wanted
    /// once its ticket has been waited for.
    pub fn deliver(&self, target: Target, delivery: &Outgoing<'_>) -> Result<Sent> {
        let id = match target {
            Target::Queue(id) => self.queue_of(id)?.id(),
            Target::Outbox(id) => self.destination_queue(id)?.id(),
        };
        let Outgoing { body, attributes, group, dedup_id, delay } = *delivery;
        let routed = Routed { body, attributes, group, dedup_id, delay, ..Default::default() };
        let Accepted { resource, seq, duplicate, ticket } = self.host().deliver(id, &routed)?;
        Ok(Sent { queue: resource, seq, duplicate, ticket })
    }

    fn queue_of(&self, id: ResourceId) -> Result<Arc<Queue>> {
        let queue = self.host().directory.get::<Queue>(id);
        queue
            .filter(|queue| !is_of_outbox(queue.name()))
            .ok_or_else(|| Error::new(Code::ResourceNotFoundException, "The queue does not exist."))
    }
}
