//! State machines: durable executions of programs in the Amazon States Language.
//!
//! What an execution does is decided by `trunkline-states`, which is pure. This kind gives it a
//! place: each stimulus is one step of the journal that holds the new state of the execution, the
//! entries of its history, and the deliveries of the tasks that it schedules. So a crash shows an
//! execution before a stimulus or behind it, never in between.
//!
//! A [`Machine`] owns its programs (one for each definition that was started), its executions, and
//! one retained log with the histories of all of them. An execution that waits is a name, some
//! numbers and the bytes of its state; its timer is one entry of the host's timers.
//!
//! Lock order: an execution, then the mutexes of the queues that its tasks go to, then the append
//! lock. The table of a machine comes before the append lock; no execution's lock is waited for
//! under it.

mod advance;
mod chance;
mod component;
mod delivery;
mod entries;
mod execution;
mod history;
mod kept;
mod pages;
mod record;
mod replay;
mod report;
mod retention;
mod table;
mod task;
mod token;
mod waiting;

use std::sync::Arc;

use trunkline_host::{ComponentKind, Host, Jobs, Resource};
use trunkline_types::sync::Mutex;
use trunkline_types::sync::atomic::AtomicBool;
use trunkline_types::{
    Code, Error, Limits, Millis, ResourceId, ResourceKind, ResourceName, Result,
};

pub use self::component::Machines;
pub(crate) use self::delivery::{MachineDelivery, TaskDelivery, gone};
pub use self::execution::{ExecutionStatus, Status};
pub use self::report::{Ended, TaskEnd};
pub use self::table::{StartRequest, Started};
pub use self::task::AskedTask;
pub use self::token::TaskToken;

use self::record::{DEFINED, GONE};
use self::replay::MachineLoader;
use self::table::Table;

/// The kind of state machines, for the table of kinds.
pub static MACHINES: ComponentKind = ComponentKind {
    name: "machine",
    records: &[DEFINED..=GONE],
    operations: &[],
    loader: |_: &Limits| Box::<MachineLoader>::default(),
};

/// The kind of a state machine.
pub const MACHINE: ResourceKind = ResourceKind("machine");

/// The name of a state machine.
pub fn machine_name(name: &str) -> ResourceName {
    ResourceName::local(MACHINE, name)
}

/// A state machine with its executions.
pub struct Machine {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    shared: Arc<component::Shared>,
    table: Mutex<Table>,
    removed: AtomicBool,
}

impl Machine {
    /// Its id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("name", &self.name.name).finish_non_exhaustive()
    }
}

impl Resource for Machine {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        // The slot is the number of an execution: a timer of it is due, or a wait for its end.
        if self.host.clock.is_virtual()
            && let Some(execution) = self.find_number(slot)
        {
            execution.waiters.expire(now);
        }
        // Of a folder that is only looked at, nothing goes on.
        if self.host.check_writable().is_ok() {
            jobs.push(u64::from(slot));
        }
        None
    }

    fn run(&self, task: u64, now: Millis) -> Result<()> {
        self.run_due(task as u32, now)
    }

    fn close(&self) {
        self.all().iter().for_each(|execution| execution.waiters.wake_all());
    }
}

#[cold]
fn no_such_machine(name: &str) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("State machine {name} does not exist. Create it first."),
    )
}

#[cold]
fn no_such_execution(name: &str) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("Execution {name} does not exist. It may have ended too long ago."),
    )
}
