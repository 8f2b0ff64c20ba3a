//! What an execution asks of the router: to deliver its tasks, in the step that schedules them.
//!
//! Kinds of resources never import each other; `router` implements this for the engine's.

use std::sync::Arc;

use trunkline_host::Also;
use trunkline_journal::Ticket;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

/// The destination of the outbox that gets all tasks but those of activities.
pub(super) const TASKS: &str = "states";
/// The names of the destinations of activities start with this; the ARN follows.
pub(super) const ACTIVITY_PREFIX: &str = "states-activity/";

/// A task on its way out.
#[derive(Debug)]
pub(crate) struct TaskDelivery {
    /// The destination of the outbox.
    pub destination: ResourceId,
    /// A JSON object that says what is to be done.
    pub body: Vec<u8>,
}

/// Delivers tasks to destinations of the outbox.
pub(crate) trait MachineDelivery: Send + Sync {
    /// The destination of this name.
    fn find(&self, destination: &str) -> Option<ResourceId>;

    /// A delivery for who carries out tasks.
    fn for_tasks(&self, body: Vec<u8>) -> Result<TaskDelivery> {
        let destination = self.find(TASKS).ok_or_else(gone)?;
        Ok(TaskDelivery { destination, body })
    }

    /// Delivers all tasks in one step of the journal with what `also` appends: a crash leaves all
    /// of it or nothing, and an error means that nothing was done.
    fn deliver(
        &self,
        tasks: &[TaskDelivery],
        also: &dyn Also,
        now: Millis,
    ) -> Result<Option<Ticket>>;
}

#[cold]
pub(crate) fn gone() -> Error {
    Error::new(Code::ResourceNotFoundException, "The destination of the tasks was removed.")
}

/// Where machines find the router, once it is there.
#[derive(Default)]
pub(super) struct Slot(Mutex<Option<Arc<dyn MachineDelivery>>>);

impl Slot {
    pub fn set(&self, delivery: Arc<dyn MachineDelivery>) {
        *lock(&self.0) = Some(delivery);
    }

    pub fn get(&self) -> Result<Arc<dyn MachineDelivery>> {
        lock(&self.0).clone().ok_or_else(|| {
            Error::new(Code::InternalError, "The state machines have no router to deliver through.")
        })
    }
}
