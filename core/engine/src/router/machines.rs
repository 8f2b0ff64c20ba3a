//! State machines as the surfaces see them, and the way of their tasks out of the engine.

use std::sync::{Arc, Weak};

use trunkline_host::{Also, Host};
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, Millis, ResourceId, ResourceName, Result};

use super::destinations::full_name;
use crate::engine::Engine;
use crate::machine::{self, Machine, MachineDelivery, Machines, TaskDelivery};
use crate::queue::{Branch, FanOutStep, Kept, Outgoing, Queue, SharedPayload, fan_out};

impl Engine {
    /// The state machines of this engine.
    pub fn machines(&self) -> &Arc<Machines> {
        &self.machines
    }

    /// The state machine of this name.
    pub fn find_machine(&self, name: &ResourceName) -> Result<Option<Arc<Machine>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.find(name))
    }

    pub(crate) fn attach_machines(&self) {
        self.machines.attach(Arc::new(Tasks(Arc::downgrade(self.host()))));
    }
}

/// Delivers tasks to destinations of the outbox.
struct Tasks(Weak<Host>);

impl Tasks {
    fn host(&self) -> Result<Arc<Host>> {
        self.0
            .upgrade()
            .ok_or_else(|| Error::new(Code::EngineClosed, "The engine is closed. Open a new one."))
    }
}

impl MachineDelivery for Tasks {
    fn find(&self, destination: &str) -> Option<ResourceId> {
        self.host().ok()?.directory.id_of(&full_name(destination))
    }

    fn deliver(
        &self,
        tasks: &[TaskDelivery],
        also: &dyn Also,
        now: Millis,
    ) -> Result<Option<Ticket>> {
        let host = self.host()?;
        let mut branches = Vec::with_capacity(tasks.len());
        let mut queues = Vec::with_capacity(tasks.len());
        for task in tasks {
            let found = host.directory.get::<Queue>(task.destination);
            queues.push(found.ok_or_else(machine::gone)?);
        }
        for (task, queue) in tasks.iter().zip(&queues) {
            let message = Outgoing { body: &task.body, ..Outgoing::default() };
            branches.push(Branch { queue, message, kept: Kept::Own });
        }
        let content = SharedPayload::default();
        let step = FanOutStep { branches: &branches, content, participants: &[also], now };
        let (sent, ticket) = fan_out(&host, &step)?;
        // A destination takes every delivery: the queue has no bound of its own.
        sent.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(ticket)
    }
}
