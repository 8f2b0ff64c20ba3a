//! Destinations of the outbox: each is a queue that no listing shows, with the configuration as its
//! document.

use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::{
    Code, Error, Millis, QueueConfig, QueueKind, ResourceId, ResourceName, Result,
};

use crate::engine::Engine;
use crate::outbox::{DestinationConfig, OUTBOX_ACCOUNT, OUTBOX_REGION, Outbox, is_of_outbox};
use crate::queue::{QUEUE, Queue, standard_queue};

/// How long a delivery is kept: never shorter than a retry table, which says when it is given up.
const RETENTION: Millis = 100 * 365 * 86_400_000;

impl Engine {
    /// The outbox: handlers, statistics and failures of destinations.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Creates a destination. It is applied when this returns, and durable with any later ticket.
    pub fn create_destination(&self, name: &str, config: &DestinationConfig) -> Result<ResourceId> {
        self.check_destination(config)?;
        let queue = self.create_queue(full_name(name), self.rules(config), &config.encode())?;
        self.outbox.attach(queue.id(), queue.clone(), config.clone());
        Ok(queue.id())
    }

    /// Changes a destination, from its next attempt on.
    pub fn configure_destination(
        &self,
        id: ResourceId,
        config: &DestinationConfig,
    ) -> Result<Option<Ticket>> {
        self.check_destination(config)?;
        let queue = self.destination_queue(id)?;
        let ticket = queue.configure(self.rules(config), &config.encode())?;
        self.outbox.configure(id, config.clone())?;
        Ok(ticket)
    }

    /// Removes a destination with every delivery that waits there.
    pub fn remove_destination(&self, id: ResourceId) -> Result<Option<Ticket>> {
        let ticket = self.destination_queue(id)?.remove()?;
        self.outbox.detach(id)?;
        Ok(ticket)
    }

    /// The destination of this name.
    pub fn find_destination(&self, name: &str) -> Result<Option<ResourceId>> {
        self.host().check_readable()?;
        Ok(self.host().directory.id_of(&full_name(name)))
    }

    /// The destinations, by name.
    pub fn destinations(&self) -> Result<Vec<(String, ResourceId)>> {
        self.host().check_readable()?;
        let queues = self.destination_queues();
        Ok(queues.iter().map(|queue| (queue.name().name.clone(), queue.id())).collect())
    }

    /// Hands the destinations that were replayed to the outbox, and forgets failures of others.
    pub(crate) fn attach_destinations(&self) -> Result<()> {
        for queue in self.destination_queues() {
            let config = DestinationConfig::decode(&queue.document())?;
            self.outbox.attach(queue.id(), queue.clone(), config);
        }
        self.outbox.forget_removed()
    }

    fn destination_queues(&self) -> Vec<Arc<Queue>> {
        self.host().directory.list(QUEUE, Some(OUTBOX_ACCOUNT), Some(OUTBOX_REGION), "")
    }

    pub(super) fn destination_queue(&self, id: ResourceId) -> Result<Arc<Queue>> {
        let queue = self.host().directory.get::<Queue>(id);
        queue.filter(|queue| is_of_outbox(queue.name())).ok_or_else(|| {
            Error::new(Code::ResourceNotFoundException, "The destination does not exist.")
        })
    }

    fn check_destination(&self, config: &DestinationConfig) -> Result<()> {
        config.check()?;
        let Some(id) = config.dead_letter else { return Ok(()) };
        match self.host().directory.get::<Queue>(id) {
            Some(queue) if queue.kind() == QueueKind::Standard => Ok(()),
            Some(queue) => Err(Error::new(
                Code::InvalidParameterValue,
                format!(
                    "The dead-letter queue {} is a FIFO queue; deliveries that are given up have \
                     no group. Name a standard queue.",
                    queue.name().name
                ),
            )),
            None => Err(Error::new(
                Code::ResourceNotFoundException,
                "The dead-letter queue of the destination does not exist.",
            )),
        }
    }

    fn rules(&self, config: &DestinationConfig) -> QueueConfig {
        QueueConfig {
            retention: RETENTION,
            visibility: config.lease(),
            message_bytes_max: self.limits().message_bytes_max,
            ..standard_queue()
        }
    }
}

pub(super) fn full_name(name: &str) -> ResourceName {
    ResourceName::new(QUEUE, OUTBOX_ACCOUNT, OUTBOX_REGION, name)
}
