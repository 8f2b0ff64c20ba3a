//! Random numbers and tokens of executions: all follow from the engine's key and from what an
//! execution has had so far, so that a run with a seed repeats.

use trunkline_states::{Entropy, TaskId};
use trunkline_types::{IdKey, ResourceId};

use super::execution::Row;
use super::token::TaskToken;

/// Where one step of an execution takes random numbers and tokens from.
pub(super) struct Chance {
    key: IdKey,
    machine: ResourceId,
    execution: u32,
    events: u64,
    drawn: u64,
}

impl Chance {
    pub fn new(key: IdKey, machine: ResourceId, execution: u32, row: &Row) -> Self {
        Self { key, machine, execution, events: row.events, drawn: 0 }
    }

    pub fn token(&self, task: TaskId) -> String {
        let (machine, execution) = (self.machine, self.execution);
        TaskToken { machine, execution, task: task.0 }.encode(self.key)
    }
}

impl Entropy for Chance {
    fn random(&mut self) -> u64 {
        self.drawn += 1;
        let numbers =
            [u64::from(self.machine.0) << 32 | u64::from(self.execution), self.events, self.drawn];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.key.digest(&[b"chance", &bytes]) as u64
    }

    fn task_token(&mut self, task: TaskId) -> String {
        self.token(task)
    }
}
