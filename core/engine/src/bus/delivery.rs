//! What a bus asks of the router: to deliver one event to many targets, whatever they are.
//!
//! Kinds of resources never import each other; `router` implements this for the engine's.

use std::sync::Arc;

use trunkline_host::Accepted;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, ResourceId, Result};

/// One target of a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventTarget<'a> {
    /// The resource.
    pub resource: ResourceId,
    /// The group, for a target that keeps order by group.
    pub group: Option<&'a str>,
    /// The attribute block of the message.
    pub attributes: &'a [u8],
}

impl EventTarget<'_> {
    /// Whether its message has nothing but the body of its own.
    pub fn is_plain(&self) -> bool {
        self.attributes.is_empty()
    }
}

/// Delivers events to resources of every kind.
pub(crate) trait EventDelivery: Send + Sync {
    /// Delivers one body to these targets, in one step if they allow it. Each succeeds or fails for
    /// itself; an error of the whole means that the engine takes nothing at the moment.
    fn deliver(
        &self,
        body: &[u8],
        hops: u32,
        targets: &[EventTarget<'_>],
    ) -> Result<Vec<Result<Accepted>>>;
}

/// Where the buses of an engine find the router, once it is there.
#[derive(Default)]
pub(super) struct Slot(Mutex<Option<Arc<dyn EventDelivery>>>);

impl Slot {
    pub fn set(&self, delivery: Arc<dyn EventDelivery>) {
        *lock(&self.0) = Some(delivery);
    }

    pub fn get(&self) -> Result<Arc<dyn EventDelivery>> {
        lock(&self.0).clone().ok_or_else(|| {
            Error::new(Code::InternalError, "The event buses have no router to deliver through.")
        })
    }
}
