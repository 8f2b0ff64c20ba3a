//! The router: the only way from one kind of resource to another. Beside `engine.rs` it is the only
//! module that names two kinds. Dead letters and redrive go from queue to queue and do not come
//! through it: see `queue/transfer.rs`.

mod backlog;
mod destinations;

use std::sync::Arc;

use trunkline_types::{Code, Error, ResourceId, Result};

use crate::engine::Engine;
use crate::outbox::is_of_outbox;
use crate::queue::{Outgoing, Queue, Sent};

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
        match target {
            Target::Queue(id) => self.queue_of(id)?.send(delivery),
            Target::Outbox(id) => {
                let sent = self.destination_queue(id)?.send(delivery)?;
                self.outbox().accepted(id);
                Ok(sent)
            }
        }
    }

    fn queue_of(&self, id: ResourceId) -> Result<Arc<Queue>> {
        let queue = self.host().directory.get::<Queue>(id);
        queue
            .filter(|queue| !is_of_outbox(queue.name()))
            .ok_or_else(|| Error::new(Code::ResourceNotFoundException, "The queue does not exist."))
    }
}
