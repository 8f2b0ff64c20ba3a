//! Waits for the end of an execution.

use std::sync::Arc;

use trunkline_host::{Awaited, Host, LongPoll, TimerKey, Waiters};
use trunkline_types::{Millis, Result};

use super::Machine;
use super::kept::Execution;

/// The end of an execution.
struct End {
    machine: Arc<Machine>,
    execution: Arc<Execution>,
}

impl Awaited for End {
    fn host(&self) -> &Arc<Host> {
        self.machine.host()
    }

    fn waiters(&self) -> &Waiters {
        &self.execution.waiters
    }

    /// All who wait are woken when it ends: there is none to pass a wake on to.
    fn has_content(&self) -> bool {
        false
    }

    fn waiters_timer(&self) -> TimerKey {
        TimerKey { owner: self.machine.id, slot: self.execution.number }
    }
}

impl Machine {
    /// A wait for the end of an execution, of up to `wait`.
    pub fn end_wait(self: &Arc<Self>, name: &str, wait: Millis) -> Result<LongPoll> {
        let (machine, execution) = (self.clone(), self.find(name)?);
        Ok(LongPoll::new(Arc::new(End { machine, execution }), wait))
    }
}
